"""Everything that would be a second list is rendered from the code: `python -m gatepost.render [--check]`.

Rendered: .pre-commit-hooks.yaml, the tables between markers in README.md, docs/rules/*.md, the shared configs in
the shape that the tools read (configs/rendered). Run it in a checkout of gatepost.
"""

from __future__ import annotations

import os
import re
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

URL = "https://github.com/gatepost-hooks/gatepost"
STAGES = "[pre-commit, pre-merge-commit, pre-push, manual]"
TOOLS_EXTRA = "['.[tools]']"  # one string on every tool hook: one environment for all of them
COMMAND = "python -m gatepost.render"


def manifest() -> str:
    """The text of .pre-commit-hooks.yaml."""
    from gatepost.registry import own_hook, own_ids
    from gatepost.tools.table import TOOLS

    entries = []
    for hook_id in own_ids():
        hook = own_hook(hook_id)
        fields = {"files": _yaml(hook.files) if hook.files else "", "types_or": _flow(hook.types_or)}
        if not hook.pass_filenames:
            fields["pass_filenames"] = "false"
        if hook.always_run:
            fields["always_run"] = "true"
        entries.append(_entry(hook.id, hook.summary, f"gatepost {hook.id}", fields))
    for tool in TOOLS.values():
        fields = {"types_or": _flow(tool.types_or), "types": _flow(tool.types)}
        if not tool.pass_filenames:
            fields["pass_filenames"] = "false"
        fields["additional_dependencies"] = TOOLS_EXTRA
        entries.append(_entry(tool.id, tool.summary, f"gatepost {tool.id}", fields))
    # without `verbose` a runner hides all that a passing hook says: its warnings
    everything = {
        "pass_filenames": "false",
        "always_run": "true",
        "verbose": "true",
        "additional_dependencies": TOOLS_EXTRA,
    }
    summary = "Every check above in one run: fixers first, tools in parallel, one block of output each."
    entries.append(_entry("gatepost", summary, "gatepost gatepost", everything))
    return f"# Rendered by `{COMMAND}`; do not edit.\n" + "\n".join(entries)


def _entry(hook_id: str, summary: str, entry: str, fields: dict[str, str]) -> str:
    lines = [
        f"- id: {hook_id}",
        f"  name: {hook_id}",
        f"  description: {_yaml(summary)}",
        f"  entry: {entry}",
        "  language: python",
    ]
    lines += [f"  {key}: {value}" for key, value in fields.items() if value]
    lines += ["  require_serial: true", f"  stages: {STAGES}", '  minimum_pre_commit_version: "3.2.0"']
    return "".join(f"{line}\n" for line in lines)


def _yaml(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _flow(words: tuple[str, ...]) -> str:
    return f"[{', '.join(words)}]" if words else ""


def hook_table() -> str:
    """The README's table of hooks."""
    from gatepost.registry import own_hook, own_ids
    from gatepost.tools.table import TOOLS

    rows = ["| id | what it does | rules |", "|---|---|---|"]
    for hook_id in own_ids():
        hook = own_hook(hook_id)
        count = len(hook.codes())
        rows.append(f"| `{hook_id}` | {hook.summary} | [{count}](docs/rules/{hook_id}.md) |")
    rows += [f"| `{tool.id}` | {tool.summary} | |" for tool in TOOLS.values()]
    rows.append("| `gatepost` | All of the above in one run. | [5](docs/rules/gatepost.md) |")
    return "".join(f"{row}\n" for row in rows)


def settings_table() -> str:
    """The README's table of settings."""
    from gatepost.registry import own_hook, own_ids
    from gatepost.settings import COMMON
    from gatepost.tools.table import TOOLS

    rows = ["| key of `[tool.gatepost]` | default | meaning |", "|---|---|---|"]
    rows += [f"| `{each.key}` | {_default(each.default)} | {each.help} |" for each in COMMON]
    groups = [(each, own_hook(each).settings) for each in own_ids()]
    groups += [(tool.id, tool.settings) for tool in TOOLS.values()]
    for name, settings in groups:
        rows += [f"| `{name}.{each.key}` | {_default(each.default)} | {each.help} |" for each in settings]
    return "".join(f"{row}\n" for row in rows)


def _default(value: object) -> str:
    if value in ((), {}, "", None):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (tuple, list)):
        return "`[" + ", ".join(f'"{each}"' for each in value) + "]`"
    return f"`{value}`"


def configs() -> str:
    """The README's sample .pre-commit-config.yaml: the one id."""
    return f"```yaml\nrepos:\n  - repo: {URL}\n    rev: v{_version()}\n    hooks:\n      - id: gatepost\n```\n"


EXAMPLE = """\
[project]
name = "rag-service"
version = "0.3.0"
requires-python = ">=3.11"
dependencies = ["torch>=2.6"]

[tool.uv.sources]
torch = { index = "pytorch-gpu" }

[[tool.uv.index]]
name = "pytorch-cpu"
url = "https://download.pytorch.org/whl/cpu"
explicit = true
"""


