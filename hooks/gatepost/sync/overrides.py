"""`[[tool.mypy.overrides]]` as (module, key) -> value, because mypy drops its whole config on two values for one pair.

Source: mypy 2.4.1 `config_parser.destructure_overrides` ("conflicting values"), for blocks whose `module` is a
string or a list, and for the inline form `overrides = [{...}]`.
"""

from __future__ import annotations

from gatepost.sync.paths import same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, TypeAlias

    Pair: TypeAlias = tuple[str, str]  # module pattern, key

PATH = ("tool", "mypy", "overrides")


def modules(block: Any) -> list[str]:
    """The module patterns of a block, [] where it has none that can be read."""
    if not isinstance(block, dict):
        return []
    value = block.get("module")
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def body(block: Any) -> dict[str, Any]:
    """The settings of a block, without its modules."""
    return {key: value for key, value in block.items() if key != "module"} if isinstance(block, dict) else {}


def explode(blocks: Any) -> dict[Pair, Any]:
    """Every pair with its value; the first block that sets a pair is the one that counts."""
    found: dict[Pair, Any] = {}
    for block in blocks if isinstance(blocks, list) else ():
        for module in modules(block):
            for key, value in block.items():
                if key != "module":
                    found.setdefault((module, key), value)
    return found


def collect(pairs: Mapping[Pair, Any]) -> list[dict[str, Any]]:
    """Pairs as blocks: modules with the same keys and values share one, in the order of first appearance."""
    by_module: dict[str, dict[str, Any]] = {}
    for (module, key), value in pairs.items():
        by_module.setdefault(module, {})[key] = value
    blocks: list[dict[str, Any]] = []
    for module, settings in by_module.items():
        for block in blocks:
            if same(body(block), settings):
                block["module"].append(module)
                break
        else:
            blocks.append({"module": [module], **settings})
    for block in blocks:
        if len(block["module"]) == 1:
            block["module"] = block["module"][0]
    return blocks


def conflicts(blocks: Any) -> list[Pair]:
    """The pairs that two blocks give two values: mypy then ignores the whole configuration."""
    seen: dict[Pair, Any] = {}
    found: list[Pair] = []
    for block in blocks if isinstance(blocks, list) else ():
        for module in modules(block):
            for key, value in block.items():
                if key != "module" and not same(seen.setdefault((module, key), value), value):
                    found.append((module, key))
    return found


def owned(block: Any, ours: Iterable[Pair]) -> bool:
    """Whether every pair of a block is one that we added."""
    mine = set(ours)
    pairs = [(module, key) for module in modules(block) for key in block if key != "module"]
    return bool(pairs) and all(pair in mine for pair in pairs)
