"""TS508: a README's install line against the project beside it."""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests import projects as deployed
from gatepost.model import INFO, Finding, Location
from gatepost.rules.torch_source import specs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.manifests.projects import Repository


def readme(repository: Repository) -> Iterator[Finding]:
    """TS508: a README's install line against the requirements beside it."""
    for path in sorted(repository.paths):
        if (
            not re.search(r"(?:^|/)README\.(?:md|rst)$", path)
            or deployed.is_generated(path)
            or deployed.is_example(path)
        ):
            continue
        data = repository.read(path) or b""
        if b"torch==" not in data:
            continue
        folder = posixpath.dirname(path)
        wanted = _beside(repository, folder)
        if wanted is None:
            continue
        for number, row in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
            match = re.match(
                r"\s*(?:\$ |> |`)?(?:python3? -m |uv |conda run [-\w ]+)?pip3? install\b.*?\btorch==(\d+(?:\.\d+)+)",
                row,
            )
            if match and not wanted[2].broken and not wanted[2].admits(match[1]):
                yield Finding(
                    code="TS508",
                    where=Location(path=path, line=number),
                    message=f"the README installs torch {match[1]}, and {wanted[0]}:{wanted[1]} wants torch{wanted[2].text}",
                    remedy="Say the same version in both.",
                    severity=INFO,
                    related=(Location(path=wanted[0], line=wanted[1]),),
                )


def _beside(repository: Repository, folder: str) -> tuple[str, int, specs.Spec] | None:
    """(path, line, range) of torch in the requirements.txt of a folder."""
    path = posixpath.join(folder, "requirements.txt")
    parsed = repository.requirements(path)
    for line in parsed.lines if parsed is not None else ():
        if line.name.lower() == "torch" and line.specifier and not line.marker:
            return path, line.line, specs.parse(line.specifier)
    return None
