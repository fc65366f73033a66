"""TS501, TS502, TS506: what the commands, in order, leave in the image."""

from __future__ import annotations

from gatepost.manifests.installs.sources import sources
from gatepost.manifests.pythons import python_of
from gatepost.model import ERROR, INFO, Finding, Location
from gatepost.record import replace
from gatepost.rules.torch_source import specs, urls
from gatepost.rules.torch_source.images.cuda import cuda_in_cpu_image
from gatepost.rules.torch_source.images.events import Event, shown
from gatepost.rules.torch_source.images.later import asked_later
from gatepost.rules.torch_source.images.meant import gpu_meant, is_cpu_image, says_cpu
from gatepost.rules.torch_source.installed.build import FAMILY, Asked
from gatepost.rules.torch_source.intent import agrees
from gatepost.rules.torch_source.view import by_glob

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.manifests.dockerfile import Stage
    from gatepost.manifests.image import Image
    from gatepost.manifests.projects import Repository
    from gatepost.rules.torch_source.table import Row
    from gatepost.rules.torch_source.view import View


# Options with which pip installs again what is there, whatever its version.
_REINSTALLING = ("--ignore-installed", "-I", "--force-reinstall", "--reinstall")


def intent_of(policy: object, image: Image, stage: Stage) -> str:
    """The build that the settings state for an image: by `Dockerfile:stage`, by Dockerfile, by stage, or for all."""
    if isinstance(policy, str):
        return policy.lower()
    if isinstance(policy, dict):
        for key in (f"{image.path}:{stage.name}", image.path, f"stage:{stage.name}", stage.name):
            if key and isinstance(policy.get(key), str):
                return str(policy[key]).lower()
        return by_glob(policy, image.path) or str(policy.get("default") or policy.get("*") or "").lower()
    return ""


def order(
    repository: Repository, image: Image, stage: Stage, events: list[Event], intent: str, view: View
) -> Iterator[Finding]:
    """TS501, TS502, TS506: what the commands, in order, leave in the image."""
    current: Event | None = None
    pending: Event | None = None
    for event in events:
        build, install = event.effect.build, event.install
        own = event.stage == stage.index
        if install.command.conditional:
            if event.effect.asked and not _same(event, current):
                return  # one of several variants: which one is built cannot be seen
            continue
        if current is None:
            if event.effect.asked:
                current = event
                pending = event if build == "pypi" and own else None
            elif event.effect.unknown:
                return
            continue
        if not event.effect.asked:
            continue
        direct = any(one.name == "torch" for one in event.effect.asked) and install.tool in ("pip", "uv-pip")
        was = current.effect.build
        if build not in ("pypi", "") and direct and was not in (build, "") and not install.files:
            if not own:
                current, pending = event, None
                continue
            if event.place != current.place:
                if (
                    current.install.tool in ("uv", "poetry")
                    and install.tool in ("pip", "uv-pip")
                    and "system" in (event.place, current.place)
                ):
                    return
                return
            pending = None
            uninstalled = _taken_away(image, stage, current, event)
            if uninstalled or _replaces(event, current):
                yield _late(image, event, current, uninstalled)
                current = event
            else:
                yield _no_op(image, event, current)
            continue
        if was not in ("pypi", "") and build not in (was, "") and own:
            undone = _undone(image, event, current, view)
            if undone is not None:
                yield _undoing(image, event, current, undone)
            elif event.place == current.place:
                beyond = _beyond(image, event, current, view)
                if beyond is None:
                    continue
                yield beyond
            return
        if was == "" or build == "":
            pending = None
    if current is not None and intent:
        yield from _contradicts(image, stage, current, intent)
    elif current is not None and current.stage == stage.index and says_cpu(image, stage):
        if urls.kind(current.effect.build) in ("cuda", "rocm") and image.final(stage):
            yield cuda_in_cpu_image(
                repository, image, stage, current, asked_later(repository, image, events, current, view)
            )
    if pending is None or intent not in ("", "cpu"):
        return
    if intent == "cpu":  # stated, so it is no longer a guess
        later = asked_later(repository, image, events, pending, view)
        yield replace(cuda_in_cpu_image(repository, image, stage, pending, later, stated=True), severity=ERROR)
        return
    if not is_cpu_image(image, stage):
        return
    if ".devcontainer" not in image.path and not gpu_meant(repository, image, stage, events):
        yield cuda_in_cpu_image(
            repository, image, stage, pending, asked_later(repository, image, events, pending, view)
        )


