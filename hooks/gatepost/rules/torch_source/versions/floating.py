"""TS212: torch without an upper bound, where a file is installed from."""

from __future__ import annotations

import re

from gatepost.manifests import places
from gatepost.patterns import pattern
from gatepost.record import record
from gatepost.rules.torch_source import paths, specs
from gatepost.rules.torch_source.carriers import AWS_IMAGE
from gatepost.rules.torch_source.routing.options import extra_index
from gatepost.rules.torch_source.versions.builds import unpublished_build
from gatepost.rules.torch_source.versions.ranges import ceiling, held, tightened
from gatepost.rules.torch_source.view import elsewhere, found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatepost.manifests.requirements import ReqLine
    from gatepost.model import Finding
    from gatepost.rules.torch_source.model import Project, Requirement
    from gatepost.rules.torch_source.view import View

    Findings = Iterator[Finding]


@record
class _Use:
    """A command that installs a requirements file."""

    image: bool  # of a Dockerfile
    index: str  # PyTorch's index that it gives alone, or ""
    there: str  # the release of torch that is there by then, or ""
    held: bool  # a constraints file that bounds torch comes with it


def floating(p: Project, v: View) -> Findings:
    """TS212: torch without an upper bound in a file that machines install from."""
    if p.tool != "pip" or p.of_a_task() or places.is_retired(p.path) or _NOT_DEPLOYED.search(p.path.rpartition(".")[0]):
        return
    for req in p.named("torch"):
        if (
            req.url
            or req.spec.broken
            or req.where.path != p.path
            or tightened(p, req).bounded_above()
            or req.spec.pin()
            or held(p, v, req)
            or ceiling(p, v, req) is not None
        ):
            continue
        if (p.path.endswith(".in") and p.path[:-3] + ".txt" in set(v.tree.paths())) or _meant(v, req):
            continue
        uses = _uses(p.path, v)
        if _serves_others(p.path, v, uses) or (not uses and _left_alone(p.path, v)):
            continue
        if uses and all(use.held or (use.there and req.spec.admits(use.there)) for use in uses):
            continue  # torch is there by then, and that release will do; or a constraints file decides
        if any(one.where == req.where for one in unpublished_build(p, v)):
            continue  # TS207: it takes no torch at all
        if any(one.code == "TS121" for one in extra_index(p, v)):
            continue  # it says the worse
        given = {use.index for use in uses}
        own = [index for index in p.indexes if index.parts().official]
        index = given.pop() if len(given) == 1 else ""
        yield found(
            "TS212",
            req.where,
            f"`torch{req.text.strip()}` has no upper bound: each install takes whatever is newest"
            + (f" at {index}" if index else "" if own else ", with its own CUDA"),
            "Pin it: `pip show torch` in the built image names the release that works."
            if any(use.image for use in uses)
            else f"Pin it, or compile the file: `{_compile(p, v, index)}`.",
        )
        return


_NOT_DEPLOYED = pattern(r"(?:^|[/_.-])(?:dev|test|tests|docs?|lint|ci|build|constraints?)(?:[_.-]|/|$)")
_TORCH_THERE = pattern(
    r"\binstall\b[^\n;&|]*[\s\"']torch(?:==(?P<pin>\d[\d.]*))?(?![\w<>=!~.\[-])[^\n;&|]*(?:--(?:default-)?index-url|--default-index|\s-i)[\s=]+[\"']?https://"
    r"download\.pytorch\.org/whl/(?P<build>\w+)"
)
_INDEX_GIVEN = pattern(
    r"(?:--index-url|--default-index|\s-i)[\s=]+[\"']?(https://download\.pytorch\.org/whl/\w+)/?(?![^\s\"'])"
)
_AGAIN = pattern(r"\s(?:-U|--upgrade|--force-reinstall|-I|--ignore-installed)(?=\s|$)")
_CONSTRAINED = pattern(r"(?:\s-c|--constraints?)[\s=]+[\"']?([^\s\"']+)")
_CONSTRAINED_BY = pattern(r"(?:PIP|UV)_CONSTRAINT[=\s:]+[\"']?([^\s\"']+)")


_NO_BOUND = pattern(r"#.*\b(?:do not|don't|never|not)\s+(?:be\s+)?(?:cap|pin|bound|limit)", re.IGNORECASE)


def _meant(v: View, req: Requirement) -> bool:
    """Whether a comment on the line, or on the one above, says that nobody is to bound it there."""
    rows = (v.tree.read(req.where.path) or b"").decode("utf-8", "replace").splitlines()
    line = req.where.line or 0
    own = rows[line - 1 : line]
    above = [row for row in rows[max(line - 2, 0) : max(line - 1, 0)] if row.lstrip().startswith("#")]
    return any(_NO_BOUND.search(row) for row in own + above)


