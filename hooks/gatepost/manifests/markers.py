"""Environment markers (PEP 508) as formulas that can be compared for meaning, under a range of Python versions.

A formula is True, False, an atom or `(AND | OR, (formula, ...))`. Atoms:

    ("python", ranges)             python_full_version lies in `ranges` (see `versions`); python_version is rewritten
    ("is", variable, value)        a string variable equals a value
    ("not", variable, value)       ... differs from it
    ("flag", text, wanted)         anything else, opaque: `extra == 'x'`, `platform_release >= '5'`

`equivalent` decides equality by case distinction over the atoms' variables, the way uv's decision diagrams do:
`python_version < '3.11'` equals `python_version <= '3.10'`, `platform_system == 'Linux'` equals
`sys_platform == 'linux'`. Source: uv's `uv-pep508/src/marker/algebra.rs`.
"""

from __future__ import annotations

from gatepost.manifests import versions
from gatepost.manifests.pep508 import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Formula: TypeAlias = bool | tuple[Any, ...]

_AND, _OR = "and", "or"
_OPERATORS = ("===", "==", "~=", "!=", "<=", ">=", "<", ">")
_STRINGS = {
    "os_name": "os_name", "os.name": "os_name", "sys_platform": "sys_platform", "sys.platform": "sys_platform",
    "platform_machine": "platform_machine", "platform.machine": "platform_machine",
    "platform_system": "platform_system", "platform_release": "platform_release",
    "platform_version": "platform_version", "platform.version": "platform_version",
    "platform_python_implementation": "platform_python_implementation",
    "platform.python_implementation": "platform_python_implementation",
    "python_implementation": "platform_python_implementation",
    "implementation_name": "implementation_name", "implementation_version": "implementation_version",
}  # fmt: skip
_SYSTEMS = {
    "Windows": "win32", "Linux": "linux", "Darwin": "darwin", "AIX": "aix", "Emscripten": "emscripten",
    "Android": "android",
}  # fmt: skip
_ORDERED = frozenset(
    {"platform_release", "platform_version", "implementation_version"}
)  # the others are only equal or not
_APART = frozenset({("nt", "linux"), ("nt", "darwin"), ("nt", "ios"), ("posix", "win32")})  # os_name, sys_platform
_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_DEPTH = 60
_STEPS = 20_000


class MarkerError(ValueError):
    """Not a marker that this module understands, or one too tangled to compare."""


def parse(text: str) -> Formula:
    """Parse a marker expression.

    Raises:
        MarkerError: not PEP 508, an unknown variable, or nested too deeply.
    """
    tokens = _tokens(text.strip())
    formula, position = _either(tokens, 0, 0)
    if tokens[position][0] != "end":
        raise MarkerError(f"unexpected {tokens[position][1]!r} in marker {text[:80]!r}")
    return formula


def _tokens(text: str) -> list[tuple[str, str]]:
    """(kind, text) of each token: paren, quoted, op, word; then ("end", "").

    Raises:
        MarkerError: something else stands there.
    """
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        char, end = text[at], 0
        if char.isspace():
            at += 1
            continue
        if char in "()":
            kind, end = "paren", at + 1
        elif char in "'\"":
            kind, end = "quoted", text.find(char, at + 1) + 1
        elif char == "_" or (char.isascii() and char.isalpha()):
            kind, end = "word", at + 1
            while end < len(text) and (text[end] in "._" or text[end].isalnum()):
                end += 1
        else:
            kind = "op"
            end = next((at + len(each) for each in _OPERATORS if text.startswith(each, at)), 0)
        if not end:
            raise MarkerError(f"not a marker: {text[:80]!r}")
        tokens.append((kind, text[at:end]))
        at = end
    tokens.append(("end", ""))
    return tokens


def _either(tokens: list[tuple[str, str]], at: int, depth: int) -> tuple[Formula, int]:
    if depth > _DEPTH:
        raise MarkerError("a marker nested too deeply")
    parts = []
    while True:
        formula, at = _both(tokens, at, depth)
        parts.append(formula)
        if tokens[at] != ("word", "or"):
            return disjunction(parts), at
        at += 1


def _both(tokens: list[tuple[str, str]], at: int, depth: int) -> tuple[Formula, int]:
    parts = []
    while True:
        formula, at = _term(tokens, at, depth)
        parts.append(formula)
        if tokens[at] != ("word", "and"):
            return conjunction(parts), at
        at += 1


