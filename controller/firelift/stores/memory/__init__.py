"""A Firestore in memory, with faults on demand."""

from firelift.stores.memory.store import Faults, MemoryStore
from firelift.stores.memory.writes import Version

__all__ = ["Faults", "MemoryStore", "Version"]
