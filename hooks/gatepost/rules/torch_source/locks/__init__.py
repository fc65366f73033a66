"""TS3xx: what the lock really installs, against what the manifest means."""

from __future__ import annotations

from gatepost.rules.torch_source.locks import agreement, numpy_two, origin, resolved, wheels

RULES = (
    resolved.origin,
    resolved.stale,
    agreement.stale_conda,
    wheels.missing_wheel,
    wheels.missing_python,
    wheels.mixed_entry,
    wheels.strangers,
    agreement.disagree,
    origin.foreign_files,
    agreement.tag_mix_locked,
    numpy_two.numpy_two_locked,
)
