"""TS502, TS506: a build of torch that is asked for after another one: it replaces that, or changes nothing."""

from __future__ import annotations

from gatepost.model import INFO, Finding, Location
from gatepost.rules.torch_source import specs
from gatepost.rules.torch_source.images.events import Event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.image import Image


# Options with which pip installs again what is there, whatever its version.
_REINSTALLING = ("--ignore-installed", "-I", "--force-reinstall", "--reinstall")


def judge(image: Image, stage: Stage, before: Event, event: Event) -> Finding:
    """TS506 where the later install replaces the torch that is there, TS502 where it finds it satisfied."""
    uninstalled = _taken_away(image, stage, before, event)
    if uninstalled or _replaces(event, before):
        return _late(image, event, before, uninstalled)
    return _no_op(image, event, before)


def _taken_away(image: Image, stage: Stage, before: Event, event: Event) -> bool:
    """Whether a command between two installs uninstalls torch: the second then installs it in any case."""
    within = False
    for one, index, step in image.steps(stage):
        for command in step.commands:
            if (one.index, index) == (event.stage, event.step) and command == event.install.command:
                return False
            if within and "uninstall" in command.texts and "torch" in command.texts:
                return True
            within = within or ((one.index, index) == (before.stage, before.step) and command == before.install.command)
    return False


def _replaces(event: Event, before: Event) -> bool:
    """Whether a later install of torch replaces the one that is there."""
    install = event.install
    if install.has(
        "--force-reinstall",
        "--reinstall",
        "--reinstall-package",
        "-I",
        "--ignore-installed",
        "-U",
        "--upgrade",
        "-P",
        "--upgrade-package",
    ):
        return True
    for one in event.effect.asked:
        if one.name == "torch":
            spec = specs.parse(one.spec)
            if specs.label(one.spec.lstrip("=")) or "+" in one.spec:
                return True
            pin = spec.pin()
            there = next(
                (
                    specs.parse(other.spec).pin()
                    for other in before.effect.asked
                    if other.name == "torch" or before.effect.locked
                ),
                "",
            )
            if pin and there:
                return specs.key(pin) != specs.key(there)
            if pin:
                return True
            if one.spec and there:
                return not spec.admits(there)
            if one.spec:
                return True  # cannot be told: say nothing of a no-op
    return False


def word(event: Event) -> str:
    """The build of an install, as prose has it."""
    return "CPU" if event.effect.build == "cpu" else event.effect.build


def _before(event: Event) -> str:
    return "the CUDA" if event.effect.build == "pypi" else f"the {word(event)}"


def _no_op(image: Image, event: Event, before: Event) -> Finding:
    return Finding(
        code="TS502",
        where=Location(path=image.path, line=event.install.line),
        message=f"this {word(event)} install changes nothing: line {before.install.line} has already installed torch, which satisfies it",
        remedy=routed(event, before)
        if before.effect.locked
        else f"Move it before line {before.install.line}, so that the {word(event)} build is there first.",
        related=(Location(path=image.path, line=before.install.line),),
    )


def routed(wanted: Event, locked: Event) -> str:
    """The remedy where a lock brings another build than a command wants."""
    alone = wanted.effect.build == "cpu" and locked.install.tool == "poetry"
    linux = " under `markers = \"sys_platform == 'linux'\"` (a second entry is for other platforms)" if alone else ""
    return f"Route torch to the {word(wanted)} index in the project{linux}, lock again, and remove this command."


def _late(image: Image, event: Event, before: Event, uninstalled: bool) -> Finding:
    """A replacement: what it replaces stays in the layer below, or, in one RUN, leaves what came with it."""
    line, severity = before.install.line, None
    again = next((option for option in _REINSTALLING if before.install.has(option)), "")
    if (event.stage, event.step) != (before.stage, before.step):
        left = "replacing it here leaves it in the layer below"
    elif event.effect.build == "cpu" and before.effect.build == "pypi" and _in_parts(before):
        left = "replacing it here leaves the `nvidia-*` packages that came with it"
    else:
        left, severity = "it is downloaded only to be replaced here", INFO
    return Finding(
        code="TS506",
        where=Location(path=image.path, line=event.install.line),
        message=f"line {line} has already installed {_before(before)} build of torch; {left}",
        remedy=f"Move this command before line {line}"
        + (f", and drop `{again}` there: it installs torch once more" if again else "")
        + (", without the uninstall, which would take it away again." if uninstalled else "."),
        severity=severity,
        related=(Location(path=image.path, line=line),),
    )


def _in_parts(event: Event) -> bool:
    """Whether PyPI's torch of an install requires CUDA's libraries as packages of their own, as it does since 1.13."""
    pins = [specs.parse(one.spec).pin() for one in event.effect.asked if one.name == "torch"]
    return not any(pin and specs.parse("<1.13").admits(pin) for pin in pins)
