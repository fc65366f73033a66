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
