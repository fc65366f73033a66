"""What the merge has to know about the tools' settings."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from gatepost.sync.paths import Keys

# Settings that describe one project; a shared file that has them is not obeyed.
PROJECT_ONLY: frozenset[Keys] = frozenset(
    {
        ("tool", "ruff", "src"),
        ("tool", "ruff", "extend"),
        ("tool", "ruff", "lint", "isort", "known-first-party"),
        ("tool", "mypy", "files"),
        ("tool", "mypy", "mypy_path"),
        ("tool", "mypy", "python_version"),
        ("tool", "ruff", "target-version"),
        ("tool", "pytest", "ini_options", "testpaths"),
        ("tool", "coverage", "run", "source"),
        ("tool", "coverage", "run", "source_pkgs"),
    }
)

# Lists whose order means something: one value, not items.
ATOMIC_NAMES = frozenset({"filterwarnings", "addopts", "section-order", "pythonpath"})

# Lint settings that ruff 0.1 moved below `lint`; next to `[tool.ruff.lint]` ruff ignores them without a word.
# Source: ruff 0.17.5 `Options::lint_top_level`.
LEGACY_RUFF = frozenset(
    [
        "allowed-confusables",
        "dummy-variable-rgx",
        "explicit-preview-rules",
        "extend-fixable",
        "extend-ignore",
        "extend-per-file-ignores",
        "extend-safe-fixes",
        "extend-select",
        "extend-unfixable",
        "extend-unsafe-fixes",
        "external",
        "fixable",
        "flake8-annotations",
        "flake8-bandit",
        "flake8-boolean-trap",
        "flake8-bugbear",
        "flake8-builtins",
        "flake8-comprehensions",
        "flake8-copyright",
        "flake8-errmsg",
        "flake8-gettext",
        "flake8-implicit-str-concat",
        "flake8-import-conventions",
        "flake8-pytest-style",
        "flake8-quotes",
        "flake8-self",
        "flake8-tidy-imports",
        "flake8-type-checking",
        "flake8-unused-arguments",
        "ignore",
        "ignore-init-module-imports",
        "isort",
        "logger-objects",
        "mccabe",
        "pep8-naming",
        "per-file-ignores",
        "pycodestyle",
        "pydocstyle",
        "pyflakes",
        "pylint",
        "pyupgrade",
        "select",
        "task-tags",
        "typing-modules",
        "unfixable",
    ]
)

# Rules that ruff 0.17.5 no longer has (status "Removed" of `ruff rule --all`): in `select` they stop it.
REMOVED_RUFF = frozenset(
    [
        "ANN101",
        "ANN102",
        "E999",
        "NURSERY",
        "PD901",
        "PGH001",
        "PGH002",
        "PLR1701",
        "PLR1706",
        "PT004",
        "PT005",
        "S320",
        "S410",
        "TRY200",
        "UP027",
        "UP038",
    ]
)

# Rules under a new code; ruff 0.17.5 follows these with a warning (measured, one by one).
RENAMED_RUFF = {
    "C9": "C90",
    "IC": "ICN",
    "PDV": "PD",
    "PIE802": "C419",
    "PLW0117": "PLW0177",
    "R": "RET",
    "RUF011": "B035",
    "RUF025": "C420",
    "RUF035": "S704",
    "SIM111": "SIM110",
    "T002": "FIX002",
    "T1": "T10",
    "T2": "T20",
    "TCH006": "TC010",
    "TRIO": "ASYNC1",
    "TRY302": "TRY203",
    "U": "UP",
}

_CODE_LISTS = frozenset(
    [
        "select",
        "ignore",
        "extend-select",
        "extend-ignore",
        "fixable",
        "unfixable",
        "extend-fixable",
        "extend-unfixable",
        "external",
    ]
)


def atomic(path: Keys, value: Any) -> bool:
    """Whether a list is one value rather than a set of items."""
    if not isinstance(value, list) or path[-1] in ATOMIC_NAMES:
        return True
    return any(isinstance(item, (dict, list)) for item in value)


def identity(path: Keys, item: Any) -> str:
    """What makes two list items the same one: a marker's name, a rule's current code, else the item itself."""
    if not isinstance(item, str):
        return repr(item)
    if path[-1] == "markers":
        return item.partition(":")[0].partition("(")[0].strip()  # as pytest 9 splits it (`_pytest.mark.structures`)
    return current_code(item) if is_code_list(path) else item


def current_code(code: str) -> str:
    """The code or prefix under which ruff knows a rule today."""
    if code in RENAMED_RUFF:
        return RENAMED_RUFF[code]
    if code.startswith("TCH") and (not code[3:] or code[3:].isdigit()):
        return "TC" + code[3:]  # renamed in ruff 0.8
    if code.startswith("TRIO") and code[4:].isdigit():
        return "ASYNC" + code[4:]
    return code


def covers(wide: str, code: str) -> bool:
    """Whether a selector of ruff has another one in it, and is not the same: `E` has `E4`, `S` has not `SIM`."""
    if wide == "ALL":
        return code != "ALL"
    rest = code[len(wide) :]
    return code.startswith(wide) and (rest[:1].isdigit() or (wide == "PL" and rest[:1] in tuple("CERW")))


def is_code_list(path: Keys) -> bool:
    """Whether a list holds ruff rule codes."""
    inside = path[:2] == ("tool", "ruff") or path[:1] == ("lint",)
    return inside and (path[-1] in _CODE_LISTS or path[-2:-1] in (("per-file-ignores",), ("extend-per-file-ignores",)))


def legacy_keys(ruff: Any) -> list[str]:
    """The legacy lint keys in a ruff table, in its order."""
    return [key for key in ruff if key in LEGACY_RUFF] if isinstance(ruff, dict) else []


def shareable(shared: Mapping[str, Any]) -> dict[str, Any]:
    """A shared configuration without the settings that only a project can know."""

    def walk(table: Mapping[str, Any], above: Keys) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key, value in table.items():
            path = (*above, key)
            if path in PROJECT_ONLY:
                continue
            if isinstance(value, dict):
                inner = walk(value, path)
                if inner or not value:
                    out[key] = inner
            else:
                out[key] = value
        return out

    return walk(shared, ())
