"""What is said of a hit: its kind, its public prefix and its place, never the secret."""

from __future__ import annotations

import re

from gatepost.model import Finding, Location
from gatepost.rules.secrets.hit import NAMED, TOKEN, URL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepost.model import Severity
    from gatepost.rules.secrets.files import Seen

_TESTS = re.compile(
    r"(?:^|/)(?:tests?|testing|testdata|test_data|fixtures?|__tests__|spec|vendor|third_party|node_modules)/|(?:^|/)(?:test_[^/]*|[^/]*_test(?:_?data)?)\.\w+$|\.(?:test|spec)\.[jt]sx?$"
)


def finding(seen: Seen) -> Finding:
    """The message of a hit: its kind and masked prefix, never the secret."""
    hit = seen.hit
    length = len(hit.secret)
    where = ""
    if seen.cell is not None:
        where = f" in the output of cell {seen.cell}" if seen.output else f" in cell {seen.cell}"
    allow = "if it is no secret, add the comment `pragma: allowlist secret` to its line."
    severity: Severity | None = None
    if hit.kind == TOKEN:
        message = f"{hit.about} token `{hit.prefix}****` ({length} characters){where}"
        read = f' and read it from the environment: `os.environ["{hit.variable}"]`' if hit.variable else ""
        remedy = f"revoke it at {hit.about}{read}; {allow}"
        severity = "warning" if hit.about == "JWT" and _TESTS.search(seen.path) else None
    elif hit.kind == NAMED:
        message = f"`{hit.about}` is set to what looks like a key, `****` ({length} characters){where}"
        read = f'`os.environ["{hit.variable}"]`' if hit.variable else "the environment"
        remedy = f"revoke the key and read it from {read}; {allow}"
        severity = "warning" if _TESTS.search(seen.path) else None
    elif hit.kind == URL:
        message = f"URL with a credential for {_host(hit.about)}, `****` ({length} characters){where}"
        remedy = "change the password, and keep it in the environment, a keyring or ~/.netrc, out of the URL; " + allow
    else:
        message = f"{hit.about}{where}"
        remedy = "make a new key, replace this one wherever it is trusted, and keep it out of git; " + allow
        severity = "warning" if _TESTS.search(seen.path) else None
    if seen.output:
        remedy = (
            f"revoke it, then clear the outputs with `jupyter nbconvert --clear-output --inplace {_quote(seen.path)}`."
        )
    return Finding(
        code=seen.code,
        where=Location(path=seen.path, line=seen.line),
        message=message,
        remedy=remedy,
        severity=severity,
    )


def _host(host: str) -> str:
    return host if re.fullmatch(r"[a-z0-9.\-_]{1,100}", host) else "a host"


def _quote(path: str) -> str:
    import shlex

    return shlex.quote(path)


def env_file(path: str, names: tuple[str, ...]) -> Finding:
    shown = ", ".join(f"`{name}`" for name in names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return Finding(
        code="SE105",
        where=Location(path=path, line=1),
        message=f"environment file is tracked by git and sets {shown}",
        remedy=f"run `git rm --cached -- {_quote(path)}`, add its name to .gitignore, and commit a template with empty values.",
    )
