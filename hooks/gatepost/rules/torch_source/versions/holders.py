"""Packages that hold another one below a version, by their own metadata (resolved with uv 0.13.8, 2026-11)."""

from __future__ import annotations

from gatepost.rules.torch_source import specs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.rules.torch_source.model import Project, Requirement

# The first and the last release that requires numpy below 2.
NUMPY_ONE = {
    "pandas": ("2.1.4", "2.2.1"),
    "scipy": ("1.10.1", "1.12.0"),
    "statsmodels": ("0.14.1", "0.14.1"),
    "scikit-learn": ("1.3.1", "1.4.1.post1"),
    "transformers": ("4.42.0", "4.42.4"),
    "gradio": ("3.50.2", "4.20.0"),
    "pyarrow": ("15.0.0", "15.0.2"),
    "accelerate": ("0.33.0", "0.33.0"),
}
# From which release on a package requires one line of torchaudio ("": each does), and the torch that the newest
# release is for: beside that, a range without an end gets such a release too.
ONE_TORCHAUDIO = {
    "chatterbox-tts": ("", ""),
    "sglang": ("0.5.6", "2.9.1"),
    "vllm": ("0.8.5", ""),
    "whisperx": ("3.8.0", "2.8.0"),
}


def holds_numpy_one(p: Project, torch: Requirement) -> bool:
    """Whether a pin beside torch requires numpy below 2."""
    for name, (first, last) in NUMPY_ONE.items():
        for other in p.named(name):
            at = specs.key(other.spec.pin()) if other.spec.pin() else None
            low, high = specs.key(first), specs.key(last)
            if at and low and high and low <= at <= high and not other.marker and _beside(p, torch, other):
                return True
    return False


def holds_torchaudio(p: Project, torch: Requirement, audio: Requirement) -> bool:
    """Whether a package beside torch and torchaudio asks for one line of torchaudio, so that the newest cannot come."""
    return any(
        not other.marker
        and not other.url
        and _beside(p, torch, other)
        and _beside(p, audio, other)
        and (
            not first
            or not other.spec.admits_older(first)
            or (bool(newest) and torch.spec.admits(newest) and not other.spec.bounded_above())
        )
        for name, (first, newest) in ONE_TORCHAUDIO.items()
        for other in p.named(name)
    )


def _beside(p: Project, left: Requirement, right: Requirement) -> bool:
    return left.env == right.env or p.together(left, right)
