"""All generated parts of the pages below docs/."""

from __future__ import annotations

from tests.chart import values_table
from tests.documentation import fields, waiting

PARTS = (values_table.PART, *fields.parts(), *waiting.parts())
