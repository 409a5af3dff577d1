"""All generated parts of the pages below docs/."""

from __future__ import annotations

from tests.chart import values_table
from tests.documentation import alerts, fields, panels, waiting

PARTS = (values_table.PART, alerts.PART, panels.PART, *fields.parts(), *waiting.parts())
