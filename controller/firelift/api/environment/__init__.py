"""`FirestoreEnvironment`: the ground that rollouts stand on, planned, approved, applied and watched."""

KIND = "FirestoreEnvironment"
PLURAL = "firestoreenvironments"
