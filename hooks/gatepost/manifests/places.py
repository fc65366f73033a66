"""What a path of a repository says: generated, an example, a Dockerfile, one for developers.

What is generated (mlruns, site-packages, ...) is no project; what lies in examples, tests and docs is not deployed.
`mlruns/` etc. follow MLflow's and Weights & Biases' own layouts.
"""

from __future__ import annotations

import posixpath
import re

from gatepost.patterns import pattern

_GENERATED = pattern(
    r"(?:^|/)(?:mlruns|mlartifacts|wandb/(?:offline-)?run-[^/]+|site-packages|dist-packages|node_modules|\.?venv|\.tox|"
    r"\.nox|__pycache__|third_party|third-party|vendor|vendored|_vendor|external|submodules|lightning_logs|outputs/\d{4}-)/"
)
_EXAMPLE = pattern(
    r"(?:^|/)(?:examples?|samples?|tests?|testing|docs?|documentation|benchmarks?|tutorials?|notebooks?|templates?|"
    r"cookbooks?|demos?|fixtures|playground|workshops?|[^/]*exercises?[^/]*|lectures?|lessons?|homeworks?|archive[ds]?|legacy|"
    r"deprecated|\.devcontainer|\.github|\.circleci|\.gitpod|[^/]*\{\{[^/]*)(?:/|$)",
    re.IGNORECASE,
)
_DEV_NAME = pattern(
    r"(?:^|[._-])(?:dev|devel|development|test|tests|testing|ci|docs?|lint|debug|local|example|builder)(?:[._-]|$)",
    re.IGNORECASE,
)


def is_generated(path: str) -> bool:
    """Whether a path lies in a tree that a tool wrote (runs, environments, vendored code)."""
    return _GENERATED.search(path) is not None


def is_example(path: str) -> bool:
    """Whether a path lies among examples, tests, docs or the like: not deployed."""
    return _EXAMPLE.search(posixpath.dirname(path)) is not None


# `environment_unused.yml`, `requirements-old.txt`; trees of other people's projects that a repository carries.
_RETIRED = pattern(
    r"(?:^|[._-])(?:unused|old|deprecated|obsolete|legacy|archived?|backup|bak)(?:[._-][^/]*)?$", re.IGNORECASE
)
_FORK = pattern(r"(?:^|/)(?:forks?|third_?party|third-party|vendor(?:ed)?|_vendor|external|submodules)/")


def is_retired(path: str) -> bool:
    """Whether the name of a file says that nothing uses it any more."""
    return _RETIRED.search(posixpath.basename(path)) is not None


def is_carried(path: str) -> bool:
    """Whether a path lies in a tree of another project that the repository carries: a fork, vendored code."""
    return _FORK.search(path) is not None


def is_dockerfile(path: str) -> bool:
    """`Dockerfile`, `Dockerfile.gpu`, `gpu.Dockerfile`, `Containerfile`; no ignore files, no templates."""
    name = posixpath.basename(path)
    lower = name.lower()
    if lower.endswith(
        (
            ".dockerignore",
            ".j2",
            ".jinja",
            ".jinja2",
            ".tmpl",
            ".template",
            ".md",
            ".bak",
            ".orig",
            ".py",
            ".txt",
            ".sh",
            ".yml",
            ".yaml",
        )
    ):
        return False
    return (
        lower.startswith(("dockerfile", "containerfile"))
        and (len(lower) in (10, 13) or lower[10:11] in "._-" or lower[13:14] in "._-")
    ) or lower.endswith((".dockerfile", ".containerfile"))


def is_development(path: str) -> bool:
    """Whether a Dockerfile's name says that it is for developers or for tests."""
    name = posixpath.basename(path)
    rest = re.sub(r"(?i)(?:docker|container)file", "", name)
    return _DEV_NAME.search(rest) is not None


def join(*parts: str) -> str | None:
    """A path from the root; None when it leaves the repository."""
    joined = posixpath.normpath(posixpath.join(*parts)) if any(parts) else ""
    if joined.startswith(("..", "/")):
        return None
    return "" if joined == "." else joined
