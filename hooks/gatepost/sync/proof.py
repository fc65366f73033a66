"""Operations made on a text and on its data side by side; the text counts only if it reads back as the data.

`("add", path, value)` and `("fill", table, {key: value})` write new keys, `("set", path, value)` replaces a value,
`("write", path, value, text)` does it in a given text,
`("del", path, keep_header)` and `("clear", table, keys)` delete keys, `("extend", path, items)` and
`("prune", path, numbers)` change an array, `("block", path, table)` and `("unblock", path)` an array of tables.
"""

from __future__ import annotations

from gatepost.sync import arrays, removal, splice
from gatepost.sync.fold import Folded, fold, unfold
from gatepost.sync.layout import NotSpliceable
from gatepost.sync.paths import get, plain, put, same, show
from gatepost.toml.load import TomlError, loads
from gatepost.toml.scan import scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping, Sequence
    from typing import Any, TypeAlias

    from gatepost.toml.scan import Document

    Op: TypeAlias = tuple[Any, ...]


def proved(text: str, data: Mapping[str, Any], ops: Sequence[Op]) -> str:
    """The text with the operations made, proved to read back as the data with the same operations made.

    Raises:
        NotSpliceable: an operation cannot be made, or the result would mean something else or lose a comment.
    """
    if not ops:
        return text
    document = scan(text)
    folded = fold(document, [op[1] for op in ops])
    if folded.text != text:
        document = scan(folded.text)
    new, meant = _made(document, plain(data), ops)
    new = unfold(Folded(text=new, hidden=folded.hidden))
    try:
        found = loads(new.encode("utf-8", "surrogatepass"))
    except TomlError as error:
        raise NotSpliceable(f"the merged file would not be valid TOML ({error})") from None
    if not same(found, meant):
        raise NotSpliceable("the merged file would not mean what was meant")
    return new


def _made(document: Document, meant: dict[str, Any], ops: Sequence[Op]) -> tuple[str, dict[str, Any]]:
    """The text and the data after the operations.

    Raises:
        NotSpliceable: one cannot be made, or would lose a comment that is not inside of what it deletes.
    """
    comments = _comments(document)
    for op in ops:
        after = scan(_SPLICES[op[0]](document, op))
        try:
            _change(meant, op, document, after)
        except (AttributeError, IndexError, KeyError, TypeError):  # a value stands where a table or array should
            raise NotSpliceable(f"something else stands in the place of {show(map(str, op[1]))}") from None
        left = _comments(after)
        if op[0] not in ("prune", "del", "clear"):
            lost = comments - left
            if lost:
                raise NotSpliceable(f"writing {show(map(str, op[1]))} would lose the comment `{next(iter(lost))}`")
        document, comments = after, left
    return document.text, meant


def _comments(document: Document) -> Counter[str]:
    from collections import Counter

    if "#" not in document.text:
        return Counter()
    return Counter(document.text[start:end] for start, end in document.comments())


_SPLICES = {
    "set": lambda document, op: splice.set_value(document, op[1], op[2]),
    "write": lambda document, op: splice.set_text(document, op[1], op[3]),
    "add": lambda document, op: splice.add_key(document, op[1], op[2]),
    "fill": lambda document, op: splice.add_keys(document, op[1], op[2]),
    "del": lambda document, op: removal.remove(document, op[1], keep_header=op[2]),
    "clear": lambda document, op: removal.remove_keys(document, op[1], op[2]),
    "extend": lambda document, op: arrays.add_items(document, op[1], op[2]),
    "prune": lambda document, op: arrays.remove_items(document, op[1], op[2]),
    "block": lambda document, op: splice.add_element(document, op[1], op[2]),
    "unblock": lambda document, op: removal.remove_element(document, op[1]),
}


def _change(data: dict[str, Any], op: Op, before: Document, after: Document) -> None:
    name, path = op[0], op[1]
    above = get(data, path[:-1])
    if name == "add":
        put(data, path, plain(op[2]))
    elif name == "fill":
        for key, value in op[2].items():
            put(data, (*path, key), plain(value))
    elif name in ("set", "write"):
        above[path[-1]] = plain(op[2])
    elif name == "extend":
        above[path[-1]].extend(plain(op[2]))
    elif name == "prune":
        above[path[-1]] = [item for n, item in enumerate(above[path[-1]]) if n not in op[2]]
    elif name == "block":
        put(data, path, [*(get(data, path) or []), plain(op[2])])
    elif name == "unblock":
        del above[path[-1]]
        if not above and before.span(path[:-1]) is None:
            _prune_empty(data, path[:-1], after)
    elif name == "clear":
        table = get(data, path)
        for key in op[2]:
            del table[key]
        _prune_empty(data, path, after)
    else:
        del above[path[-1]]
        _prune_empty(data, path[:-1], after)


def _prune_empty(data: dict[str, Any], path: tuple[Any, ...], document: Document) -> None:
    """Drop tables that lost their last key, where the text lost their header too."""
    while path and get(data, path) in ({}, []) and document.place(path) is None:
        del get(data, path[:-1])[path[-1]]
        path = path[:-1]
