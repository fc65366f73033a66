"""What the new blobs of a run are: their heads read in one go, their kinds recognised."""

from __future__ import annotations

from gatepost.record import record
from gatepost.rules.large_model_files.limits import read_limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gatepost.formats import Kind
    from gatepost.model import Context
    from gatepost.rules.large_model_files.allow import Allowed
    from gatepost.rules.large_model_files.limits import Limits
    from gatepost.tree.history import Blob, Source, Use

# A small file with one of these endings is looked at too: it may be a pickle, and loading one runs code.
_ENDINGS = """
    .bin .ckpt .dat .data .dill .joblib .kv .mar .model .nemo .npy .npz .p .pck .pcl .pdparams .pickle .pk .pkl .pt
    .pth .ptl .sav .skops .torch .weights .zip
"""
ENDINGS = tuple(_ENDINGS.split())
# New files up to this number are all looked at, whatever their names say (their heads are at hand then).
FEW = 512
# What a pickle may begin with (gatepost.formats.PICKLE_FIRST, which is not imported for a commit of plain text).
_OPCODES = frozenset(b"()]}cIiLSVFNKJMGXUTCBP\x80\x82\x83\x84\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x95\x96\x97")


@record
class Policy:
    """The settings of a run, ready to be asked."""

    limits: Limits
    allowed: tuple[Allowed, ...]
    wants: Callable[[str], bool]

    def counts(self, blob: Blob) -> tuple[Use, ...]:
        """The uses of a blob that are neither excluded nor allowed."""
        return tuple(use for use in blob.uses if self.wants(use.path) and not self._allows(blob, use))

    def _allows(self, blob: Blob, use: Use) -> bool:
        return any(each.path == use.path and each.oid == blob.oid for each in self.allowed)


@record
class Seen:
    """A new blob, its first 8 KiB (b"" if they cannot be had) and what it is (None: nothing known)."""

    blob: Blob
    head: bytes
    kind: Kind | None


def read_policy(ctx: Context) -> Policy:
    """The policy that the settings describe.

    Raises:
        gatepost.settings.SettingsError: a wrong entry in `allow`.
    """
    from gatepost.globs import matcher

    allowed: tuple[Allowed, ...] = ()
    if ctx.settings["allow"]:
        from gatepost.rules.large_model_files.allow import read_allowed

        allowed = read_allowed(ctx.settings["allow"])
    include, exclude = ctx.settings["include"], matcher(ctx.settings["exclude"])
    included = matcher(include)
    return Policy(
        limits=read_limits(ctx.settings),
        allowed=allowed,
        wants=lambda path: ctx.wants(path) and not exclude(path) and (not include or included(path)),
    )


def survey(source: Source, policy: Policy) -> list[Seen]:
    """The new blobs that can matter: large ones, and small ones that may be pickles.

    Small text under an ordinary name is left out, unless it reads as a pickle of protocol 0.
    """
    floor = policy.limits.floor
    blobs = source.blobs(floor, ENDINGS)
    if len(blobs) > FEW:
        blobs = [each for each in blobs if each.size >= floor or each.path.lower().endswith(ENDINGS)]
    if not blobs:
        return []
    heads = source.peek.heads([blob.oid for blob in blobs])
    return [
        recognise(source, blob, heads.get(blob.oid, b""))
        for blob in blobs
        if blob.size >= floor or _telling(heads.get(blob.oid, b"")) or blob.path.lower().endswith(ENDINGS)
    ]


def _telling(head: bytes) -> bool:
    """Whether a small file may be a pickle: not text, or text that begins with an opcode and ends with STOP."""
    if b"\0" in head:
        return True
    return bool(head) and head[0] in _OPCODES and (head[0] >= 0x80 or head.rstrip(b"\r\n ").endswith(b"."))


def recognise(source: Source, blob: Blob, head: bytes) -> Seen:
    """What one blob is."""
    from gatepost.formats import companions, identify

    kind = identify(head, blob.size, blob.path, lambda: source.peek.tail(blob.oid)) if head else None
    if kind is None and blob.size:
        kind = companions(blob.path, source.has)
    return Seen(blob=blob, head=head, kind=kind)


def paths_of(seen: Sequence[Seen]) -> list[str]:
    """Every path of these blobs."""
    return [use.path for each in seen for use in each.blob.uses]