def _same(event: Event, current: Event | None) -> bool:
    """Whether an install repeats what is there: the same build, from the same lock or file, in the same place."""
    return (
        current is not None
        and event.place == current.place
        and event.effect.build == current.effect.build
        and event.effect.locked == current.effect.locked
    )


def _contradicts(image: Image, stage: Stage, event: Event, intent: str) -> Iterator[Finding]:
    """TS302: the last install of torch brings another build than the settings state for the stage."""
    build = event.effect.build
    if event.stage == stage.index and urls.tag_of(build) and not agrees(intent, build):
        first = event.effect.first
        yield Finding(
            code="TS302",
            where=Location(path=image.path, line=first.line if not first.path else event.install.line),
            message=f"this installs the {build} build of torch, but [tool.gatepost.torch-source] states `{intent}` for {image.path}"
            + (f" (stage `{stage.name}`)" if stage.name else ""),
            remedy="Take the build that is stated, or change the settings.",
            related=(Location(path=first.path, line=first.line or None),) if first.path else (),
        )


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


def _undone(image: Image, event: Event, current: Event, view: View) -> str | None:
    """Why an install after a CPU torch takes it away again, or None when it does not (or that is not certain)."""
    if event.install.tool == "uv" and event.effect.locked:
        if event.install.has("--inexact") and event.place != current.place:
            return None
        if current.install.tool == "uv-pip" and event.place == current.place:
            return "installs the locked build in its place"
        if current.place == "system" and event.place.endswith(".venv"):
            return "installs the locked build into its own environment, which never sees the CPU one"
        return "installs the locked build in its place" if event.place == current.place else None
    if event.install.tool == "poetry" and event.effect.locked:
        if event.place == current.place:
            return "installs the locked build in its place"
        return "installs the locked build into its own environment, which never sees the CPU one"
    if event.install.tool in ("pip", "uv-pip") and event.place == current.place:
        here = next((specs.parse(one.spec).pin() for one in current.effect.asked if one.name == "torch"), None)
        torch = [specs.parse(one.spec) for one in event.effect.asked if one.name == "torch"]
        if here and len(torch) > 1 and any(spec.admits(here) for spec in torch):
            return None  # lines for several Pythons
        for one in event.effect.asked:
            label = _other_label(one, current)
            if label:
                return f"wants {one.name} {specs.parse(one.range).pin()}+{label}, which no other build satisfies"
            pin = specs.parse(one.spec).pin() if one.name == "torch" else ""
            if pin and here is not None and here and specs.key(pin) != specs.key(here):
                return f"wants torch {pin} and replaces {here}"
        companion = _companion(event, here or "", view)
        if companion is not None:
            return companion
        return _older(image, event, current, view)
    return None


def _other_label(one: Asked, current: Event) -> str:
    """The label of a pinned torch, where it is another build's than the one that is there; "" otherwise."""
    label = urls.tag_of(specs.parse(one.range).exact_label()) if one.name == "torch" else ""
    return label if label != current.effect.build else ""


def _companion(event: Event, here: str, view: View) -> str | None:
    """Why a pinned torchvision or torchaudio replaces a pinned torch: each release requires one release of torch."""
    for one in event.effect.asked:
        pin = specs.parse(one.range).pin() if one.name in FAMILY - {"torch"} else ""
        rows = view.table.torch_of(one.name, pin) if pin and here else []
        if len(rows) == 1 and view.table.pairs(one.name, pin, here) is False:
            return f"wants {one.name} {pin}, which requires torch {rows[0].torch}, and replaces {here}"
    return None


def _older(image: Image, event: Event, current: Event, view: View) -> str | None:
    """Why a pin or a bounded range replaces what an install without a pin got: that was a newer one.

    It has to be on the image's Python, or, where that is not known, on every one that the wanted releases are for.
    """
    asked = [specs.parse(one.spec) for one in event.effect.asked if one.name == "torch"]
    candidates = _candidates(current, view)
    if len(asked) != 1 or event.effect.locked or not asked[0].bounded_above() or candidates is None:
        return None
    rows, unknown = view.table.torch_rows(asked[0])
    if not rows or unknown:
        return None
    later = view.table.rows[view.table.rows.index(rows[-1]) + 1 :]
    newer = {python for row in later if row in candidates for python in row.python.get("linux_x86_64", [])}
    known = python_of(image, image.dockerfile.stages[current.stage], current.install)
    here = {known} if known else {python for row in rows for python in row.python.get("linux_x86_64", [])}
    if not here or not here <= newer:
        return None
    wanted = f" {rows[0].torch}" if asked[0].pin() else asked[0].text.strip()
    return f"wants torch{wanted}, and this command, without a pin, installs a newer one"


