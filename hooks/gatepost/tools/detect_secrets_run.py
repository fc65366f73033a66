"""Run Yelp's detect-secrets with what it lacks for AI projects, and without what blinds it.

    python -m gatepost.tools.detect_secrets_run [--baseline FILE] FILES...

* Our rule table as plugins, loaded from this package (no path in a baseline, which would not travel).
* Its entropy and keyword guesses off: they are most of its false alarms in notebooks and lock files.
* `is_indirect_reference` off: it hides every secret on a line such as `x = f(key="...")`.
* `is_potential_uuid` off: it hides every secret that contains a UUID.
* No verification: nothing is sent anywhere.
* Notebooks as cells and outputs, not as JSON.
* A baseline is read and never written: no race between parallel runs, and a slim one stays slim.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from detect_secrets.core.potential_secret import PotentialSecret

# Its own plugins whose formats our table lacks.
_PLUGINS = (
    "CloudantDetector",
    "DiscordBotTokenDetector",
    "IbmCloudIamDetector",
    "IbmCosHmacDetector",
    "MailchimpDetector",
    "NpmDetector",
    "SoftlayerDetector",
    "SquareOAuthDetector",
    "TwilioKeyDetector",
)
_OURS = (
    "GatepostTokenDetector",
    "GatepostNamedKeyDetector",
    "GatepostUrlCredentialDetector",
    "GatepostPrivateKeyDetector",
)
_FILTERS = (
    "detect_secrets.filters.allowlist.is_line_allowlisted",
    "detect_secrets.filters.heuristic.is_sequential_string",
    "detect_secrets.filters.heuristic.is_templated_secret",
    "detect_secrets.filters.heuristic.is_prefixed_with_dollar_sign",
    "detect_secrets.filters.heuristic.is_not_alphanumeric_string",
    "detect_secrets.filters.heuristic.is_swagger_file",
)


def config() -> dict[str, Any]:
    """The settings for `transient_settings`: plugins, ours by their file, and filters."""
    from gatepost.tools import detect_secrets_plugins

    path = f"file://{os.path.abspath(detect_secrets_plugins.__file__)}"
    return {
        "plugins_used": [{"name": name} for name in _PLUGINS] + [{"name": name, "path": path} for name in _OURS],
        "filters_used": [{"path": path} for path in _FILTERS],
    }


def scan(files: list[str]) -> Iterator[PotentialSecret]:
    """Each secret that detect-secrets finds in the files of the work tree, in the order of `files`."""
    from detect_secrets.core.scan import _is_filtered_out
    from detect_secrets.settings import transient_settings

    from gatepost.rules.secrets.notebook import Places, parts

    with transient_settings(config()):
        for path in files:
            if _is_filtered_out(required_filter_parameters=["filename"], filename=path):
                continue
            data = _read(path)
            if data is None:
                continue
            texts = parts(data) if path.endswith(".ipynb") else None
            if texts is None:
                yield from _lines(path, data)
                continue
            places = Places(data)
            for part in texts:
                rows = part.text.split(b"\n")
                at: dict[tuple[int, str], int] = {}
                for found in _lines(path, part.text):
                    value, row = found.secret_value or "", found.line_number
                    if (row, value) not in at:  # two plugins may find one value
                        text = value.encode("utf-8", "surrogatepass")
                        at[row, value] = places.line(text if text in rows[row - 1] else rows[row - 1].strip())
                    yield _moved(found, at[row, value])


def _read(path: str) -> bytes | None:
    """A file's text, UTF-16 as UTF-8; None for what is no text or cannot be read."""
    from gatepost.rules.secrets.files import as_text

    try:
        with open(path, "rb") as stream:
            return as_text(stream.read())
    except OSError:
        return None


def _lines(path: str, data: bytes) -> Iterator[PotentialSecret]:
    """What the plugins find in the lines of a text, each numbered as it stands there.

    Not by `scan_file` of detect-secrets 1.5: it rewrites YAML and INI files first, which moves the text of a block
    (`key: >-`) to the line above, and it opens no UTF-16. A text in which no plugin can find anything, as most are, is
    not taken apart.
    """
    from detect_secrets.core.scan import _process_line_based_plugins

    text = data.decode("utf-8", "replace")
    if _promising(data, text, path):
        yield from _process_line_based_plugins(lines=list(enumerate(text.split("\n"), start=1)), filename=path)


def _promising(data: bytes, text: str, path: str) -> bool:
    from detect_secrets.settings import get_plugins

    from gatepost.rules.secrets.scan import Scanner

    return bool(Scanner().scan(data, path)) or any(
        regex.search(text) for plugin in get_plugins() for regex in getattr(plugin, "denylist", ())
    )


def _moved(secret: PotentialSecret, line: int) -> PotentialSecret:
    from detect_secrets.core.potential_secret import PotentialSecret

    return PotentialSecret(
        type=secret.type, filename=secret.filename, secret=secret.secret_value or "", line_number=line
    )


def main(argv: list[str]) -> int:
    """Scan the files given. Returns 0 when all is clean or known, 1 with findings, 2 for a baseline that cannot be read."""
    baseline = ""
    files: list[str] = []
    words = iter(argv)
    for word in words:
        if word == "--baseline":
            baseline = next(words, "")
        elif word.startswith("--baseline="):
            baseline = word.partition("=")[2]
        elif word != "--" and not word.startswith("-"):
            files.append(word)
    baseline = os.path.normpath(baseline) if baseline else ""
    known = _known(baseline)
    if known is None:
        print(
            f"{baseline}: error[detect-secrets] the baseline cannot be read\n    fix: make it again with `detect-secrets scan --slim > {baseline}`."
        )
        return 2
    seen = set()
    wanted = [path for path in files if os.path.normpath(path) != baseline]
    for secret in scan(wanted):
        path = secret.filename.replace(os.sep, "/").removeprefix("./")
        hashes = {secret.secret_hash, *_other_hashes(secret)}
        if not hashes.isdisjoint(known.get(path, ())) or not hashes.isdisjoint(known.get("", ())):
            continue
        seen.add((path, secret.line_number, secret.type, len(secret.secret_value or "")))
    for path, line, kind, length in sorted(seen):
        print(f"{path}:{line}: error[detect-secrets] {kind}, `****` ({length} characters)")
        print(
            "    fix: revoke it and read it from the environment; if it is no secret, add the comment `pragma: allowlist secret` to its line."
        )
    return 1 if seen else 0


def _known(path: str) -> dict[str, frozenset[str]] | None:
    """Digests by path from a baseline; under "" those whose own file is gone (it may have been renamed)."""
    if not path or not os.path.exists(path):
        return {}
    from gatepost.rules.secrets.baseline import BaselineError, parse_detect_secrets

    try:
        with open(path, "rb") as stream:
            found = dict(parse_detect_secrets(stream.read()))
    except (OSError, BaselineError):
        return None
    found[""] = frozenset(one for name, digests in found.items() if not os.path.exists(name) for one in digests)
    return found


def _other_hashes(secret: PotentialSecret) -> frozenset[str]:
    """What another plugin of detect-secrets would have stored for the same secret."""
    from gatepost.rules.secrets.baseline import sha1s

    line = b""
    try:
        with open(secret.filename, "rb") as stream:
            for number, text in enumerate(stream, 1):
                if number == secret.line_number:
                    line = text
                    break
    except OSError:
        pass
    return sha1s((secret.secret_value or "").encode("utf-8", "surrogateescape"), line)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
