"""What brings files into a stage: COPY, ADD, and the bind mounts of a RUN; and the paths inside the image."""

from __future__ import annotations

import posixpath

from gatepost.manifests.dockerfile import Copy
from gatepost.manifests.dockerfile.words import exec_form, flags, resolved, words
from gatepost.manifests.shell import Word
from gatepost.manifests.shell.expansion import expand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatepost.manifests.dockerfile.instructions import Instruction
    from gatepost.manifests.shell import Variables


def path(text: str, variables: Variables, cwd: str | None) -> str | None:
    """An absolute path inside the image; a trailing slash is kept, None when a part is not known."""
    value, known = resolved(text, variables)
    if not known:
        return None
    if value.startswith("/"):
        absolute = value
    elif cwd is None:
        return None
    else:
        absolute = posixpath.join(cwd, value)
    slash = "/" if value.endswith(("/", "/.")) or value in (".", "./", "") else ""
    clean = posixpath.normpath(absolute)
    return clean if clean == "/" else clean + slash


def copied(instruction: Instruction, variables: Variables, given: Variables, cwd: str | None) -> Copy | None:
    """A COPY or ADD; `given` are the ARGs before the first FROM, which `--from` sees too."""
    options, rest = flags(instruction.body)
    found = exec_form(rest) or words(rest)
    if len(found) < 2:
        return None
    sources = []
    for word in found[:-1]:
        text, known = resolved(word.text, variables)
        sources.append(Word(text=text, line=word.line, known=known))
    dest = path(found[-1].text, variables, cwd)
    if dest is not None and len(sources) > 1 and not dest.endswith("/"):
        dest += "/"
    named = dict(options)
    source, known = expand(named.get("from", ""), {**given, **variables}, "")
    return Copy(
        sources=tuple(sources),
        dest=dest,
        line=instruction.line,
        source=source if known else "?",
        inline=any(word.text.startswith("<<") for word in found[:-1]),
        parents="parents" in named and named["parents"] != "false",
    )


def mounts(options: Sequence[tuple[str, str]], line: int, variables: Variables, cwd: str | None) -> tuple[Copy, ...]:
    """The bind mounts among the options of a RUN."""
    found = (_mount(value, line, variables, cwd) for name, value in options if name == "mount")
    return tuple(mount for mount in found if mount is not None)


# Where pip and uv read their settings from, whoever runs them.
_SETTINGS = {"pip.conf": "PIP_CONFIG_FILE", "uv.toml": "UV_CONFIG_FILE"}


def secrets(options: Sequence[tuple[str, str]], variables: Variables) -> dict[str, None]:
    """The variables that a RUN's secrets set, none of them to something known (`--mount=type=secret,id=x,env=NAME`).

    A secret that is mounted where pip or uv look for their settings counts as the variable that names such a file.
    """
    found: dict[str, None] = {}
    for value in (value for name, value in options if name == "mount"):
        fields = _fields(value, variables)
        target = fields.get("target") or fields.get("dst") or fields.get("destination") or ""
        if fields.get("type") == "secret":
            names = (fields.get("env", ""), _SETTINGS.get(target.rpartition("/")[2], ""))
            found.update(dict.fromkeys(filter(None, names)))
    return found


def _fields(value: str, variables: Variables) -> dict[str, str]:
    """The fields of a --mount, by their names in lower case."""
    parts = (part.partition("=") for part in value.split(","))
    return {key.strip().lower(): expand(text.strip(), variables, "")[0] for key, _, text in parts}


def _mount(value: str, line: int, variables: Variables, cwd: str | None) -> Copy | None:
    """`type=bind,source=uv.lock,target=uv.lock[,from=stage]` brings a file as COPY would."""
    fields = _fields(value, variables)
    if fields.get("type", "bind") != "bind":
        return None
    target = fields.get("target") or fields.get("dst") or fields.get("destination")
    if not target:
        return None
    source = fields.get("source") or fields.get("src") or "."
    dest = path(target, variables, cwd)
    return Copy(
        sources=(Word(text=source, line=line),),
        dest=dest.rstrip("/") or "/" if dest is not None else None,
        line=line,
        source=fields.get("from", ""),
        mount=True,
    )