def _beyond(image: Image, event: Event, current: Event, view: View) -> Finding | None:
    """TS502: a range replaces what an install without a pin got, as the line of builds had ended before it begins."""
    build, asked = current.effect.build, [one for one in event.effect.asked if one.name == "torch" and one.spec]
    last = view.table.last_for(build)
    if last is None or len(asked) != 1 or event.effect.locked or event.install.tool not in ("pip", "uv-pip"):
        return None
    if not _only_index(current):
        return None
    spec, candidates = specs.parse(asked[0].spec), _candidates(current, view)
    other = view.table.going_on(build, view.table.torch_rows(spec)[0])
    if not candidates or not other or spec.broken or any(spec.admits(row.torch) for row in candidates):
        return None
    return replace(
        _undoing(
            image, event, current, f"wants torch{asked[0].spec.strip()}, and the {build} builds end at {last.torch}"
        ),
        remedy=f"Install it from an index that has such a release, such as https://download.pytorch.org/whl/{other}.",
    )


def _only_index(event: Event) -> bool:
    """Whether torch can come from nowhere but PyTorch's index of the releases of one build."""
    found = sources(event.install)
    if found.backend:
        return found.backend == event.effect.build
    url = urls.split(found.index.text) if found.index is not None else None
    return url is not None and url.official and not url.channel and not (found.extra or found.links or found.unknown)


def _candidates(event: Event, view: View) -> list[Row] | None:
    """The known releases that an install of torch without a pin takes the newest of, or None if that is not certain."""
    before = event.install
    loose = {package.name: package for package in before.packages}
    if (
        before.files
        or before.paths
        or before.uncertain
        or before.has("-c", "--constraint", "--constraints", "--exclude-newer", "--no-index")
        or any(name in before.command.env for name in ("PIP_CONSTRAINT", "UV_CONSTRAINT", "UV_EXCLUDE_NEWER"))
        or "torch" not in loose
        or not FAMILY.issuperset(loose)
        or any(package.url or package.marker for package in before.packages)
        or any(package.specifier for name, package in loose.items() if name != "torch")
    ):
        return None
    wanted, build = specs.parse(loose["torch"].specifier), event.effect.build
    return [
        row
        for row in view.table.rows
        if wanted.admits(row.torch) and (build == "cpu" or view.table.published(build, row))
    ]


def _word(event: Event) -> str:
    """The build of an install, as prose has it."""
    return "CPU" if event.effect.build == "cpu" else event.effect.build


def _before(event: Event) -> str:
    return "the CUDA" if event.effect.build == "pypi" else f"the {_word(event)}"


def _no_op(image: Image, event: Event, before: Event) -> Finding:
    return Finding(
        code="TS502",
        where=Location(path=image.path, line=event.install.line),
        message=f"this {_word(event)} install changes nothing: line {before.install.line} has already installed torch, which satisfies it",
        remedy=_routed(event, before)
        if before.effect.locked
        else f"Move it before line {before.install.line}, so that the {_word(event)} build is there first.",
        related=(Location(path=image.path, line=before.install.line),),
    )


def _routed(wanted: Event, locked: Event) -> str:
    """The remedy where a lock brings another build than a command wants."""
    alone = wanted.effect.build == "cpu" and locked.install.tool == "poetry"
    linux = " under `markers = \"sys_platform == 'linux'\"` (a second entry is for other platforms)" if alone else ""
    return f"Route torch to the {_word(wanted)} index in the project{linux}, lock again, and remove this command."


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


def _undoing(image: Image, event: Event, current: Event, why: str) -> Finding:
    lock = event.install.tool in ("uv", "poetry")
    wanted = [one.spec for one in event.effect.asked if one.name == "torch"]
    loose = wanted[0] if len(wanted) == 1 and not specs.parse(wanted[0]).pin() else ""
    labelled = next((one for one in event.effect.asked if _other_label(one, current)), None)
    return Finding(
        code="TS502",
        where=Location(path=image.path, line=current.install.line),
        message=f"this {_word(current)} install of torch is undone: `{shown(event.install, 80)}` (line {event.install.line}) {why}",
        remedy=_routed(current, event)
        if lock
        else f"Pin `torch=={specs.parse(labelled.range).pin()}+{current.effect.build}` in what line {event.install.line} installs, with that build's index, or drop this command."
        if labelled is not None
        else f'Ask for `"torch{loose}"` in it, as the requirements do.'
        if loose
        else f"Pin the same pair in both, from the {_word(current)} index."
        if not wanted and not event.effect.locked
        else f"Install the same version that the requirements pin, from the {_word(current)} index.",
        related=(Location(path=image.path, line=event.install.line),),
    )
