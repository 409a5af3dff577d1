"""What a rollout may write each second, as one line for people."""

from __future__ import annotations

from firelift.rollout.observation import PaceSeen

_EXACT = 10
LONGEST = 128


def text(pace: PaceSeen | None) -> str:
    """Such as ``562/s of 1,125/s, shared with shop/tasks`` or ``560/s of 560/s, cut: 2.1% of commits …``.

    For one that has no share yet, who holds it.
    """
    if pace is None:
        return ""
    if pace.waits:
        return waiting(pace)[:LONGEST]
    rate = f"{_rate(pace.share)} of {_rate(pace.budget)}"
    return ", ".join([rate, *_reasons(pace)])[:LONGEST]


def waiting(pace: PaceSeen) -> str:
    """Such as ``waiting for its share of the write budget: 0 of 500/s; shop/a holds 500/s until 12:03:05 UTC``."""
    sentence = f"waiting for its share of the write budget: 0 of {_rate(pace.budget)}"
    if pace.holder is None:
        return sentence
    until = f"{pace.holder.until:%H:%M:%S} UTC"
    return f"{sentence}; {pace.holder.name} holds {_rate(pace.holder.rate)} until {until}"


def _reasons(pace: PaceSeen) -> list[str]:
    reasons = []
    if pace.cause:
        reasons.append(f"cut: {pace.cause}")
    if pace.sharers:
        more = f" and {len(pace.sharers) - 1} more" if len(pace.sharers) > 1 else ""
        reasons.append(f"shared with {pace.sharers[0]}{more}")
    if pace.share >= pace.cap:
        reasons.append("its maxWritesPerSecond")
    if pace.unbound:
        reasons.append("no limit per entity on the way back")
    return reasons


def _rate(rate: float) -> str:
    return f"{rate:,.0f}/s" if rate >= _EXACT else f"{rate:.1f}/s"
