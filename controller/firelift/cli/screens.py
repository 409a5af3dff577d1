"""Where a watch is shown: a picture that is drawn anew in a terminal, a line for each change elsewhere."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import click

from firelift.cli import terminal
from firelift.cli.picture import picture
from firelift.cli.views import AnyView
from firelift.cli.watching import Lines, stamped

Show = Callable[[AnyView], None]


@contextlib.contextmanager
def screen() -> Iterator[Show]:
    """What shows each look of a watch."""
    if not terminal.is_terminal():
        yield lines()
        return
    try:
        from rich.live import Live  # noqa: PLC0415 - an extra: without it a watch has lines in a terminal too
        from rich.text import Text  # noqa: PLC0415 - as above
    except ImportError:
        yield lines()
        return
    plain = bool(os.environ.get("NO_COLOR"))
    with Live(auto_refresh=False, vertical_overflow="visible") as live:

        def show(view: AnyView) -> None:
            drawn = picture(view, datetime.now(UTC))
            live.update(Text(click.unstyle(drawn)) if plain else Text.from_ansi(drawn), refresh=True)

        yield show


def lines() -> Show:
    """A line with its time for each change."""
    told, begun = Lines(), time.monotonic()

    def show(view: AnyView) -> None:
        if told.worth(view, time.monotonic() - begun):
            click.echo(stamped(view))

    return show
