"""Where a run takes place: the code, the processor, the versions."""

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

HERE = Path(__file__)


def commit(file: Path = HERE) -> str:
    """The commit that a file is checked out from, ``+`` if tracked files differ.

    "unknown" outside a git checkout, and in one that doesn't track the file: an
    installed package may lie in somebody else's.
    """
    folder = file.parent
    try:
        _git("ls-files", "--error-unmatch", file.name, folder=folder)
        head = _git("rev-parse", "HEAD", folder=folder)
        changed = _git("status", "--porcelain", "--untracked-files=no", folder=folder)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{head}+" if changed else head


def _git(*words: str, folder: Path) -> str:
    command = ["git", *words]
    done = subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def hardware() -> str:
    """Cores, processor and system, in words: "2 cores, Intel Xeon, Linux"."""
    cores = os.cpu_count() or 1
    word = "core" if cores == 1 else "cores"
    return f"{cores} {word}, {_processor()}, {platform.system()}"


def _processor() -> str:
    """Name of the processor, or its architecture where the system does not say."""
    table = Path("/proc/cpuinfo")
    lines = table.read_text().splitlines() if table.is_file() else []
    named = [line.split(":", 1)[1] for line in lines if line.startswith("model name")]
    return named[0].strip() if named else platform.machine()


def versions() -> dict[str, str]:
    """Of Python and torch."""
    return {"python": platform.python_version(), "torch": metadata.version("torch")}
