"""`gatepost rules` and `gatepost explain`: what can be found, and what it means."""

from __future__ import annotations

import os

from gatepost.options import Known, UsageError, output_format


def list_rules(args: list[str]) -> int:
    """Print every code, a line each or as JSON; 0."""
    from argparse import ArgumentParser

    from gatepost.registry import all_codes

    parser = ArgumentParser(prog="gatepost rules", description="List every rule.", allow_abbrev=False)
    parser.add_argument("--output-format", choices=("text", "json"), default=None)
    how = output_format(parser.parse_args(args, Known()))
    rows = all_codes()
    if how == "json":
        import json

        fields = ("name", "severity", "certainty", "summary", "safe_fix", "unchecked")
        print(json.dumps([{"code": c.id, "hook": h, **{f: getattr(c, f) for f in fields}} for h, c in rows], indent=1))
        return 0
    width = max(len(code.name) for _hook, code in rows)
    for _hook_id, code in rows:
        word = "unchecked" if code.unchecked else code.severity
        print(f"{code.id}  {code.name:{width}}  {word:9}  {'fix' if code.safe_fix else '   '}  {code.summary}")
    return 0


def explain(args: list[str]) -> int:
    """Print the page of a code, or who sets a setting and why; 0.

    Raises:
        UsageError: not one word, or no such code.
    """
    from gatepost.registry import all_codes
    from gatepost.report.page import page
    from gatepost.settings import nearest

    if len(args) == 2 and args[0].startswith("tool."):
        args = [" ".join(args)]  # an item of a list: `tool.ruff.lint.select B905`
    if len(args) != 1 or args[0].startswith("-"):
        wanted = "usage: gatepost explain CODE (such as TS101, or its name), or a setting such as tool.ruff.line-length"
        if args[:1] in (["--help"], ["-h"]):
            print(wanted)
            return 0
        raise UsageError(wanted)
    word = args[0]
    if word == "tool.gatepost" or word.startswith("tool.gatepost."):
        print(_own_setting(word), end="")
        return 0
    if word.startswith("tool."):
        from gatepost.commands._explain_key import explain_key
        from gatepost.view import open_git

        print(explain_key(open_git(os.getcwd()).root, word), end="")
        return 0
    pairs = all_codes()
    for hook_id, code in pairs:
        if word.upper() == code.id or word == code.name:
            print(page(hook_id, code), end="")
            return 0
    known = [code.id for _hook, code in pairs] + [code.name for _hook, code in pairs]
    close = nearest(word.upper() if word[:2].isalpha() and word[2:].isdigit() else word, known)
    raise UsageError(f"there is no rule `{word}`{close if 'known:' not in close else ''}; `gatepost rules` lists them")


def _own_setting(word: str) -> str:
    """What a setting of gatepost itself means: `tool.gatepost.skip`, `tool.gatepost.mypy.python`.

    Raises:
        UsageError: there is none.
    """
    from gatepost.registry import own_hook, own_ids
    from gatepost.settings import COMMON, nearest
    from gatepost.tools.table import TOOLS

    tables = {"": COMMON, **{f"{each}.": own_hook(each).settings for each in own_ids()}}
    tables.update({f"{each}.": tool.settings for each, tool in TOOLS.items()})
    known = {f"tool.gatepost.{lead}{each.key}": each for lead, table in tables.items() for each in table}
    found = next((name for name in known if word == name or word.startswith((f"{name}.", f"{name} "))), None)
    below = [name for name in known if name.startswith(f"{word}.")]
    if found is None and not below:
        raise UsageError(f"{word} is no setting{nearest(word, [*known])}")
    return "".join(f"{name}\n  {known[name].help}\n" for name in ([found] if found else below))
