"""The catalogue: every code of the hook, with its page; a module for each hundred.

TS001 and TS130-TS133 are additions to the researched catalogue: an unreadable file, faults of Poetry's extras and a
source declared twice. "Tested" means run with uv 0.13, Poetry 1.8 and 2.5, PDM 2.26, Pipenv 2026.10 and pip 26.
"""

from __future__ import annotations

from gatepost.record import replace
from gatepost.rules.torch_source import table
from gatepost.rules.torch_source.codes.conda import CONDA
from gatepost.rules.torch_source.codes.containers import CONTAINERS
from gatepost.rules.torch_source.codes.hosts import HOSTS
from gatepost.rules.torch_source.codes.locked import LOCKED
from gatepost.rules.torch_source.codes.routing import ROUTING
from gatepost.rules.torch_source.codes.versions import VERSIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.model import Code

# What a page says beside the rule: when the severity differs, why there is no `--fix`.
_NOTES = {
    "TS208": "An error where no Python that is allowed has a wheel, a warning where only the newer ones have none.",
    "TS213": "A warning where the range also admits a torch that works with numpy 2. A lock is read as well: it may hold an "
    "older torch for one platform, such as Intel Macs (a warning where that platform is not Linux). Nothing is said where "
    "the environment's Python is older than 3.9, which numpy 2 needs.",
    "TS215": "Not mended by `--fix`: the package's name depends on the torch that is locked in the end "
    "(`pytorch-triton-rocm`, later `triton-rocm`), and it must be required as well as routed.",
    "TS219": "Not mended by `--fix`: the range says that 2.2.2 is too old for the project, so its author has to choose.",
    "TS306": "Not mended by `--fix` itself: the lock is the tool's to write. The index that brings them is TS105, "
    "whose fix makes it explicit.",
    "TS501": "An error where the settings state `cpu`; information in examples and development images, where the "
    "code can switch to a GPU, and where only a guess binds a deep Dockerfile to the project.",
}
# Rules that rest on the compatibility table: which releases pair, which builds and wheels exist.
_OF_THE_TABLE = frozenset(
    [
        "TS121",
        "TS203",
        "TS204",
        "TS205",
        "TS206",
        "TS207",
        "TS208",
        "TS213",
        "TS214",
        "TS215",
        "TS217",
        "TS218",
        "TS219",
        "TS221",
        "TS222",
        "TS306",
        "TS502",
        "TS601",
        "TS604",
        "TS606",
    ]
)


def _noted(code: Code, day: str) -> Code:
    notes = [_NOTES[code.id]] if code.id in _NOTES else []
    if code.id in _OF_THE_TABLE:
        notes.append(
            f"Rests on the compatibility table of {day}: what is newer than the table is unknown, never a fault. "
            "`--compat FILE` takes another."
        )
    return replace(code, why="\n\n".join((code.why, *notes))) if notes else code


def _all() -> tuple[Code, ...]:
    day = table.date()
    return tuple(_noted(code, day) for code in (*ROUTING, *VERSIONS, *LOCKED, *HOSTS, *CONTAINERS, *CONDA))


CODES: tuple[Code, ...] = _all()