def _term(tokens: list[tuple[str, str]], at: int, depth: int) -> tuple[Formula, int]:
    if tokens[at] == ("paren", "("):
        formula, at = _either(tokens, at + 1, depth + 1)
        if tokens[at] != ("paren", ")"):
            raise MarkerError("an unclosed parenthesis in a marker")
        return formula, at + 1
    left = tokens[at]
    kind, operator = tokens[at + 1] if at + 1 < len(tokens) else ("end", "")
    at += 2
    if (kind, operator) == ("word", "not") and at < len(tokens) and tokens[at] == ("word", "in"):
        operator, at = "not in", at + 1
    elif kind != "op" and (kind, operator) != ("word", "in"):
        raise MarkerError("a marker without an operator")
    right = tokens[at] if at < len(tokens) else ("end", "")
    if left[0] == "word" and right[0] == "quoted":
        return _atom(left[1], operator, right[1][1:-1], False), at + 1
    if left[0] == "quoted" and right[0] == "word":
        return _atom(right[1], _FLIPPED.get(operator, operator), left[1][1:-1], True), at + 1
    raise MarkerError("a marker that does not compare a variable with a text")


def _atom(variable: str, operator: str, value: str, reverse: bool) -> Formula:
    try:
        if variable == "python_full_version":
            return _python(operator, value, False, reverse)
        if variable == "python_version":
            return _python(operator, value, True, reverse)
    except versions.VersionError as error:
        raise MarkerError(str(error)) from None
    if variable == "extra" and operator in ("==", "!="):
        return ("flag", f"extra == {canonical(value)}", operator == "==")
    name = _STRINGS.get(variable)
    if name is None:
        raise MarkerError(f"unknown marker variable {variable!r}")
    if name not in _ORDERED:  # uv: `>=` means equal, `>` never holds, `~=` says nothing
        if operator in ("<", ">"):
            return False
        operator = "==" if operator in ("<=", ">=") else operator
    elif name == "implementation_version" and operator not in ("in", "not in"):
        try:
            versions.key(value)
        except versions.VersionError:  # uv says so and leaves it out
            return True
    if operator in ("==", "!=", "==="):
        if name == "platform_system" and value in _SYSTEMS:
            name, value = "sys_platform", _SYSTEMS[value]
        return ("not" if operator == "!=" else "is", name, value)
    if operator == "not in":
        return ("flag", f"{name} {'contains' if reverse else 'in'} {value}", False)
    if operator == "in":
        return ("flag", f"{name} {'contains' if reverse else 'in'} {value}", True)
    if operator in (">", "<="):
        return ("flag", f"{name} > {value}", operator == ">")
    if operator in ("<", ">="):
        return ("flag", f"{name} < {value}", operator == "<")
    return True


def _python(operator: str, value: str, short: bool, reverse: bool) -> Formula:
    if operator in ("in", "not in"):
        if reverse:
            return ("flag", f"python contains {value}", operator == "in")
        import re

        found = versions.NOTHING
        for part in re.split(r"[\s,|]+", value.strip()):
            found = versions.union(found, _python_ranges("==", part, short))
        return _python_atom(found if operator == "in" else versions.complement(found))
    return _python_atom(_python_ranges(operator, value.strip(), short))


def _python_ranges(operator: str, value: str, short: bool) -> versions.Ranges:
    if not short or value.endswith(".*"):
        return versions.python_clause(operator, value)
    numbers = versions.release(value)
    while len(numbers) > 2 and not numbers[-1]:
        numbers = numbers[:-1]
    exact = len(numbers) <= 2
    major, minor = numbers[0], numbers[1] if len(numbers) > 1 else 0
    this, following = f"{major}.{minor}", f"{major}.{minor + 1}"
    if operator in ("==", "===", "!="):
        found = versions.python_clause("==", this + ".*") if exact else versions.NOTHING
        return versions.complement(found) if operator == "!=" else found
    if operator == "~=":  # a version of two numbers is never 3.11.1 or a later 3.11
        return versions.python_clause("~=", value) if exact else versions.NOTHING
    if operator in (">=", "<"):
        return versions.python_clause(operator, this if exact else following)
    return versions.python_clause(">=" if operator == ">" else "<", following)


def _python_atom(found: versions.Ranges) -> Formula:
    return False if not found else True if found == versions.EVERYTHING else ("python", found)


def conjunction(parts: list[Formula]) -> Formula:
    """All of them; nested conjunctions and the Python ranges are merged."""
    python = versions.EVERYTHING
    kept: list[Formula] = []
    for part in parts:
        for item in part[1] if isinstance(part, tuple) and part[0] == _AND else (part,):
            if item is False:
                return False
            if item is True:
                continue
            if item[0] == "python":
                python = versions.intersect(python, item[1])
            elif item not in kept:
                kept.append(item)
    merged = _python_atom(python)
    if merged is False:
        return False
    if merged is not True:
        kept.insert(0, merged)
    if len(kept) > 1 and _apart(kept):
        return False
    return True if not kept else kept[0] if len(kept) == 1 else (_AND, tuple(kept))


def _apart(parts: list[Formula]) -> bool:
    """Whether an operating system and a platform stand side by side that never go together (as far as uv knows)."""
    systems = [part[2] for part in parts if isinstance(part, tuple) and part[:2] == ("is", "os_name")]
    return bool(systems) and any(
        part[:2] == ("is", "sys_platform") and (system, part[2]) in _APART
        for part in parts
        for system in systems
        if isinstance(part, tuple)
    )


