"""Events about our objects."""

from __future__ import annotations

from firelift.kube import events
from firelift.kube.errors import KubeError
from firelift.kube.events import Subject
from firelift.operator.services import Services


async def send_event(services: Services, subject: Subject, *, reason: str, message: str, warning: bool) -> None:
    """Say it; an Event is for people, and nothing waits for it."""
    try:
        await events.emit(
            services.cluster,
            subject,
            reason=reason,
            message=message,
            warning=warning,
            now=services.now(),
            reporter=services.settings.identity,
        )
    except KubeError as error:
        services.log.warning("event not sent", reason=reason, error=str(error))
