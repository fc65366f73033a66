"""Requirements that are not PEP 508 and that uv reads nevertheless, in `[project]` only. Loaded only for those.

Source: uv's `uv-pypi-types/src/lenient_requirement.rs` (0.12), confirmed by runs of 0.13.8.
"""

from __future__ import annotations

import re

from gatepost.manifests import pep508, versions

_REPAIRS = (  # in uv's order, each upon what the one before left
    (r"(\d)([<>=~^!])", r"\1,\2"),  # >=7.2<8
    (r"!=~((?:\d\.)*\d)", r"!=\1.*"),  # !=~5.0
    (r"(<=|>=|<|>)(\d+(?:\.\d+)*)\.\*", r"\1\2"),  # >=1.9.*
    (r"(\d\.\d)+\*", r"\1.*"),  # !=3.0*
    (r",\s*$", ""),  # >=3.6,
    (r">dev", ">0.0.0dev"),
    (r"(\d+(?:\.\d)*(?:a|b|rc|post|dev)\d+)\.0", r"\1"),  # >=9.0.0a1.0
)


def repaired(text: str) -> str:
    """The requirement as uv mends it, "" where it refuses it as well."""
    for step in (*_REPAIRS, None):
        if step is None:  # >='2.7', but not the quotes of a marker
            head, mark, marker = text.partition(";")
            patched = head.replace("'", "").replace('"', "") + mark + marker
        else:
            patched = re.sub(*step, text)
        if patched == text:
            continue
        text = patched
        try:
            versions.ranges(pep508.parse(text).specifier)
        except (pep508.RequirementError, versions.VersionError):
            continue
        return text
    return ""
