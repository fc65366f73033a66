"""Real tools to ask, installed at test time into environments that are kept between runs.

`tool_env("uv==0.13.8")` gives the folder of executables of an environment with just these packages. The environments
live in GATEPOST_ORACLE_CACHE, else in a folder of the system's temporary directory.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path


def cache_dir() -> Path:
    """Where environments of oracle tools are kept."""
    named = os.environ.get("GATEPOST_ORACLE_CACHE")
    return (
        Path(named)
        if named
        else Path(tempfile.gettempdir()) / f"gatepost-oracle-{os.getuid() if hasattr(os, 'getuid') else 0}"
    )


def tool_env(*requirements: str, python: str | None = None) -> Path:
    """The bin folder of an environment that holds `requirements` (made on first use; safe under parallel workers).

    Raises:
        subprocess.CalledProcessError: the installation failed.
    """
    interpreter = python or sys.executable
    key = hashlib.sha256("\0".join([interpreter, *requirements]).encode()).hexdigest()[:16]
    target = cache_dir() / key
    bin_dir = target / ("Scripts" if os.name == "nt" else "bin")
    if (target / "ready").exists():
        return bin_dir
    target.parent.mkdir(parents=True, exist_ok=True)
    lock = target.with_suffix(".lock")
    with lock.open("w") as handle:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
        if not (target / "ready").exists():
            if python is None:
                venv.create(target, with_pip=True, clear=True)
            else:
                subprocess.run([interpreter, "-m", "venv", "--clear", str(target)], check=True)
            pip = [str(bin_dir / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, *requirements], check=True, stdout=subprocess.DEVNULL)
            (target / "ready").touch()
    return bin_dir
