"""A Google Cloud stand-in for what has no emulator: Cloud Monitoring and the Firestore Admin API's GetDatabase."""

from firelift.sandbox.google.faults import Fault
from firelift.sandbox.google.server import Options, StandIn, running_stand_in

__all__ = ["Fault", "Options", "StandIn", "running_stand_in"]
