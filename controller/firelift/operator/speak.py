"""Events about our objects."""

from __future__ import annotations

from firelift.kube.errors import KubeError
from firelift.kube.events import Said, Subject, build
from firelift.operator.services import Services


async def send_event(services: Services, subject: Subject, *, reason: str, message: str, warning: bool) -> None:
    """Say it; an Event is for people, and nothing waits for it."""
    now, reporter = services.now(), services.settings.identity
    event = build(subject, reason=reason, message=message, warning=warning, now=now, reporter=reporter)
    try:
        said = await services.events.say(services.cluster, subject, event, now)
    except KubeError as error:
        services.log.warning("event not sent", reason=reason, error=str(error))
        return
    if said is Said.HELD_BACK:
        where = f"{subject.kind} {subject.namespace}/{subject.name}"
        services.log.warning("event held back, the object has used up its budget", subject=where, reason=reason)
