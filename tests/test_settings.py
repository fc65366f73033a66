"""Settings: where they stand, what they may be, and what is said of those that are wrong."""

from __future__ import annotations

import pytest

from gatepost.model import Context, Hook, Setting
from gatepost.settings import SettingsError, nearest, parse_size, read_settings
from gatepost.toml.load import TomlError


def nothing(_: Context) -> list[object]:
    return []


HOOK = Hook(
    id="some-hook",
    summary="",
    check=nothing,  # type: ignore[arg-type]
    codes=lambda: (),
    settings=(
        Setting(key="limit", kind="size", default=512000, help=""),
        Setting(key="hosts", kind="strs", default=(), help=""),
        Setting(key="deep", kind="bool", default=False, help=""),
        Setting(key="per-pattern", kind="sizes", default={}, help=""),
    ),
)


def read(text: str, name: str = "pyproject.toml") -> dict[str, object]:
    return read_settings({name: text.encode()}.get, lambda: ["some-hook", "other-hook"]).of(HOOK)


def test_defaults_when_there_is_no_file() -> None:
    assert read("", "elsewhere") == {"limit": 512000, "hosts": (), "deep": False, "per-pattern": {}}


def test_values() -> None:
    text = '[tool.gatepost.some-hook]\nlimit = "1 MiB"\nhosts = ["a"]\nper-pattern = {"*.onnx" = "2 MB"}\n'
    assert read(text) == {"limit": 1048576, "hosts": ("a",), "deep": False, "per-pattern": {"*.onnx": 2000000}}


def test_both_files_count() -> None:
    own = b"[some-hook]\ndeep = true\n"
    assert read(own.decode(), "gatepost.toml")["deep"] is True
    for other in (b"[project]\n", b"[tool.gatepost]\nstrict = true\n"):
        settings = read_settings({"pyproject.toml": other, "gatepost.toml": own}.get, lambda: ["some-hook"])
        assert settings.of(HOOK)["deep"] is True
        assert settings.common["strict"] is (b"strict" in other)


def test_a_key_in_both_files_is_refused() -> None:
    both = {"pyproject.toml": b"[tool.gatepost.some-hook]\ndeep = true\n", "gatepost.toml": b"[some-hook]\nlimit = 1\n"}
    with pytest.raises(SettingsError) as caught:
        read_settings(both.get, lambda: ["some-hook"])
    assert str(caught.value) == "gatepost.toml: `some-hook` is set in pyproject.toml too: take one of the two out"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[tool.gatepost]\nstrickt = true\n",
            "pyproject.toml: tool.gatepost.strickt is no setting; did you mean `strict`?",
        ),
        (
            "[tool.gatepost.some-hoook]\n",
            "pyproject.toml: tool.gatepost.some-hoook is no setting; did you mean `some-hook`?",
        ),
        (
            "[tool.gatepost]\nskip = ['some-hok']\n",
            "tool.gatepost.skip names no check: some-hok; did you mean `some-hook`?",
        ),
        (
            "[tool.gatepost.some-hook]\nlimt = 1\n",
            "pyproject.toml: tool.gatepost.some-hook.limt is no setting; did you mean `limit`?",
        ),
        (
            "[tool.gatepost.some-hook]\ndeep = 1\n",
            "pyproject.toml: tool.gatepost.some-hook.deep must be true or false, not an integer",
        ),
        (
            "[tool.gatepost.some-hook]\nlimit = 'big'\n",
            "pyproject.toml: tool.gatepost.some-hook.limit must be a size such as 4096 or \"500 KiB\", not 'big'",
        ),
        ("[tool.gatepost]\nsome-hook = 3\n", "pyproject.toml: tool.gatepost.some-hook must be a table, not an integer"),
        ("[tool]\ngatepost = 3\n", "pyproject.toml: `tool.gatepost` must be a table, not an integer"),
        ("[[tool.gatepost.ignore]]\nreason = 'x'\n", "pyproject.toml: tool.gatepost.ignore[0] has no `code`"),
        (
            "[[tool.gatepost.ignore]]\ncode = 'T5101'\n",
            "pyproject.toml: tool.gatepost.ignore[0].code: no rule is called 'T5101'; see `gatepost rules`",
        ),
        (
            "[tool.gatepost]\nallow-unchecked = 3\n",
            "tool.gatepost.allow-unchecked must be true, false or an array of codes",
        ),
    ],
)
def test_wrong(text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(text)
    assert str(caught.value).endswith(message)


def test_broken_toml_names_file_and_line() -> None:
    with pytest.raises(TomlError) as caught:
        read("[project]\nname = 'x'\n[tool.gatepost\n")
    assert (caught.value.path, caught.value.line) == ("pyproject.toml", 3)


@pytest.mark.parametrize(
    ("text", "size"),
    [("500 KiB", 512000), ("500KB", 500000), (" 1.5 MiB ", 1572864), ("2G", 2 * 10**9), ("12", 12), (7, 7), ("x", None),
     (-1, None), (True, None), ("KiB", None)],
)  # fmt: skip
def test_sizes(text: object, size: int | None) -> None:
    assert parse_size(text) == size


def test_of_names_that_are_as_near_the_one_with_most_letters_in_their_places() -> None:
    assert nearest("MF1O1", ["MF101", "MF102", "MF411"]) == "; did you mean `MF101`?"
    assert nearest("weight_limit", ["limit", "weights-limit"]) == "; did you mean `weights-limit`?"
