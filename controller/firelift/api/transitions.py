"""What of a rollout may change, and when: rules over the old and the new object, at the root because they read status.

CEL counts its cost before it runs, from the bounds in the schema; so each rule compares whole filtered lists once
instead of looking for each old item among the new ones.
"""

from __future__ import annotations

from firelift.api.rules import Rule

ROLLOUT_ROOT_RULES = (
    Rule(
        "self.metadata.name.size() <= 63",
        "metadata.name must be at most 63 characters long: it is a label of the rollout's Jobs",
    ),
)
