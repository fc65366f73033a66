"""TS502: a command after an install of torch that takes its build away again."""

from __future__ import annotations

from gatepost.manifests.installs.sources import sources
from gatepost.manifests.pythons import python_of
from gatepost.model import Finding, Location
from gatepost.record import replace
from gatepost.rules.torch_source import specs, urls
from gatepost.rules.torch_source.images.events import Event, shown
from gatepost.rules.torch_source.images.replaced import routed, word
from gatepost.rules.torch_source.installed.build import FAMILY, Asked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.manifests.image import Image
    from gatepost.rules.torch_source.table import Row
    from gatepost.rules.torch_source.view import View


def judge(image: Image, current: Event, event: Event, view: View) -> Finding | None:
    """What is wrong with an install whose build a later command takes away, or None."""
    why = _undone(image, event, current, view)
    if why is not None:
        return _undoing(image, event, current, why)
    return _beyond(image, event, current, view) if event.place == current.place else None


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


def _undoing(image: Image, event: Event, current: Event, why: str) -> Finding:
    lock = event.install.tool in ("uv", "poetry")
    wanted = [one.spec for one in event.effect.asked if one.name == "torch"]
    loose = wanted[0] if len(wanted) == 1 and not specs.parse(wanted[0]).pin() else ""
    labelled = next((one for one in event.effect.asked if _other_label(one, current)), None)
    return Finding(
        code="TS502",
        where=Location(path=image.path, line=current.install.line),
        message=f"this {word(current)} install of torch is undone: `{shown(event.install, 80)}` (line {event.install.line}) {why}",
        remedy=routed(current, event)
        if lock
        else f"Pin `torch=={specs.parse(labelled.range).pin()}+{current.effect.build}` in what line {event.install.line} installs, with that build's index, or drop this command."
        if labelled is not None
        else f'Ask for `"torch{loose}"` in it, as the requirements do.'
        if loose
        else f"Pin the same pair in both, from the {word(current)} index."
        if not wanted and not event.effect.locked
        else f"Install the same version that the requirements pin, from the {word(current)} index.",
        related=(Location(path=image.path, line=event.install.line),),
    )
