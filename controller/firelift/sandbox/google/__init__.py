"""A Google Cloud stand-in for what has no emulator: Cloud Monitoring, Firestore Admin and what Terraform calls.

The official clients speak to it unchanged, over gRPC without TLS, and so does the Terraform provider, over REST: each
API below a prefix of its own, with any bearer token. What a call makes it keeps in memory and answers from then on;
operations and index states go on with its clock.

Cloud Monitoring: Limits, validity of aligners and reducers, and the
words of refusals follow Google's reference and messages seen in the wild. Where the reference is silent it assumes:
OR binds tighter than AND; `:` is a substring whatever the case; periods are counted back from the end of the interval,
and the oldest may begin before its start; a cumulative metric counts from 0 at its start time; a distribution counts
whole where its interval ends. Not served: write rate limits, metadata and group selectors, ALIGN_INTERPOLATE,
ALIGN_PERCENT_CHANGE.
"""

from firelift.sandbox.google.faults import Fault
from firelift.sandbox.google.server import Options, StandIn, running_stand_in

__all__ = ["Fault", "Options", "StandIn", "running_stand_in"]
