"""Writes the generated parts of the pages below docs/: `make readmes`."""

from tests.documentation.parts import PARTS

for part in PARTS:
    part.write()
