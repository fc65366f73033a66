"""What `[tool.gatepost.torch-source]` may say of builds: a wrong spelling is named, an unknown newer tag is accepted."""

from __future__ import annotations

import re

from gatepost.rules.torch_source import urls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

WORDS = ("cpu", "cuda", "gpu", "rocm", "xpu")
_WHERE = "tool.gatepost.torch-source.build"
# a CUDA major, any CUDA or ROCm tag: also those that are newer than the table
_SHAPE = r"cu(?:1[1-9]|[2-9]\d)|cu(?:[789]\d|1[0-9]\d|[2-9]\d\d)|rocm\d+(?:\.\d+){0,2}"


def validate(settings: Mapping[str, Any]) -> None:
    """Raises:
    SettingsError: `build` is neither a text nor a table of texts, or names what is no build.
    """
    from gatepost.settings import SettingsError, nearest

    for key, value in _stated(settings.get("build")):
        if not isinstance(value, str):
            raise SettingsError(
                f'{key} must be a build such as "cpu" or "cu128", or a table of group, extra, file or stage to build'
            )
        lower = value.lower()
        if lower in WORDS or re.fullmatch(_SHAPE, lower):
            continue
        better = urls.fixed_tag(lower)
        known = [*WORDS, *_tags()]
        raise SettingsError(
            f"{key}: `{value}` is no build of PyTorch"
            + (f"; did you mean `{better}`?" if better else nearest(lower, known) or ", such as `cpu` or `cu128`")
        )


def _stated(build: object) -> Iterator[tuple[str, object]]:
    if isinstance(build, dict):
        for name, value in build.items():
            yield f"{_WHERE}.{name}", value
    elif build is not None:
        yield _WHERE, build


def _tags() -> list[str]:
    """The CUDA and ROCm tags that the table knows, the newest first."""
    from gatepost.rules.torch_source.table import load

    return list(dict.fromkeys(tag for row in reversed(load().rows) for tag in sorted(row.tags(), reverse=True)))
