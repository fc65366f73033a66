"""A rule's page: what `gatepost explain` prints and what the documentation shows."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.model import Code


def page(hook_id: str, code: Code) -> str:
    """The page as plain text that is also Markdown."""
    word = "unchecked" if code.unchecked else code.severity
    facts = [f"hook `{hook_id}`", word, "exact" if code.certainty == "exact" else "heuristic"]
    if code.safe_fix:
        facts.append("`--fix` mends it")
    return (
        f"# {code.id} {code.name}\n\n{', '.join(facts)}\n\n{code.summary}\n\n"
        f"## Why\n\n{code.why}\n\n"
        f"## Example\n\n{_block(code.bad)}\n## Mended\n\n{_block(code.good)}\n"
        f"## Fix\n\n{code.fix}\n\n"
        f"## Ignore it\n\nWith a reason: `# gatepost: ignore[{code.id}] reason` on the line, or in pyproject.toml:\n\n"
        + _block(f'[[tool.gatepost.ignore]]\ncode = "{code.id}"\npath = "some/folder/*"\nreason = "why"\n')
    )


def _block(text: str) -> str:
    return "".join(f"    {line}\n" if line else "\n" for line in text.strip("\n").split("\n"))
