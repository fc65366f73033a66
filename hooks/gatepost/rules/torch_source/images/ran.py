"""An install command of an image or a CI job, with the requirements files that it reads."""

from __future__ import annotations

from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.manifests.installs import Install
    from gatepost.manifests.requirements import ReqFile


@record
class Ran:
    """An install command: where it installs to, whether it may not run, and the requirements files it reads."""

    install: Install
    place: str
    conditional: bool
    files: tuple[tuple[str, ReqFile], ...] = ()


# Options of a requirements file that say nothing of where a package comes from.
_ASIDE = ("no-binary", "only-binary", "prefer-binary", "require-hashes", "trusted-host", "use-feature")


def steered(file: ReqFile) -> bool:
    """Whether a file's own options can decide where PyTorch comes from: a page of another project's wheels cannot."""
    return any(
        option.name not in _ASIDE and not (option.name == "find-links" and _foreign(option.value))
        for option in file.options
    )


def _foreign(page: str) -> bool:
    """Whether a page of files is on the web, and nothing in its address speaks of PyTorch."""
    return page.lower().startswith("https://") and "torch" not in page.lower() and "/whl" not in page.lower()
