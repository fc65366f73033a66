"""Repository paths as text: POSIX, from the repository's root."""

from __future__ import annotations


def names_torch(data: bytes) -> bool:
    """Whether a text speaks of torch in any usual case; UTF-16 is told by its byte order mark, as pip does."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.replace(b"\0", b"")
    return b"torch" in data or b"Torch" in data or b"TORCH" in data


def join(folder: str, name: str) -> str:
    """A path under a folder, `..` resolved; "" if it leaves the repository."""
    parts: list[str] = []
    for part in (folder + "/" + name if folder and not name.startswith("/") else name).split("/"):
        if part == "..":
            if not parts:
                return ""
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def folder(path: str) -> str:
    return path.rpartition("/")[0]


# What a file can be, told by its name without a pattern: this runs on every path of a repository.
MANIFESTS = frozenset({"pyproject.toml", "Pipfile", "pixi.toml", "uv.toml", "hatch.toml"})
LOCKS = frozenset({"uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pixi.lock"})
SETUPS = frozenset({"setup.py", "setup.cfg"})
RUNNERS = frozenset({"tox.ini", "noxfile.py"})
PIP_CONFIGS = frozenset({"pip.conf", "pip.ini"})
# MLflow's, Weights & Biases' and Lightning's run folders hold the requirements of a past environment.
_SKIPPED = (
    "node_modules/", ".venv/", "venv/", "site-packages/", ".tox/", ".nox/", "mlruns/", "mlartifacts/", "lightning_logs/",
    "wandb/run-", "wandb/offline-run-",
)  # fmt: skip
_ENVIRONMENTS = ("conda", "env", "envs", "environment", "environments", "conda-envs", "conda_envs")
_PILES = ("requirements", "requirement", "reqs", "deps")


def skipped(path: str) -> bool:
    """Whether a path lies in a tree that an installer or a run wrote, or is a template's (`{{name}}/pyproject.toml`)."""
    if "{{" in path:
        return True
    for name in _SKIPPED:  # this runs on every path of a repository
        if name in path and ("/" + path).find("/" + name) >= 0:
            return True
    return False


# How the name of every file ends that can declare, route or install something.
_ENDS = (
    ".toml", ".txt", ".in", ".pip", ".yml", ".yaml", "Pipfile", ".conf", ".ini", ".lock", "setup.py", "setup.cfg",
    "noxfile.py",
)  # fmt: skip


def declares(path: str) -> bool:
    """Whether a file is a manifest of a kind that is read: by its name alone."""
    if not path.endswith(_ENDS):
        return False
    base = path.rpartition("/")[2]
    return (
        base in MANIFESTS
        or base in SETUPS
        or base in RUNNERS
        or base in PIP_CONFIGS
        or is_requirements(path)
        or is_environment(path)
    )


def is_requirements(path: str) -> bool:
    """Whether a file is named as pip's requirements or constraints are: by its name, or by the folder it is in."""
    if not path.endswith((".txt", ".in", ".pip")):
        return False
    above, _, base = path.rpartition("/")
    stem = base.rpartition(".")[0]
    if "requirement" in stem or "constraint" in stem or stem.startswith("req"):
        return True
    return not base.endswith(".pip") and above.rpartition("/")[2] in _PILES


def is_environment(path: str) -> bool:
    """Whether a file is named as conda's environments are, or stands among them, and is no lock and no CI file."""
    if not path.endswith((".yml", ".yaml")) or path.startswith(".github/"):
        return False
    stem = path.rpartition("/")[2].rpartition(".")[0].lower()
    if ("env" in stem or "conda" in stem) and not is_lock(path):
        return True
    return path.rpartition("/")[0].rpartition("/")[2].lower() in _ENVIRONMENTS and not is_lock(path)


def is_lock(path: str) -> bool:
    """Whether a file is a lock of one of the formats that `readers.locks` reads."""
    base = path.rpartition("/")[2]
    if base in LOCKS or base == "pylock.toml":
        return True
    if base.endswith((".yml", ".yaml")):
        return ("." + base.rpartition(".")[0]).endswith(".conda-lock")
    return is_pylock(base)


def is_pylock(base: str) -> bool:
    """Whether a base name is that of a PEP 751 lock: `pylock.toml`, `pylock.<name>.toml`."""
    return base == "pylock.toml" or (base.startswith("pylock.") and base.endswith(".toml") and len(base) > 12)
