"""All sections of an object, put together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from firelift.cli import environment_sections, rollout_sections
from firelift.cli.common_sections import actions
from firelift.cli.environment_actions import of_environment
from firelift.cli.rollout_actions import of_rollout
from firelift.cli.sections import Section
from firelift.cli.views import EnvironmentView, RolloutView


def rollout_report(
    view: RolloutView, now: datetime, at_work: Section, flags: Sequence[str] = ()
) -> tuple[Section, ...]:
    """`at_work`: its lanes, as its Jobs or its ledger tell."""
    return (
        rollout_sections.summary(view, now),
        rollout_sections.way_back(view, now),
        rollout_sections.gates(view, now),
        at_work,
        actions(of_rollout(view, now, flags)),
    )


def environment_report(view: EnvironmentView, now: datetime, flags: Sequence[str] = ()) -> tuple[Section, ...]:
    """The same of an environment."""
    return (
        environment_sections.summary(view, now),
        environment_sections.plan(view),
        environment_sections.readiness(view, now),
        environment_sections.drift(view, now),
        actions(of_environment(view, flags)),
    )
