"""What every provider of metrics can be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from firelift.api.measurement import Measurement, Window

QueryT_contra = TypeVar("QueryT_contra", contravariant=True)


class MetricSource(Protocol[QueryT_contra]):
    """Answers a query of one kind with one value over a window.

    A source never raises for what a provider does: an outage, a refusal, a deadline or several series where one was
    asked for come back as `Measurement.error`, absent data as a value of None, NaN as NaN. It judges nothing.
    """

    async def measure(self, query: QueryT_contra, window: Window) -> Measurement:
        """Return what the provider says about the time after `window.start` up to `window.end`."""
        ...