def failure() -> str:
    """The README's failure: what torch-source really says of EXAMPLE, as the one id shows it."""
    from gatepost.engine import run_hook
    from gatepost.registry import own_hook
    from gatepost.report.text import render
    from gatepost.settings import read_settings
    from gatepost.tree.memory import MemoryTree

    def said(text: str) -> str:
        tree = MemoryTree({"pyproject.toml": text.encode()})
        results = run_hook(own_hook("torch-source"), tree, read_settings(lambda path: None, list))
        return render([each for each in results if each.severity == "error"], {})

    lines = "[a line for each check: passed, failed or skipped, and why]\n"
    mended = EXAMPLE.replace("pytorch-gpu", "pytorch-cpu")
    if "TS101" not in said(EXAMPLE) or said(mended):
        raise AssertionError("the README's example does not fail, or its cure does not cure it")
    return (
        "```console\n$ git commit -m 'Take the CPU build'\n"
        "gatepost.................................................................Failed\n"
        "- hook id: gatepost\n- duration: 0.21s\n- exit code: 1\n\n--- torch-source\n"
        + said(EXAMPLE)
        + f"\n{lines}\n$ sed -i s/pytorch-gpu/pytorch-cpu/ pyproject.toml && uv lock && git add -u\n$ git commit -m 'Take the CPU build'\n"
        "gatepost.................................................................Passed\n"
        "- hook id: gatepost\n- duration: 0.19s\n\n[passed: which; skipped: which, and why]\n```\n"
    )


def install() -> str:
    """The README's way without a runner."""
    return f"```console\n$ pip install 'gatepost @ git+{URL}@v{_version()}'\n$ gatepost check\n```\n"


def nine() -> str:
    """The README's sample with every id on its own."""
    from gatepost.registry import own_ids
    from gatepost.tools.table import TOOLS

    ids = [each for each in [*own_ids(), *TOOLS] if each not in ("secrets", "unsafe-load")]
    lines = ["repos:", f"  - repo: {URL}", f"    rev: v{_version()}", "    hooks:"]
    lines += [f"      - id: {each}" for each in ids]
    return "```yaml\n" + "".join(f"{line}\n" for line in lines) + "```\n"


def large() -> str:
    """The entry of large-model-files alone."""
    return f"```yaml\nrepos:\n  - repo: {URL}\n    rev: v{_version()}\n    hooks:\n      - id: large-model-files\n```\n"


def _version() -> str:
    from gatepost import __version__

    return __version__


def lock_table() -> str:
    """The lock formats: what decides, and what no verdict sees."""
    from gatepost.locks import formats

    rows = [f"| {each.files} | {each.decides} | {each.unseen or 'nothing: exact'} |\n" for each in formats()]
    return "| lock | what decides | not seen |\n|---|---|---|\n" + "".join(rows)


def torch_table() -> str:
    """Every rule of torch-source: a link to its page, severity, whether `--fix` mends it, and what it says."""
    from gatepost.rules.torch_source import HOOK

    rows = []
    for each in HOOK.codes():
        anchor = f"{each.id}-{each.name}".lower()
        link = f"[{each.id}](rules/torch-source.md#{anchor})"
        rows.append(f"| {link} | {each.severity} | {'yes' if each.safe_fix else ''} | {each.summary} |\n")
    return "| code | severity | `--fix` | what |\n|---|---|---|---|\n" + "".join(rows)


REGIONS = {
    "locks": lock_table,
    "torch": torch_table,
    "failure": failure,
    "install": install,
    "large": large,
    "config": configs,
    "hooks": hook_table,
    "settings": settings_table,
    "ids": nine,
}


def filled(text: str) -> str:
    """A page's text with the regions between `<!-- render: NAME -->` and `<!-- end -->` filled in.

    Raises:
        KeyError: a marker names no region.
    """

    def fill(found: re.Match[str]) -> str:
        return f"<!-- render: {found[1]} -->\n{REGIONS[found[1]]()}<!-- end -->"

    return re.sub(r"<!-- render: (\w+) -->\n.*?<!-- end -->", fill, text, flags=re.DOTALL)


def rule_pages() -> dict[str, str]:
    """path -> text of docs/rules/<hook>.md: every rule of a hook on one page."""
    from gatepost.registry import all_codes
    from gatepost.report.page import page

    pages: dict[str, list[str]] = {}
    for hook_id, code in all_codes():
        text = page(hook_id, code)
        head, _, _ignore = text.partition("## Ignore it")
        demoted = re.sub(r"(?m)^(#+) ", r"#\1 ", head)
        pages.setdefault(hook_id, []).append(demoted)
    return {
        f"docs/rules/{hook_id}.md": f"<!-- Rendered by `{COMMAND}`; do not edit. -->\n# Rules of {hook_id}\n\n"
        + "".join(parts).rstrip()
        + "\n"
        for hook_id, parts in pages.items()
    }


def rendered_configs(root: str) -> dict[str, str]:
    """path -> text of configs/rendered/<profile>/pyproject.toml, the profile as tools read it from a file."""
    from gatepost.sync.rendering import profile_text

    return {
        f"configs/rendered/{name}/pyproject.toml": profile_text(root, name) for name in ("base", "research", "strict")
    }


def outputs(root: str) -> Iterator[tuple[str, str]]:
    """(path, text) of every rendered file; `root` is the checkout."""
    yield ".pre-commit-hooks.yaml", manifest()
    for name in ("README.md", "docs/large-model-files.md", "docs/lock-freshness.md", "docs/torch-source.md"):
        with open(os.path.join(root, name), encoding="utf-8") as stream:
            yield name, filled(stream.read())
    yield from rule_pages().items()
    yield from rendered_configs(root).items()


def main(argv: list[str]) -> int:
    """Write what is rendered; with --check only tell what differs (exit code 1)."""
    root = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    stale = []
    for path, text in outputs(root):
        name = os.path.join(root, path)
        try:
            with open(name, encoding="utf-8", newline="") as stream:
                same = stream.read() == text
        except OSError:
            same = False
        if same:
            continue
        stale.append(path)
        if "--check" not in argv:
            os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
            with open(name, "w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
    for path in stale:
        print(f"{path}: {'differs from the code; run `' + COMMAND + '`' if '--check' in argv else 'written'}")
    return 1 if stale and "--check" in argv else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
