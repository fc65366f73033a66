"""Pickles that would run code when somebody loads them: told by their opcodes, never loaded.

`gatepost.formats.pickles` does the looking; this module picks the files, weighs names of the repository's own modules
and of `pickle-trusted`, asks picklescan for a second opinion where it is installed, and writes the findings.
"""

from __future__ import annotations

import re

from gatepost.formats.pickle_names import SAFE
from gatepost.model import Finding, Location, Unchecked
from gatepost.rules.large_model_files.remedy import quote, take_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from gatepost.formats.pickles import Report
    from gatepost.model import Outcome
    from gatepost.rules.large_model_files.survey import Policy, Seen
    from gatepost.tree.history import Source, Use

CONTAINERS = frozenset({"npz", "zip", "tar", "gzip", "xz", "bzip2", "lzma", "skops"})
LOADED_BY_NAME = re.compile(r"(?i)\.(?:pkl|pickle|pck|joblib|dill|pt|pth|ckpt|npy|npz|bin|model|sav)$")
PICKLED = re.compile(r"(?i)\.(?:pkl|pickle|pck|joblib|dill)$")
TOTAL_MAX = 512 << 20  # bytes of pickle-bearing files looked at in one run
SECOND_OPINION_MAX = 8 << 20  # bytes; picklescan needs about 3 us an opcode
NAMED = 5
CLASS = re.compile(r"_?[A-Z]\w*\Z")


def check(
    source: Source, policy: Policy, settings: Mapping[str, Any], seen: Sequence[Seen], told: set[str]
) -> Iterator[tuple[list[str], Outcome]]:
    """At most one outcome a blob: MF301 (it runs code), MF303 (picklescan says so) or MF302 (not verified)."""
    suspects = [each for each in seen if policy.counts(each.blob) and suspicious(each)]
    if not suspects:
        return
    from gatepost.formats.pickles import READ_MAX, inspect_file
    from gatepost.globs import matcher

    trusts = matcher(settings.get("pickle-trusted", ()))
    own: dict[str, bool] = {}
    total = 0
    for each in _fresh(source, suspects):
        uses = policy.counts(each.blob)
        if not uses:
            continue
        use = uses[0]
        wanted = min(each.blob.size, READ_MAX)
        if total + wanted > TOTAL_MAX:
            yield [], _unchecked(use, each, ["too many pickles in one run"], source)
            continue
        total += wanted
        data = each.head if each.blob.size <= len(each.head) else source.peek.read(each.blob.oid, wanted)
        if not data:
            continue
        report = inspect_file(data, use.path, each.blob.size)
        if report.dangers and _believable(each, report):
            yield [], _danger(use, each, report, source)
            continue
        second = picklescan_says(data, use.path, report)
        if second:
            yield [], _second(use, each, second, source)
            continue
        if not _believable(each, report):
            continue
        unknown = [text for text in report.unknowns if not _trusted(text, trusts, source, own)]
        gaps = [gap for gap in report.gaps if not (each.blob.oid in told and gap.startswith("only the first"))]
        if (unknown or gaps) and not (each.kind is None and not report.pickles):
            yield [each.blob.oid], _unchecked(use, each, unknown + gaps, source)


def _believable(seen: Seen, report: Report) -> bool:
    """Whether this is a pickle at all, if it is not one by its content: bytes under `.bin` seldom are.

    Lines of text that begin with `c` are imports to the machine: only what is called, or comes to an end, counts.
    """
    if seen.kind is not None or PICKLED.search(seen.blob.path):
        return True
    whole = b"\0" in seen.head or not report.gaps or any(each.called for each in report.imports)
    return bool(report.imports) and whole


def suspicious(seen: Seen) -> bool:
    """Whether a file can hold a pickle: by its kind, or unrecognised bytes under a name that loaders unpickle."""
    if seen.kind is not None:
        return seen.kind.pickle or bool(CONTAINERS & set(seen.kind.id.split("+")))
    if not LOADED_BY_NAME.search(seen.blob.path) or not seen.head:
        return False
    return b"\0" in seen.head or bool(re.match(rb"[c(\]})}]", seen.head))


def _fresh(source: Source, suspects: list[Seen]) -> list[Seen]:
    from gatepost.rules.large_model_files.sizes import new_ones

    return new_ones(source, suspects, deep=False)


def _trusted(text: str, trusts: Callable[[str], bool], source: Source, own: dict[str, bool]) -> bool:
    """Whether an unknown name is in `pickle-trusted`, or a class of a module that this repository holds."""
    match = re.search(r"(?:calls|imports) `([^`]+)`", text)
    if not match:
        return False
    name = match[1]
    if trusts(name):
        return True
    top, _, rest = name.partition(".")
    if not rest or not CLASS.match(name.rpartition(".")[2]) or "__" in name:
        return False
    if top not in own:
        own[top] = any(
            source.has(f"{folder}{top}{ending}")
            for folder in ("", "src/", "lib/")
            for ending in (".py", "/__init__.py")
        )
    return own[top]


def _listed(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - NAMED} more" if len(texts) > NAMED else ""
    return ", ".join(texts[:NAMED]) + more


def _what(seen: Seen) -> str:
    return seen.kind.label if seen.kind is not None else "a file that loads as a pickle"


def _danger(use: Use, seen: Seen, report: Report, source: Source) -> Finding:
    return Finding(
        code="MF301",
        where=Location(path=use.path),
        message=f"{_what(seen)} that runs code when it is loaded: it {_listed(report.dangers)}",
        remedy=f"do not load it. {_capital(take_out(source, use))} Get the weights as safetensors from their author.",
    )


def _second(use: Use, seen: Seen, names: Sequence[str], source: Source) -> Finding:
    return Finding(
        code="MF303",
        where=Location(path=use.path),
        message=f"{_what(seen)} that picklescan calls dangerous: it imports {_listed(names)}",
        remedy=f"do not load it before you have read it. {_capital(take_out(source, use))}",
    )


def _unchecked(use: Use, seen: Seen, reasons: Sequence[str], source: Source) -> Unchecked:
    return Unchecked(
        code="MF302",
        where=Location(path=use.path),
        message=f"{_what(seen)}; could not verify that loading it is harmless: {_listed(reasons)}",
        remedy=f"`gatepost explain MF302`; if you trust these names, list them under `pickle-trusted`, "
        f"else {_small(take_out(source, use))} Or save it as safetensors, skops or npz.",
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]


def picklescan_says(data: bytes, path: str, report: Report) -> list[str]:
    """Names that picklescan (if it is installed) calls dangerous and that this package does not know as harmless."""
    if len(data) > SECOND_OPINION_MAX or not report.pickles or report.opcodes > 1_000_000:
        return []
    try:
        from picklescan.scanner import SafetyLevel, scan_bytes  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return []
    import io
    import logging

    logger = logging.getLogger("picklescan")
    before, logger.disabled = logger.disabled, True
    try:
        ending = "." + path.rpartition(".")[2].lower() if "." in path else None
        result = scan_bytes(io.BytesIO(data), path, ending)
        found = {(each.module, each.name) for each in result.globals if each.safety == SafetyLevel.Dangerous}
    except Exception:  # noqa: BLE001  (a broken file must not break the check; our own verdict stands)
        return []
    finally:
        logger.disabled = before
    harmless = {(each.module, each.name) for each in report.imports if each.verdict == SAFE}
    return sorted(f"`{quote(f'{module}.{name}')}`" for module, name in found - harmless)