def _uses(path: str, v: View) -> list[_Use]:
    """The commands of the repository that install a requirements file."""
    name = re.escape(path.rpartition("/")[2])
    uses = re.compile(
        rf"\binstall\b[^\n;&|]*\s(?:-r|--requirements?)[=\s]*[\"']?(?:[^\s\"']*/)?{name}(?![\w.-])[^\n;&|]*"
    )
    found_uses = []
    for other, text in v.installers():
        if path.rpartition("/")[2] not in text or elsewhere(other, text, path):
            continue
        image = places.is_dockerfile(other)
        for use in uses.finditer(text):
            index = _INDEX_GIVEN.search(use[0])
            given = index[1] if index and "--extra-index" not in use[0] else ""
            there = "" if _AGAIN.search(use[0]) else _there(text, use.start(), v) or (_framework(text) if image else "")
            found_uses.append(_Use(image=image, index=given, there=there, held=_constrained(text, use[0], v)))
    return found_uses


def _there(text: str, at: int, v: View) -> str:
    """The release of torch that a command before a place has installed from one of PyTorch's indexes, or ""."""
    before = [first for first in _TORCH_THERE.finditer(text) if first.end() <= at]
    if not before:
        return ""
    last = v.table.last_for(before[-1]["build"])
    return before[-1]["pin"] or (last.torch if last is not None else v.table.newest)


_ARG = pattern(r"(?m)^[ \t]*ARG[ \t]+(\w+)=[\"']?([^\s\"']+)")
_FROM = pattern(r"(?im)^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(\S+)(?:[ \t]+AS[ \t]+(\S+))?")
_PYTORCH = pattern(r"(?:docker\.io/)?pytorch/pytorch:(\d+\.\d+\.\d+)(?:-\S*)?")


def _framework(dockerfile: str) -> str:
    """The torch of PyTorch's own image, or of AWS's, where every stage of a Dockerfile stands on one release of it, or ""."""
    defaults = dict(_ARG.findall(dockerfile))
    stages: set[str] = set()
    held_there = set()
    for base, name in _FROM.findall(dockerfile):
        base = re.sub(r"\$\{?(\w+)\}?", lambda hit: defaults.get(hit[1], hit[0]), base)
        if base.lower() not in stages:
            known = _PYTORCH.fullmatch(base) or AWS_IMAGE.search(base)
            held_there.add(known[1] if known else "")
        stages.add(name.lower())
    return held_there.pop() if len(held_there) == 1 else ""


def _constrained(text: str, command: str, v: View) -> bool:
    """Whether a command installs with a constraints file, of its own or of its environment, that bounds torch."""
    names = {
        found_[1].rpartition("/")[2] for found_ in (*_CONSTRAINED.finditer(command), *_CONSTRAINED_BY.finditer(text))
    }
    return any(
        line.name.lower() == "torch" and specs.parse(line.specifier).bounded_above()
        for path in v.tree.paths()
        if path.rpartition("/")[2] in names
        for line in _lines(v.tree.read(path))
    )


def _lines(data: bytes | None) -> Iterator[ReqLine]:
    from gatepost.manifests import requirements

    yield from requirements.parse(data).lines if data and paths.names_torch(data) else ()


def _serves_others(path: str, v: View, uses: list[_Use]) -> bool:
    """Whether the file is what a package requires, by setup.py or pyproject.toml's dynamic dependencies, and no image's."""
    folder, name = path, ""
    while folder:
        folder, _, part = folder.rpartition("/")
        name = f"{part}/{name}" if name else part
        for manifest, word in (("setup.py", b"install_requires"), ("pyproject.toml", b"dynamic")):
            data = v.tree.read(f"{folder}/{manifest}" if folder else manifest) or b""
            if word in data and re.search(rb"[\"']" + re.escape(name.encode()) + rb"[\"']", data):
                return not any(use.image for use in uses)
    return False


def _left_alone(path: str, v: View) -> bool:
    """Whether nothing is said to install a file: an example, or one beside an environment of conda's that is installed."""
    name = re.escape(path.rpartition("/")[2])
    named = re.compile(rf"\b(?:pip|uv|install|COPY|ADD|copy)\b[^\n]*{name}|(?:-r|--requirements?)[=\s]*\S*{name}")
    if any(named.search(text) for _, text in v.installers()):
        return False
    return places.is_example(path) or any(
        re.search(r"\b(?:conda|mamba|micromamba)\b[^\n]*\s(?:-f|--file)[=\s]*\S*\.ya?ml\b", text)
        for _, text in v.installers()
    )


def _compile(p: Project, v: View, index: str) -> str:
    """The command that writes down the versions of a requirements file, run from the root of the repository."""
    import shlex

    stem, dot, suffix = p.path.rpartition(".")
    written = f"{stem}.txt" if suffix == "in" else f"{stem if dot and '/' not in suffix else p.path}.lock"
    options = [f"--index-url {index}"] if index else []
    if p.indexes:
        options.append("--emit-index-url")
    if any(one.written == "extra-index-url" for one in p.indexes) and v.reader(p.path) == "pip":
        options.append("--index-strategy unsafe-best-match")
    return " ".join(["uv pip compile", *options, "--output-file", shlex.quote(written), shlex.quote(p.path)])
