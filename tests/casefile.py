"""Golden cases: a small repository and what a hook says of it, in one readable text file.

Everything up to the first `=== ` line is prose (the case's reason). Then sections:

    === file: pyproject.toml        a file of the repository, as is (final newline kept)
    === untracked: uv.lock          on disk, not in the index      (=== ignored: likewise)
    === settings                    TOML of [tool.gatepost.<hook>] (rarely needed: it can stand in pyproject.toml)
    === args: --flag --other=x      options of the hook
    === expect                      the text report, exactly (empty: clean)

`@pypi@` stands for the public index's host, which no committed file names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

PYPI = ("pypi", "org")


@dataclass
class Case:
    path: Path
    hook: str
    files: dict[str, bytes] = field(default_factory=dict)
    untracked: dict[str, bytes] = field(default_factory=dict)
    ignored: dict[str, bytes] = field(default_factory=dict)
    args: list[str] = field(default_factory=list)
    expect: str | None = None

    @property
    def id(self) -> str:
        return f"{self.hook}/{self.path.stem}"


def read_case(path: Path) -> Case:
    """Parse a case file; its folder names the hook.

    Raises:
        ValueError: an unknown section, or no `=== expect`.
    """
    case = Case(path=path, hook=path.parent.name)
    kind, name, body = "", "", list[str]()

    def close() -> None:
        text = "".join(body)
        match kind:
            case "file":
                case.files[name] = text.encode()
            case "untracked":
                case.untracked[name] = text.encode()
            case "ignored":
                case.ignored[name] = text.encode()
            case "args":
                case.args = name.split()
            case "expect":
                case.expect = text
            case "":
                pass
            case _:
                raise ValueError(f"{path}: unknown section {kind!r}")

    for line in path.read_text(encoding="utf-8").replace("@pypi@", ".".join(PYPI)).splitlines(keepends=True):
        if line.startswith("=== "):
            close()
            kind, _, name = line[4:].rstrip("\n").partition(": ")
            kind, body = kind.strip(), []
        else:
            body.append(line)
    close()
    if case.expect is None:
        raise ValueError(f"{path}: no `=== expect` section")
    return case


def write_expect(case: Case, expect: str) -> None:
    """Replace the case's `=== expect` section (UPDATE_CASES=1)."""
    head, _, _ = case.path.read_text(encoding="utf-8").partition("=== expect\n")
    case.path.write_text(head + "=== expect\n" + expect.replace(".".join(PYPI), "@pypi@"), encoding="utf-8")
