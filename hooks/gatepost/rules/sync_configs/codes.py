"""The rules of sync-configs."""

from __future__ import annotations

from gatepost.model import ERROR, INFO, WARNING, Code

CODES: tuple[Code, ...] = (
    Code(
        id="SC101",
        name="out-of-sync",
        severity=ERROR,
        summary="shared settings are missing or out of date",
        why="The settings come with this hook at its `rev`. Until they stand in the project's own files, the editor, the "
        "hook and CI run different rules. Written are only the keys and list items that the profile has; what the "
        "project had, its comments and its order stay.",
        bad="[tool.ruff]\nline-length = 100\n# the profile also has [tool.ruff.lint] select = [...]",
        good='[tool.ruff]\nline-length = 100\n\n[tool.ruff.lint]\nselect = ["B", "E4", "E7", "E9", "F"]',
        fix="gatepost sync-configs   (look first: gatepost sync-configs --diff)",
        safe_fix=True,
    ),
    Code(
        id="SC102",
        name="drift",
        severity=ERROR,
        summary="a synced setting was changed by hand and not declared",
        why="After the first sync an undeclared difference is taken for an accident: the shared value is put back and the "
        "old one is printed with the line that would keep it. A difference with a reason is welcome, see "
        "[tool.gatepost.keep].",
        bad="[tool.ruff]\nline-length = 140  # shared: 100",
        good='[tool.gatepost.keep]\n"tool.ruff.line-length" = "wide CUDA tables"\n\n[tool.ruff]\nline-length = 140',
        fix='gatepost keep tool.ruff.line-length "wide CUDA tables"   (or let `gatepost sync-configs` put it back)',
        safe_fix=True,
    ),
    Code(
        id="SC103",
        name="undeclared-difference",
        severity=ERROR,
        summary="a setting differs from the shared one and is not declared",
        why="At the first sync, and when a setting becomes shared, the project's own value wins: it is declared under "
        "[tool.gatepost.keep] with what it was, so that the exceptions of a project can be read in one place.",
        bad="[tool.ruff]\nline-length = 120",
        good='[tool.ruff]\nline-length = 120\n\n[tool.gatepost.keep]\n"tool.ruff.line-length" = "was 120 before the first sync; shared 100"',
        fix="gatepost sync-configs   (declares it), then write the real reason; or delete the line for the shared value",
        safe_fix=True,
    ),
    Code(
        id="SC104",
        name="stale-keep",
        severity=WARNING,
        summary="a kept setting is no exception any more",
        why="The shared configuration has no such setting now, or the same value. A declaration that does nothing hides "
        "the ones that do.",
        bad='[tool.gatepost.keep]\n"tool.ruff.line-length" = "wide tables"\n\n[tool.ruff]\nline-length = 100  # as shared',
        good="[tool.ruff]\nline-length = 100",
        fix="gatepost keep --remove tool.ruff.line-length",
    ),
    Code(
        id="SC105",
        name="stale-drop",
        severity=WARNING,
        summary="a dropped item is not in the shared list",
        why="The shared list lost the item, or the declaration misspells it and drops nothing.",
        bad='[tool.gatepost.drop]\n"tool.ruff.lint.select" = ["ANN"]  # not in the profile',
        good='[tool.gatepost.drop]\n"tool.ruff.lint.select" = ["PERF"]',
        fix="gatepost drop --remove tool.ruff.lint.select ANN",
    ),
    Code(
        id="SC106",
        name="declaration-without-reason",
        severity=ERROR,
        summary="a declaration has no reason, or the wrong form",
        why="An exception without a reason cannot be reviewed and is never taken back. `keep` maps a path to its reason, "
        "`drop` a path to items, or to items with their reasons.",
        bad='[tool.gatepost.keep]\n"tool.ruff.line-length" = ""',
        good='[tool.gatepost.keep]\n"tool.ruff.line-length" = "wide CUDA tables"\n\n[tool.gatepost.drop]\n"tool.ruff.lint.select" = { PERF = "reads worse here" }',
        fix='gatepost keep tool.ruff.line-length "why"',
    ),
    Code(
        id="SC107",
        name="override-conflict",
        severity=INFO,
        summary="a mypy override of the project says otherwise than the shared one",
        why="mypy drops its whole configuration when two blocks give one module two values, so the project's block "
        "stands and the shared value is not written.",
        bad='[[tool.mypy.overrides]]\nmodule = "sklearn.*"\nignore_missing_imports = false  # shared: true',
        good='[tool.gatepost.keep]\n"tool.mypy.overrides.\\"sklearn.*\\"" = "we install stubs"',
        fix='gatepost keep \'tool.mypy.overrides."sklearn.*"\' "we install stubs"',
    ),
    Code(
        id="SC108",
        name="record-out-of-date",
        severity=ERROR,
        summary="the record of the last sync is missing or stale",
        why="`.gatepost.lock` says which values and list items came from the shared configuration; without it an upgrade "
        "cannot tell them from the project's own and takes nothing away. It belongs into the repository.",
        bad="pyproject.toml in sync, no .gatepost.lock beside it",
        good="pyproject.toml and .gatepost.lock committed together",
        fix="gatepost sync-configs; git add .gatepost.lock",
        safe_fix=True,
    ),
    Code(
        id="SC109",
        name="baseline-grew",
        severity=ERROR,
        summary="the list of old findings got longer",
        why="`gatepost init` listed the findings that were there, file by file, in extend-per-file-ignores, so that new "
        "code is held to the rules at once. The list may only get shorter; a rule or file added to it later is a new "
        "finding that was hidden.",
        bad='[tool.ruff.lint.extend-per-file-ignores]\n"src/new.py" = ["F401"]  # not in the baseline',
        good="import os  # noqa: F401 -- re-exported",
        fix="mend the finding, or ignore its line with a reason",
    ),
    Code(
        id="SC110",
        name="member-not-found",
        severity=WARNING,
        summary="a glob of `members` names no folder with a pyproject.toml",
        why="The settings of that member are not synced: the folder was renamed, has no pyproject.toml that git knows, or "
        "the glob has a slip.",
        bad='[tool.gatepost.sync-configs]\nmembers = ["lib/*"]  # the folder is libs',
        good='[tool.gatepost.sync-configs]\nmembers = ["libs/*"]',
        fix="correct the glob, `git add` the member's pyproject.toml, or delete the glob",
    ),
    Code(
        id="SC201",
        name="legacy-ruff-keys",
        severity=ERROR,
        summary="lint settings stand in [tool.ruff] itself",
        why="Since ruff 0.1 they belong into [tool.ruff.lint]. Next to that table ruff ignores the old ones without a "
        "word, so writing shared settings would switch the project's own off.",
        bad='[tool.ruff]\nselect = ["E"]',
        good='[tool.ruff.lint]\nselect = ["E"]',
        fix="gatepost migrate --yes; gatepost sync-configs",
    ),
    Code(
        id="SC202",
        name="not-writable",
        severity=ERROR,
        summary="the shared settings cannot be written here",
        why="A key that has to be a table is something else, or the file read back after the edit would not mean what "
        "was meant. Then nothing is written, and the settings are printed to be added by hand.",
        bad='[tool.ruff]\nformat = "grouped"',
        good="[tool.ruff.format]\ndocstring-code-format = true",
        fix="mend what the message names, then: gatepost sync-configs",
    ),
    Code(
        id="SC203",
        name="shadowed",
        severity=WARNING,
        summary="another file configures the tool, so its shared settings are not synced",
        why="mypy.ini hides [tool.mypy] completely, and a new [tool.mypy] would hide setup.cfg [mypy] without a word; "
        "pytest, coverage and bandit have such files too. Settings in two places are settings that one of them loses. "
        "(ruff.toml is no problem: it is written instead of pyproject.toml. `extend` in ruff's settings is respected: "
        "where the file that it names is not synced, that is said as an info.)",
        bad="mypy.ini\n[mypy]\nstrict = True",
        good="[tool.mypy]\nstrict = true",
        fix='move them into pyproject.toml, or: gatepost keep tool.mypy "configured in mypy.ini"',
    ),
    Code(
        id="SC301",
        name="invalid-toml",
        severity=ERROR,
        summary="a file to sync is not TOML",
        why="A file that does not parse is never written to.",
        bad="[tool.ruff",
        good="[tool.ruff]",
        fix="mend the syntax, then: gatepost sync-configs",
    ),
    Code(
        id="SC302",
        name="no-such-profile",
        severity=ERROR,
        summary="a profile is missing or malformed",
        why="`profile` names base, strict, research, a TOML file of the repository, or `package:NAME/FILE.toml` of an "
        "installed package. A profile holds `extends`, `[remove]` and `[tool.*]` tables.",
        bad='[tool.gatepost]\nprofile = "stict"',
        good='[tool.gatepost]\nprofile = ["strict", "config/ours.toml"]',
        fix="name a profile that exists",
    ),
    Code(
        id="SC303",
        name="no-pyproject",
        severity=ERROR,
        summary="there is no pyproject.toml to write into",
        why="Only gatepost.toml is there, and a pyproject.toml made by a hook would turn the folder into a project for "
        "every tool that reads one.",
        bad="gatepost.toml alone",
        good="pyproject.toml with [tool.gatepost]",
        fix='make a pyproject.toml, or leave sync-configs out (`skip = ["sync-configs"]`)',
    ),
    Code(
        id="SC304",
        name="newer-record",
        severity=ERROR,
        summary="the record was written by a newer gatepost",
        why="Its format is not known here, so nothing can be said about what it records, and nothing is written.",
        bad="format = 2",
        good="the same `rev` for everyone who works on the project",
        fix="pre-commit autoupdate",
        unchecked=True,
    ),
)
