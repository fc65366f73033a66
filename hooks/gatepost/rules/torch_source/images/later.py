"""What later commands of an image ask for besides: it has to fit the torch that is there by then."""

from __future__ import annotations

import posixpath
import re

from gatepost.manifests.names import canonical
from gatepost.rules.torch_source.installed.build import Asked
from gatepost.rules.torch_source.installed.effect import located
from gatepost.rules.torch_source.model import DIRECT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gatepost.manifests.image import Image
    from gatepost.manifests.projects import Repository
    from gatepost.rules.torch_source.images.events import Event
    from gatepost.rules.torch_source.view import View


def asked_later(
    repository: Repository, image: Image, events: Sequence[Event], first: Event, view: View
) -> tuple[Asked, ...]:
    """What the commands after an install by pip ask for in the same place; of a setup.py too, as far as it can be read."""
    found: list[Asked] = []
    behind = False
    for event in events:
        if behind and event.place == first.place and not event.conditional:
            found += event.effect.asked
            if event.effect.unknown:
                found += _of_setup(repository, image, event, view)
        behind = behind or event is first
    return tuple(found)


def _of_setup(repository: Repository, image: Image, event: Event, view: View) -> Iterator[Asked]:
    stage = image.dockerfile.stages[event.stage]
    for word in event.install.paths:
        target, _, extras = word.text.partition("[")
        path = located(repository, image, stage, event.step, event.install, posixpath.join(target, "setup.py"))
        wanted = {canonical(extra.strip()) for extra in re.split(r"[\],]", extras)}
        for project in view.projects if path is not None else ():
            for req in project.requirements if project.path == path else ():
                if req.role == DIRECT and not req.url and (req.env.kind == "main" or canonical(req.env.name) in wanted):
                    spec = req.text if req.name == "torch" else ""
                    yield Asked(
                        name=req.name, spec=spec, build="pypi", path=project.path, line=0, range=req.text.strip()
                    )
