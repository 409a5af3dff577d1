"""`spec.rules`: Firestore's security rules for phones and browsers."""

from __future__ import annotations

from firelift.api.base import Model
from firelift.api.environment.vocabulary import RulesFile


class SecurityRulesSpec(Model):
    """Where the rules' source is. It is released as it stands there."""

    from_config_map: RulesFile
