"""Images that run tests, or are for developers by their name: what they install is not deployed."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.image import Image

# what may stand before the runner: an init, a script that runs its arguments, an environment's `run`, `python -m`
_TESTS = re.compile(
    r"(?:\S*(?:tini|dumb-init) (?:-\S* )*)?(?:(?:\S*/)?(?:sh|bash) )?(?:\S+\.sh )?"
    r"(?:(?:\S*/)?(?:uv|poetry|pdm|pipenv|hatch|pixi|conda|micromamba) run (?:-\S+ )*)?"
    r"(?:(?:\S*/)?python[\d.]* (?:-[^m\s]\S* )*-m )?(?:(?:\S*/)?coverage run (?:-[^m\s]\S* )*-m )?"
    r"(?:\S*/)?(?:pytest|py\.test|unittest|tox|nox)(?= |$)"
)


# a notebook, a shell, a training run: what a researcher starts
_WORKBENCH = re.compile(
    r"(?:\S*(?:tini|dumb-init) (?:-\S* )*)?(?:(?:\S*/)?(?:ba|z)?sh -l?c )?(?:(?:conda|uv|poetry) run (?:-\S+ )*)?"
    r"(?:(?:\S*/)?jupyter(?:-lab|-notebook)?(?= |$)|(?:\S*/)?(?:ba|z)?sh(?: -l| --login| -i)*$|(?:sleep infinity|tail -f /dev/null)$|"
    r"(?:(?:\S*/)?(?:python[\d.]*|torchrun|accelerate launch|deepspeed) (?:-\S+ )*)?(?:\S*/)?(?:pre)?train(?:ing|er)?(?:[_-]\w+)?\.(?:py|sh)(?= |$))"
)


def only_tests(image: Image, stage: Stage) -> bool:
    """Whether every image that carries a stage, and says what it starts, starts a test runner."""
    return _all_start(image, stage, _TESTS)


def is_workbench(image: Image, stage: Stage) -> bool:
    """Whether every image that carries a stage, and says what it starts, is a notebook, a shell or a training run."""
    return _all_start(image, stage, _WORKBENCH)


def _all_start(image: Image, stage: Stage, what: re.Pattern[str]) -> bool:
    last = len(image.dockerfile.stages) - 1
    targets = {build.target.lower() for build in image.builds if build.target}
    ends = [one for one in image.descendants(stage) if one.index == last or one.name in targets or _starts(one)]
    return bool(ends) and all(what.match(_start(image, one)) for one in ends)


_DEVELOPERS = re.compile(r"(?:^|[._-])(?:dev|devel|development|devcontainer|tests?|testing|ci|lint|docs?)(?:[._-]|$)")


def only_developers(image: Image, stage: Stage) -> bool:
    """Whether the name of every image that carries a stage says that it is for developers or tests."""
    targets = {build.target.lower() for build in image.builds if build.target}
    carried = image.descendants(stage)
    ends = [one for one in carried if len(image.descendants(one)) == 1 or one.name in targets or _starts(one)]
    return bool(ends) and all(_DEVELOPERS.search(one.name) for one in ends)


def _starts(stage: Stage) -> bool:
    """Whether a stage says what it starts."""
    return any(step.kind in ("cmd", "entrypoint") for step in stage.steps)


def _start(image: Image, stage: Stage) -> str:
    """The last command of what an image starts: ENTRYPOINT and then CMD, which an ENTRYPOINT of a later stage clears."""
    entry = command = ""
    owner = stage.index
    for one, _, step in image.steps(stage):
        if step.kind not in ("cmd", "entrypoint") or not step.commands:
            continue
        last = step.commands[-1]
        text = " ".join((*last.runner, *last.texts))
        if step.kind == "cmd":
            command, owner = text, one.index
        else:
            entry, command = text, command if owner == one.index else ""
    return f"{entry} {command}".strip()[:2000]
