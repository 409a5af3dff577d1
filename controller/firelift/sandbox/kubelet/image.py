"""What stands for an image: the source tree that the node's Python environment runs."""

import hashlib
from pathlib import Path

import firelift


def image_id() -> str:
    """Return `sandbox@sha256:<hash of the package's source files and their paths>`, read anew at every call."""
    root = Path(firelift.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return f"sandbox@sha256:{digest.hexdigest()}"
