"""Path globs: what `exclude` and `path` in the settings match."""

from __future__ import annotations

import pytest

from gatepost.globs import matcher


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
        ("mod\u00e8le.pt", "x/mod\u00e8le.pt", True),
    ],
)
def test_globs(glob: str, path: str, found: bool) -> None:
    assert matcher([glob])(path) is found


def test_no_globs_match_nothing() -> None:
    assert not matcher([])("a")
    assert not matcher([""])("a")
