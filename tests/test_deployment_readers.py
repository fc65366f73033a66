"""The shared readers of deployment: shell, Dockerfile, install commands, CI files, ignore files, bound images."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.manifests import ignores, workflow
from gatepost.manifests.dockerfile.stages import parse
from gatepost.manifests.installs.commands import installs
from gatepost.manifests.installs.sources import sources
from gatepost.manifests.places import is_development, is_dockerfile, is_example, is_generated
from gatepost.manifests.projects import Repository
from gatepost.manifests.shell import lines
from gatepost.manifests.shell.commands import split
from gatepost.manifests.shell.expansion import MAX_EXPANDED, expand
from gatepost.model import Context, Finding
from gatepost.rules.lock_freshness import deployment
from gatepost.rules.torch_source.images import check as images
from gatepost.tree.memory import MemoryTree, OverlayTree


def commands(text: str, **variables: str | None) -> list[tuple[int, list[str]]]:
    return [(one.line, list(one.texts)) for one in split(lines(text), variables)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a b && c; d || e", [["a", "b"], ["c"], ["d"], ["e"]], id="operators"),
        pytest.param("a 'b c' \"d e\" f\\ g", [["a", "b c", "d e", "f g"]], id="quotes"),
        pytest.param("a > out 2>&1 < in b", [["a", "b"]], id="redirections"),
        pytest.param("X=1 Y=2 sudo -E -u me env Z=3 pip install x", [["pip", "install", "x"]], id="wrappers"),
        pytest.param("bash -euxo pipefail -c 'a && b'", [["a"], ["b"]], id="a shell's string"),
        pytest.param("( cd /x; a ) && b", [["cd", "/x"], ["a"], ["b"]], id="subshell"),
        pytest.param("if [ -f x ]; then a; else b; fi; c", [["[", "-f", "x", "]"], ["a"], ["b"], ["c"]], id="if"),
        pytest.param("case $x in a|b) p ;; *) q ;; esac", [["p"], ["q"]], id="case"),
        pytest.param("cat <<EOF > f\npip install no\nEOF\nb", [["cat"], ["b"]], id="here-document"),
        pytest.param("a # b && c\nd", [["a"], ["d"]], id="comment"),
        pytest.param("a ${X:-y} $V", [["a", "y", "v", "w"]], id="words of an unquoted variable"),
        pytest.param("'unclosed", [["unclosed"]], id="broken quote"),
    ],
)
def test_commands_of_a_shell(text: str, expected: list[list[str]]) -> None:
    assert [words for _, words in commands(text, V="v w")] == expected


def test_a_word_that_cannot_be_known_says_so() -> None:
    (command,) = split(lines("pip install $(cat x) $Y ${{ matrix.z }} '$q'"))
    assert [(word.text, word.known) for word in command.words[2:]] == [
        ("", False),
        ("", False),
        ("", False),
        ("$q", True),
    ]


def test_directory_and_exports_last_as_long_as_their_shell() -> None:
    found = split(lines("cd app && export A=1 && a; (cd b; c); d"), {}, "/srv")
    assert [(one.texts[0], one.cwd, one.env.get("A")) for one in found if one.texts[0] in ("a", "c", "d")] == [
        ("a", "/srv/app", "1"),
        ("c", "/srv/app/b", "1"),
        ("d", "/srv/app", "1"),
    ]


def test_commands_behind_a_condition_are_marked() -> None:
    found = split(lines("a || b\n[ x ] && c\nif d; then e; fi\nf"))
    assert {one.texts[0] for one in found if one.conditional} >= {"b", "c", "e"}
    assert {one.texts[0] for one in found if not one.conditional} >= {"a", "f"}


@pytest.mark.parametrize(
    ("text", "files"),
    [
        pytest.param("if [ -f a ]; then x; fi", ["a"], id="if"),
        pytest.param("if test -e a; then if [[ -s b ]]; then x; fi; fi", ["a", "b"], id="if in if"),
        pytest.param("[ -f a ] && [ -f b ] && y && x", ["a", "b"], id="and"),
        pytest.param("bash -c '[ -f a ] && x'", ["a"], id="a shell's string"),
        pytest.param("x", [], id="nothing asked"),
        pytest.param("if [ -f a ]; then y; else x; fi", None, id="else"),
        pytest.param("if [ -f a ] && [ $B = 1 ]; then x; fi", None, id="something else too"),
        pytest.param("for i in 1 2; do [ -f a ] && x; done", None, id="loop"),
        pytest.param("[ -f $A ] && x", None, id="unknown file"),
        pytest.param("[ -f a ] && y || x", None, id="or"),
    ],
)
def test_files_that_decide(text: str, files: list[str] | None) -> None:
    (command,) = [one for one in split(lines(text)) if one.texts == ("x",)]
    assert (None if command.guards is None else [word.text for word in command.guards]) == files


DOCKERFILE = rb"""# escape=`
# a comment
ARG PY=3.11
FROM --platform=$BUILDPLATFORM python:${PY}-slim AS Base
ARG INDEX=https://index.example/cpu
ENV A=1 `
    # inside
    B="two words"
ENV OLD form of it

WORKDIR /app
RUN pip install `

    --index-url ${INDEX} `
    torch
COPY <<EOF /app/made.txt
pip install nothing
EOF
RUN <<-SCRIPT
	set -e
	pip install b
	SCRIPT
FROM base AS last
COPY --from=base --chown=1:1 ["/app/x y", "/srv/"]
RUN ["pip", "install", "c"]
"""


def test_dockerfile() -> None:
    first, last = parse(DOCKERFILE).stages
    assert (first.image, first.name, first.cwd) == ("python:3.11-slim", "base", "/app")
    assert {**first.env} == {"A": "1", "B": "two words", "OLD": "form of it"}
    runs = [one for step in first.steps for one in step.commands]
    assert [(word.text, word.line) for word in runs[0].words] == [
        ("pip", 12),
        ("install", 12),
        ("--index-url", 14),
        ("https://index.example/cpu", 14),
        ("torch", 15),
    ]
    assert [(one.line, one.texts[-1]) for one in runs[1:]] == [(20, "-e"), (21, "b")]
    assert [step.copies[0].inline for step in first.steps if step.kind == "copy"] == [True]
    assert (last.parent, last.image) == (0, "python:3.11-slim")
    (copy,) = last.steps[0].copies
    assert (copy.sources[0].text, copy.dest, copy.source) == ("/app/x y", "/srv/", "base")
    assert last.steps[1].commands[0].texts == ("pip", "install", "c")


@pytest.mark.parametrize(
    ("text", "tool", "action", "options"),
    [
        (
            "pip3.11 --no-cache-dir install -q -rreq.txt x",
            "pip",
            "install",
            [("--no-cache-dir", None), ("-q", None), ("-r", "req.txt")],
        ),
        ("python -m pip install -U x", "pip", "install", [("-U", None)]),
        ("uv --directory a sync --locked", "uv", "sync", [("--directory", "a"), ("--locked", None)]),
        ("uv pip install --system -r r.txt", "uv-pip", "install", [("--system", None), ("-r", "r.txt")]),
        ("poetry -C a install --only main", "poetry", "install", [("-C", "a"), ("--only", "main")]),
        ("conda install -y -c pytorch pytorch=2.1", "conda", "install", [("-y", None), ("-c", "pytorch")]),
        ("pipenv install --deploy", "pipenv", "install", [("--deploy", None)]),
    ],
)
def test_installs(text: str, tool: str, action: str, options: list[tuple[str, str | None]]) -> None:
    (found,) = installs(split(lines(text)))
    assert (found.tool, found.action) == (tool, action)
    assert [(option.name, option.value.text if option.value else None) for option in found.options] == options


@pytest.mark.parametrize("text", ["python -u -m", "python x.py install y", "python -m piptools sync", "pip", "sudo"])
def test_no_installs(text: str) -> None:
    assert installs(split(lines(text))) == ()


def test_options_win_over_the_environment() -> None:
    (found,) = installs(split(lines("pip install -i https://a.example x"), {"PIP_INDEX_URL": "https://b.example"}))
    index = sources(found).index
    assert index is not None and index.text == "https://a.example"


WORKFLOW = b"""on: push
env: {A: one}
defaults:
  run:
    working-directory: app
jobs:
  test:
    runs-on: ${{ matrix.os }}
    strategy:
      matrix: {os: [ubuntu-latest, windows-latest]}
    steps:
      - uses: actions/checkout@v4
      - name: install
        run: |

          pip install a
          pip install b
      - run: pip install c
        working-directory: ./web
"""


def test_workflow() -> None:
    (job,) = workflow.parse(".github/workflows/ci.yml", WORKFLOW)
    assert job.runners == ("ubuntu-latest", "windows-latest")
    assert [(one.line, one.texts[-1], one.cwd) for step in job.steps for one in step.commands] == [
        (16, "a", "/app"),
        (17, "b", "/app"),
        (18, "c", "/web"),
    ]


@pytest.mark.parametrize(
    ("pattern", "path", "ignored"),
    [
        ("*.lock", "uv.lock", True),
        ("*.lock", "app/uv.lock", False),
        ("**/*.lock", "app/uv.lock", True),
        ("*\n!uv.lock", "uv.lock", False),
        ("app/", "app/uv.lock", True),
        ("/uv.lock", "uv.lock", True),
        ("[z-a]", "uv.lock", False),
    ],
)
def test_dockerignore(pattern: str, path: str, ignored: bool) -> None:
    assert (ignores.docker_ignored(ignores.docker_patterns(pattern.encode()), path) is not None) is ignored


@pytest.mark.parametrize(
    ("files", "path", "ignored"),
    [
        ({".gitignore": b"*.lock\n"}, "app/uv.lock", True),
        ({".gitignore": b"/uv.lock\n"}, "app/uv.lock", False),
        ({".gitignore": b"*.lock\n", "app/.gitignore": b"!uv.lock\n"}, "app/uv.lock", False),
        ({".gitignore": b"app/\n!uv.lock\n"}, "app/uv.lock", True),
    ],
)
def test_gitignore(files: dict[str, bytes], path: str, ignored: bool) -> None:
    assert (ignores.git_ignored(path, files.get) is not None) is ignored


def test_names() -> None:
    assert all(
        map(is_dockerfile, ("Dockerfile", "a/Dockerfile.gpu", "gpu.Dockerfile", "Containerfile", "b/dockerfile"))
    )
    assert not any(
        map(is_dockerfile, ("Dockerfile.dockerignore", "Dockerfile.j2", "dockerfiles.py", "docs/dockerfile.md"))
    )
    assert all(
        map(is_generated, ("mlruns/0/x/Dockerfile", "venv/lib/site-packages/x.py", "wandb/run-1/requirements.txt"))
    )
    assert all(map(is_example, ("examples/a/Dockerfile", "x/tests/Dockerfile", "docs/Dockerfile")))
    assert is_development("Dockerfile.dev") and not is_development("Dockerfile.device")


BOUND = {
    "docker/Dockerfile": b"FROM python:3.12 AS a\nWORKDIR /w\nCOPY req*.txt src ./\nCOPY app /w/app\n"
    b"FROM python:3.12\nWORKDIR /z\nCOPY --from=a /w/app ./\nCOPY pyproject.toml renamed.toml\n",
    "requirements.txt": b"",
    "src/one.txt": b"",
    "app/two.txt": b"",
    "pyproject.toml": b"",
}


@pytest.mark.parametrize(
    ("stage", "path", "found"),
    [
        (0, "/w/requirements.txt", "requirements.txt"),
        (0, "/w/one.txt", "src/one.txt"),
        (0, "/w/app/two.txt", "app/two.txt"),
        (1, "/z/two.txt", "app/two.txt"),
        (1, "/z/renamed.toml", "pyproject.toml"),
        (1, "/z/requirements.txt", None),
        (1, "/elsewhere", None),
    ],
)
def test_a_file_of_the_image_is_found_in_the_repository(stage: int, path: str, found: str | None) -> None:
    (image,) = Repository(BOUND, BOUND.get).images()
    assert image.context == ""
    assert image.locate(image.dockerfile.stages[stage], 99, path) == found


def check_all(files: dict[str, bytes]) -> list[object]:
    ctx = Context(tree=MemoryTree(files), settings={}, args={}, env={})
    return [*deployment.check(ctx), *images.check(ctx)]


def test_the_fix_of_a_cpu_image_removes_its_finding() -> None:
    for end in (b"\n", b"\r\n"):
        files = {
            "Dockerfile": end.join(
                (b"FROM python:3.12-slim", b"COPY r.txt .", b"RUN pip install \\", b"    -r r.txt", b"")
            ),
            "r.txt": b"torch>=2.4,<3\ntorchvision\n",
        }
        tree = MemoryTree(files)
        (finding,) = images.check(Context(tree=tree, settings={}, args={}, env={}))
        assert isinstance(finding, Finding) and finding.fix is not None and finding.fix.safe
        assert finding.fix.edits[0].new is not None and finding.fix.edits[0].new.count(end) == 5
        after = OverlayTree(tree, finding.fix.edits)
        assert [one.code for one in images.check(Context(tree=after, settings={}, args={}, env={}))] == []


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.text(alphabet="RUNFOMCPYADEV$ {}()'\"\\`<>|&;=-#\n\t[]*.:/@pip installuvsync", max_size=300).map(str.encode),
    )
)
def test_nothing_that_is_written_raises(data: bytes) -> None:
    head = b"FROM python:3.12-slim\nCOPY . .\nRUN "
    check_all(
        {
            "Dockerfile": head + data,
            "b/Dockerfile": data,
            "requirements.txt": data + b"\ntorch",
            "pyproject.toml": data,
            "uv.lock": data + b"torch",
            ".dockerignore": data,
            ".gitignore": data,
            "compose.yaml": b"services:\n  build: " + data,
            ".github/workflows/a.yml": b"jobs:\n  a:\n    steps:\n    - run: |\n        " + data,
        }
    )


@pytest.mark.parametrize(
    "text",
    [
        b"services: &a [*a]\n",
        b"services: " + b"[" * 5000,
        b"FROM " + b"${A:-" * 3000,
        b"FROM a\nRUN " + b"(" * 20000,
        b"FROM a AS b\nFROM b AS a\nCOPY --from=b . .\nCOPY --from=a . .\n",
        b"FROM a\nRUN bash -c \"bash -c 'bash -c x'\"\n",
    ],
)
def test_hostile_files(text: bytes) -> None:
    check_all(
        {
            "Dockerfile": text,
            "compose.yaml": text,
            ".github/workflows/a.yml": text,
            "requirements.txt": b"-r requirements.txt\ntorch\n",
        }
    )


def test_a_variable_that_doubles_itself_is_not_known() -> None:
    variables: dict[str, str | None] = {"A": "x"}
    for _ in range(60):
        value, known = expand("${A}${A}", variables)
        variables["A"] = value if known else None
        assert len(value) <= MAX_EXPANDED
    assert variables["A"] is None
    assert expand("y" * 20_000 + "$B", {"B": "z"}) == ("y" * 20_000 + "z", True)  # only what variables add counts
