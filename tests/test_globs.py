"""Path globs: what `exclude` and `path` in the settings match."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.globs import matcher
from gatepost.locks.uv.globs import compiled


@pytest.mark.parametrize(
    ("glob", "path", "found"),
    [
        ("vendor", "vendor/a.py", True),
        ("vendor/", "x/vendor/a.py", True),
        ("vendor/*", "vendor/a/b.py", True),
        ("/vendor", "x/vendor/a.py", False),
        ("*.py", "a/b/c.py", True),
        ("*.py", "a/b/c.pyi", False),
        ("a/*.py", "a/b/c.py", False),
        ("a/**/*.py", "a/b/c/d.py", True),
        ("a/**/*.py", "a/d.py", True),
        ("a/**", "a/b/c", True),
        ("./a/b.txt", "a/b.txt", True),
        ("file[0-9].txt", "file7.txt", True),
        ("file[!0-9].txt", "file7.txt", False),
        ("file?.txt", "file/.txt", False),
        ("[z-a]", "[z-a]", True),
        ("[z-a]", "b", False),
        ("a[", "a[", True),
        ("*a*b*", "xaxbx", True),
        ("*a*b*", "xbxax", False),
        ("*ab*ab", "abab", True),
        ("*ab*ab", "abxb", False),
        ("a*/b*c*d/**", "ax/bcxcd/e/f", True),
        ("**/a/*/b", "a/x/a/y/b", True),
        ("**/a/**/b/**/c", "x/a/b/y/b/c", True),
        ("**/a/**/b/**/c", "x/b/a/y/c", False),
        ("a/**/**/b", "a/b", True),
        ("**", "a/b", True),
        ("a**b", "axxb", True),
        ("a**b", "a/b", False),
        ("*.bin", "new\nline/a.bin", True),
        ("data", "data/new\nline", True),
        ("mod\u00e8le.pt", "x/mod\u00e8le.pt", True),
    ],
)
def test_globs(glob: str, path: str, found: bool) -> None:
    assert matcher([glob])(path) is found


def test_no_globs_match_nothing() -> None:
    assert not matcher([])("a")
    assert not matcher([""])("a")


@pytest.mark.parametrize(
    ("glob", "path"),
    [("*a" * 30 + "b", "a" * 200), ("**/a/" * 30 + "b", "a/" * 60 + "c"), ("**/a*a/" * 20 + "b", "aaaa/" * 60 + "c")],
)
def test_many_stars_do_not_multiply(glob: str, path: str) -> None:
    """Each of these has more ways to fail than could be tried in a lifetime."""
    assert not matcher([glob])(path)
    assert not compiled(glob)(path)


SEGMENTS = st.lists(st.sampled_from(["a", "b", "*", "**", "a*", "*b", "*a*", "?"]), min_size=1, max_size=5)


@settings(max_examples=1000)
@given(SEGMENTS, st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=5))
def test_like_trying_every_way(glob: list[str], path: list[str]) -> None:
    def fits(left: list[str], right: list[str]) -> bool:
        if not left:
            return True  # the path itself, or what lies below it
        if left[0] == "**":
            return any(fits(left[1:], right[at:]) for at in range(len(right)))
        return bool(right) and fnmatchcase(right[0], left[0]) and fits(left[1:], right[1:])

    assert matcher(["/" + "/".join(glob)])("/".join(path)) is fits(glob, path)
