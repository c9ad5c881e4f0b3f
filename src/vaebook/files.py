"""Files that are whole or not there: the one way this package writes to disk."""

import os
import secrets
from pathlib import Path


def write_whole(target: Path, data: bytes) -> None:
    """Write ``data`` so that ``target`` is never half a file: old, or new and whole."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with part.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
