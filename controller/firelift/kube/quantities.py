"""Kubernetes quantities (`250m`, `1Gi`) as exact numbers."""

from decimal import ROUND_CEILING, Decimal

_SUFFIXES = {
    "Ki": Decimal(2) ** 10,
    "Mi": Decimal(2) ** 20,
    "Gi": Decimal(2) ** 30,
    "Ti": Decimal(2) ** 40,
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "k": Decimal(10) ** 3,
    "M": Decimal(10) ** 6,
    "G": Decimal(10) ** 9,
    "T": Decimal(10) ** 12,
}


def parse_quantity(text: str) -> Decimal:
    """Return the number that a quantity stands for."""
    for suffix, factor in _SUFFIXES.items():
        if text.endswith(suffix):
            return Decimal(text.removesuffix(suffix)) * factor
    return Decimal(text)


def divided(quantity: str, divisor: str) -> str:
    """Return a resource as the downward API shows it: in units of `divisor` (0 means 1), rounded up."""
    units = parse_quantity(quantity) / (parse_quantity(divisor) or 1)
    return str(int(units.to_integral_value(ROUND_CEILING)))