def disjunction(parts: list[Formula]) -> Formula:
    """Any of them; nested disjunctions and the Python ranges are merged."""
    return negate(conjunction([negate(part) for part in parts]))


def negate(formula: Formula) -> Formula:
    """Its opposite."""
    if isinstance(formula, bool):
        return not formula
    kind = formula[0]
    if kind == "python":
        return _python_atom(versions.complement(formula[1]))
    if kind == "is" or kind == "not":
        return ("not" if kind == "is" else "is", formula[1], formula[2])
    if kind == "flag":
        return ("flag", formula[1], not formula[2])
    return (_OR if kind == _AND else _AND, tuple(negate(part) for part in formula[1]))


def extra(name: str) -> Formula:
    """`extra == 'name'`, for a canonical name."""
    return ("flag", f"extra == {name}", True)


def within(formula: Formula, python: versions.Ranges) -> Formula:
    """The formula where Python is known to lie in `python`: atoms that always hold are dropped."""
    if isinstance(formula, bool):
        return formula
    if formula[0] == "python":
        inside = versions.intersect(formula[1], python)
        return False if not inside else True if inside == python else formula
    if formula[0] in (_AND, _OR):
        parts = [within(part, python) for part in formula[1]]
        return conjunction(parts) if formula[0] == _AND else disjunction(parts)
    return formula


def impossible(formula: Formula, python: versions.Ranges) -> bool:
    """Whether it holds nowhere in a range of Python versions.

    Raises:
        MarkerError: too tangled to decide.
    """
    return equivalent(formula, False, python)


def equivalent(left: Formula, right: Formula, python: versions.Ranges) -> bool:
    """Whether two formulas hold in the same environments whose Python lies in `python`.

    Raises:
        MarkerError: too tangled to decide.
    """
    return _same(within(left, python), within(right, python), python, [_STEPS])


def _same(left: Formula, right: Formula, python: versions.Ranges, budget: list[int]) -> bool:
    if left == right or not python:
        return True
    budget[0] -= 1
    if budget[0] < 0:
        raise MarkerError("a marker too tangled to compare")
    atom = _first(left) or _first(right)
    if atom is None:
        return False
    if atom[0] == "python":
        cuts = sorted(_cuts(left) | _cuts(right))
        low = versions.LOW
        for cut in (*cuts, versions.HIGH):
            part = versions.intersect(python, ((low, cut),)) if low < cut else ()
            low = cut
            if part and not _same(within(left, part), within(right, part), part, budget):
                return False
        return True
    if atom[0] == "flag":
        for value in (True, False):
            if not _same(_given(left, atom[1], value), _given(right, atom[1], value), python, budget):
                return False
        return True
    values = sorted(_values(left, atom[1]) | _values(right, atom[1]))
    for choice in (*values, None):
        if not _same(_chosen(left, atom[1], choice), _chosen(right, atom[1], choice), python, budget):
            return False
    return True


def _first(formula: Formula) -> tuple[Any, ...] | None:
    if isinstance(formula, bool):
        return None
    return _first(formula[1][0]) if formula[0] in (_AND, _OR) else formula


def _cuts(formula: Formula) -> set[versions.Cut]:
    if isinstance(formula, bool):
        return set()
    if formula[0] in (_AND, _OR):
        return set().union(*(_cuts(part) for part in formula[1]))
    return {cut for interval in formula[1] for cut in interval} if formula[0] == "python" else set()


def _values(formula: Formula, variable: str) -> set[str]:
    if isinstance(formula, bool):
        return set()
    if formula[0] in (_AND, _OR):
        return set().union(*(_values(part, variable) for part in formula[1]))
    return {formula[2]} if formula[0] in ("is", "not") and formula[1] == variable else set()


def _given(formula: Formula, flag: str, value: bool) -> Formula:
    if isinstance(formula, bool):
        return formula
    if formula[0] in (_AND, _OR):
        parts = [_given(part, flag, value) for part in formula[1]]
        return conjunction(parts) if formula[0] == _AND else disjunction(parts)
    if formula[0] == "flag" and formula[1] == flag:
        return bool(formula[2]) == value
    return formula


def _chosen(formula: Formula, variable: str, choice: str | None) -> Formula:
    if isinstance(formula, bool):
        return formula
    if formula[0] in (_AND, _OR):
        parts = [_chosen(part, variable, choice) for part in formula[1]]
        return conjunction(parts) if formula[0] == _AND else disjunction(parts)
    if formula[0] in ("is", "not") and formula[1] == variable:
        return bool((formula[2] == choice) == (formula[0] == "is"))
    return formula


def atoms(formula: Formula) -> list[tuple[Any, ...]]:
    """Every atom of it, in order."""
    if isinstance(formula, bool):
        return []
    if formula[0] in (_AND, _OR):
        return [atom for part in formula[1] for atom in atoms(part)]
    return [formula]
