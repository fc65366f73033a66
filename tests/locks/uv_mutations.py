"""Projects for uv, and edits of them: (project, what is edited, edits). The expected verdict is the real tool's.

An edit is (path, old, new): `old` replaced once by `new`; old "" appends, "^" prepends, None writes the whole file,
and new None deletes it. `DIFFER` names rows on which versions of uv disagree with one another.
"""

from __future__ import annotations

from tests.locks.local_index import Packages

PACKAGES: Packages = {
    "alpha": {"1.0": [], "1.1": [], "1.2": [], "2.0": ["beta>=1"], "2.1": ["beta>=1", "gamma; extra == 'fast'"]},
    "beta": {"1.0": [], "1.1": [], "2.0": []},
    "gamma": {"1.0": [], "1.5": ["delta"]},
    "delta": {"0.9": [], "1.0": []},
    "eps-ilon": {"1.0": [], "1.0.1": [], "3.0": []},
    "zeta": {"0.1": [], "0.2": [], "1.0rc1": []},
    "eta": {"8.0": [], "8.1": [], "8.1.5": [], "8.2": []},
    "theta": {"2.31": [], "2.32": []},
    "hatchling": {"1.27": []},
    "tool-a": {"1.0": []},
    "tool-b": {"1.0": []},
}

P = "pyproject.toml"
SINGLE = """\
[project]
name = "demo"
version = "0.1.0"
description = "A demo"
requires-python = ">=3.10"
dependencies = [
    "alpha[fast]>=2.0",
    "beta>=1,<3",
    "theta>=2.31",
    "eta~=8.1",
    "zeta; python_version < '3.12'",
    "eps-ilon; sys_platform == 'linux' or sys_platform == 'darwin'",
]

[project.optional-dependencies]
more = ["gamma>=1.0"]
plot = ["delta>=0.9"]

[project.scripts]
demo = "demo:main"

[dependency-groups]
dev = ["tool-a>=1", {include-group = "lint"}]
lint = ["tool-b"]

[tool.ruff]
line-length = 100
"""
RICH = """\
[project]
name = "rich-demo"
version = "1.2.3"
requires-python = ">=3.10,<4"
dependencies = ["alpha", "beta", "theta", "local-lib"]

[project.optional-dependencies]
cpu = ["gamma==1.0"]
gpu = ["gamma==1.5"]

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[dependency-groups]
dev = ["tool-a"]

[[tool.uv.index]]
name = "main"
url = "@INDEX@"
default = true

[[tool.uv.index]]
name = "second"
url = "@INDEX@"

[tool.uv]
environments = ["sys_platform == 'linux'", "sys_platform == 'darwin'"]
required-environments = ["sys_platform == 'linux' and platform_machine == 'x86_64'"]
constraint-dependencies = ["beta<3", "delta<2"]
override-dependencies = ["theta>=2"]
build-constraint-dependencies = ["hatchling<2"]
conflicts = [[{extra = "cpu"}, {extra = "gpu"}]]
exclude-newer = "2025-01-01T00:00:00Z"

[tool.uv.sources]
local-lib = { path = "libs/local", editable = true }
theta = { index = "second", marker = "sys_platform == 'linux'" }
"""
LOCAL = """\
[project]
name = "local-lib"
version = "0.5"
requires-python = ">=3.9"
dependencies = ["delta"]

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
"""
ROOT = """\
[project]
name = "root"
version = "1.0"
requires-python = ">=3.10"
dependencies = ["core", "alpha"]

[tool.uv.workspace]
members = ["packages/*"]
exclude = ["packages/skipped"]

[tool.uv.sources]
core = { workspace = true }
"""
CORE = """\
[project]
name = "core"
version = "0.2"
requires-python = ">=3.9"
dependencies = ["beta>=1"]

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
"""
APP = """\
[project]
name = "app"
version = "0.3"
requires-python = ">=3.10"
dependencies = ["core", "gamma"]

[dependency-groups]
dev = ["tool-b"]

[tool.uv.sources]
core = { workspace = true }
"""
VIRTUAL = """\
[dependency-groups]
dev = ["alpha>=1", "beta; python_version >= '3.11'"]
docs = ["gamma"]
empty = []

[tool.uv.workspace]
members = ["pkg"]
"""
PKG = '[project]\nname = "pkg"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["delta"]\n'
DYNAMIC = """\
[project]
name = "dyn"
dynamic = ["version"]
requires-python = ">=3.10"
dependencies = ["alpha>=1"]

[project.optional-dependencies]
a = ["beta"]
all = ["dyn[a]", "gamma"]

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
"""
SCRIPT = """\
#!/usr/bin/env python
# /// script
# requires-python = ">=3.10"
# dependencies = [
#     "alpha>=1",
#     "beta",
# ]
# [tool.uv]
# constraint-dependencies = ["beta<3"]
# ///
print("hello")
"""
FREE = '[project]\nname = "free"\nversion = "1.0"\ndependencies = ["alpha"]\n'

PROJECTS: dict[str, dict[str, str]] = {
    "single": {P: SINGLE},
    "rich": {P: RICH, "libs/local/pyproject.toml": LOCAL},
    "space": {P: ROOT, "packages/core/pyproject.toml": CORE, "packages/app/pyproject.toml": APP},
    "virtual": {P: VIRTUAL, "pkg/pyproject.toml": PKG},
    "script": {"tool.py": SCRIPT},
    "free": {P: FREE},
}
LOCKS = {"script": "tool.py.lock"}

Edit = tuple[str, "str | None", "str | None"]
Row = tuple[str, str, list[Edit]]


def _rows(project: str, path: str, *rows: tuple[str, str | None, str | None]) -> list[Row]:
    return [(project, name, [(path, old, new)]) for name, old, new in rows]


ROWS: list[Row] = [
    *[(project, "untouched", []) for project in PROJECTS],
    *_rows(
        "single", P,
        ("comment at the end", "", "# nothing\n"), ("comment at the start", "^", "# nothing\n"),
        ("comment inside the list", '    "beta>=1,<3",', '    # why\n    "beta>=1,<3",  # because'),
        ("blank lines", "[project.scripts]", "\n\n[project.scripts]"), ("description", "A demo", "Another"),
        ("readme", 'description = "A demo"', 'description = "A demo"\nreadme = "README.md"'),
        ("keywords", 'description = "A demo"', 'keywords = ["a"]'),
        ("classifiers", 'description = "A demo"', 'classifiers = ["Private :: Do Not Upload"]'),
        ("authors", 'description = "A demo"', 'authors = [{name = "A"}]'),
        ("urls", "[project.scripts]", '[project.urls]\nhome = "https://index.example"\n[project.scripts]'),
        ("scripts", 'demo = "demo:main"', 'demo = "demo:other"'), ("another tool", "= 100", "= 120"),
        ("order of dependencies", '    "beta>=1,<3",\n    "theta>=2.31",', '    "theta>=2.31",\n    "beta>=1,<3",'),
        ("order of clauses", "beta>=1,<3", "beta<3,>=1"), ("spaces in a requirement", "beta>=1,<3", "beta >= 1, < 3"),
        ("parentheses", "beta>=1,<3", "beta (>=1,<3)"), ("case of a name", "beta>=1", "Beta>=1"),
        ("underscore in a name", "eps-ilon;", "eps_ilon;"), ("dot in a name", "eps-ilon;", "Eps.Ilon;"),
        ("case of an extra", "alpha[fast]", "alpha[FAST]"), ("spaces in extras", "alpha[fast]", "alpha [ fast ]"),
        ("case of a group", "dev = [", "DEV = ["), ("case of an extra's key", "more = [", "More = ["),
        ("identical duplicate", '    "theta>=2.31",', '    "theta>=2.31",\n    "theta>=2.31",'),
        ("trailing zero", "theta>=2.31", "theta>=2.31.0"), ("version respelled", '"0.1.0"', '"0.1"'),
        ("version with v", '"0.1.0"', '"v0.1.0"'), ("full version in a marker", "python_version <", "python_full_version <"),
        ("less or equal in a marker", "< '3.12'", "<= '3.11'"),
        ("reversed operands", "python_version < '3.12'", "'3.12' > python_version"),
        ("tautology", '"theta>=2.31"', "\"theta>=2.31; os_name == 'nt' or os_name != 'nt'\""),
        ("implied by requires-python", '"theta>=2.31"', "\"theta>=2.31; python_version >= '3.8'\""),
        ("platform_system", "sys_platform == 'linux' or", "platform_system == 'Linux' or"),
        ("order in or", "sys_platform == 'linux' or sys_platform == 'darwin'",
         "sys_platform == 'darwin' or sys_platform == 'linux'"),
        ("parenthesised marker", "sys_platform == 'linux' or sys_platform == 'darwin'",
         "(sys_platform == 'linux') or (sys_platform == 'darwin')"),
        ("requires-python trailing zero", '">=3.10"', '">=3.10.0"'),
        ("requires-python with a hole", '">=3.10"', '">=3.10,!=3.11.0"'),
        ("order of extras", 'more = ["gamma>=1.0"]\nplot = ["delta>=0.9"]', 'plot = ["delta>=0.9"]\nmore = ["gamma>=1.0"]'),
        ("include-group inlined", '{include-group = "lint"}', '"tool-b"'),
        ("dev group in tool.uv", 'dev = ["tool-a>=1", {include-group = "lint"}]\nlint = ["tool-b"]',
         'lint = ["tool-b"]\n[tool.uv]\ndev-dependencies = ["tool-a>=1", "tool-b"]'),
        ("empty constraints", "", "[tool.uv]\nconstraint-dependencies = []\n"),
        ("source for an unused package", "", '[tool.uv.sources]\nunused = { git = "https://index.example/x" }\n'),
        ("index-strategy", "", '[tool.uv]\nindex-strategy = "unsafe-best-match"\n'),
        ("no-build-package", "", '[tool.uv]\nno-build-package = ["x"]\n'), ("link-mode", "", '[tool.uv]\nlink-mode = "copy"\n'),
        ("cache-keys", "", '[tool.uv]\ncache-keys = [{file = "x"}]\n'),
        ("resolution highest", "", '[tool.uv]\nresolution = "highest"\n'),
        ("package false", "", "[tool.uv]\npackage = false\n"), ("workspace of nobody", "", "[tool.uv.workspace]\nmembers = []\n"),
        ("CRLF", None, SINGLE.replace("\n", "\r\n")), ("BOM", "^", "\ufeff"),
        ("dependency added", '    "beta>=1,<3",', '    "beta>=1,<3",\n    "delta",'),
        ("dependency added that is locked", '    "beta>=1,<3",', '    "beta>=1,<3",\n    "gamma",'),
        ("dependency removed", '    "beta>=1,<3",\n', ""), ("dependency renamed", "theta>=2.31", "delta"),
        ("loosened", "theta>=2.31", "theta>=2"), ("tightened", "theta>=2.31", "theta>=2.32"),
        ("specifier dropped", "theta>=2.31", "theta"), ("pinned", "theta>=2.31", "theta==2.32"),
        ("unsatisfiable", "theta>=2.31", "theta>=9"), ("upper bound", "theta>=2.31", "theta>=2.31,<3"),
        ("excluded version", "theta>=2.31", "theta>=2.31,!=2.32"), ("compatible shorter", "eta~=8.1", "eta~=8.0"),
        ("compatible longer", "eta~=8.1", "eta~=8.1.0"), ("compatible spelled out", "eta~=8.1", "eta>=8.1,==8.*"),
        ("redundant clause", "theta>=2.31", "theta>=2.31,>=2.30"), ("pre-release bound", "theta>=2.31", "theta>=2.31rc1"),
        ("greater than", "theta>=2.31", "theta>2.31"), ("arbitrary equality", "theta>=2.31", "theta===2.32"),
        ("epoch", "theta>=2.31", "theta>=0!2.31"), ("local label", "theta>=2.31", "theta>=2.31+cpu"),
        ("duplicate with another specifier", '    "theta>=2.31",', '    "theta>=2.31",\n    "theta>=2.30",'),
        ("extra dropped", "alpha[fast]", "alpha"), ("extra unknown", "alpha[fast]", "alpha[slow]"),
        ("extra added", "beta>=1,<3", "beta[x]>=1,<3"), ("duplicate extra", "alpha[fast]", "alpha[fast,fast]"),
        ("marker added", '"theta>=2.31"', "\"theta>=2.31; sys_platform == 'linux'\""),
        ("marker dropped", "zeta; python_version < '3.12'", "zeta"),
        ("marker changed", "< '3.12'", "< '3.13'"), ("marker to less or equal", "< '3.12'", "<= '3.12'"),
        ("marker inverted", "python_version < '3.12'", "python_version >= '3.12'"),
        ("impossible marker", '"theta>=2.31"', "\"theta>=2.31; python_version < '3.5'\""),
        ("impossible dependency added", '"theta>=2.31"', "\"theta>=2.31\", \"delta; python_version < '3.5'\""),
        ("os_name for sys_platform", "sys_platform == 'linux' or sys_platform == 'darwin'", "os_name == 'posix'"),
        ("one platform less", "sys_platform == 'linux' or sys_platform == 'darwin'", "sys_platform == 'linux'"),
        ("and for or", "'linux' or sys", "'linux' and sys"), ("implementation", "python_version < '3.12'", "implementation_name == 'cpython'"),
        ("in a list of platforms", "sys_platform == 'linux' or sys_platform == 'darwin'", "sys_platform in 'linux darwin'"),
        ("python_version in", "python_version < '3.12'", "python_version in '3.10 3.11'"),
        ("python_version two equalities", "python_version < '3.12'", "python_version == '3.10' or python_version == '3.11'"),
        ("python_version star", "python_version < '3.12'", "python_version == '3.*'"),
        ("python_version not equal", "python_version < '3.12'", "python_version != '3.12'"),
        ("python_version compatible", "python_version < '3.12'", "python_version ~= '3.10'"),
        ("version with patch in marker", "< '3.12'", "< '3.12.0'"), ("full version with patch", "python_version < '3.12'", "python_full_version < '3.12.1'"),
        ("requires-python raised", '">=3.10"', '">=3.11"'), ("requires-python lowered", '">=3.10"', '">=3.9"'),
        ("requires-python capped", '">=3.10"', '">=3.10,<4"'), ("requires-python compatible", '">=3.10"', '"~=3.10"'),
        ("requires-python greater", '">=3.10"', '">3.10"'), ("requires-python exact", '">=3.10"', '"==3.11.*"'),
        ("requires-python space", '">=3.10"', '">= 3.10"'), ("version bump", '"0.1.0"', '"0.2.0"'),
        ("version pre-release", '"0.1.0"', '"0.1.0rc1"'), ("name", 'name = "demo"', 'name = "other"'),
        ("name respelled", 'name = "demo"', 'name = "Demo"'),
        ("build-system", "[project.scripts]", '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n[project.scripts]'),
        ("package true", "", "[tool.uv]\npackage = true\n"), ("extra key added", "more = [", 'new = ["beta"]\nmore = ['),
        ("empty extra added", "more = [", "new = []\nmore = ["), ("extra key removed", 'plot = ["delta>=0.9"]\n', ""),
        ("extra key renamed", "plot = [", "plots = ["), ("extra requirement", "gamma>=1.0", "gamma>=1.1"),
        ("extra moved to dependencies", 'plot = ["delta>=0.9"]', "plot = []"),
        ("group added", "lint = [", 'docs = ["beta"]\nlint = ['), ("empty group added", "lint = [", "docs = []\nlint = ["),
        ("group requirement", "tool-a>=1", "tool-a>=0.9"), ("group requirement added", '"tool-a>=1"', '"tool-a>=1", "delta"'),
        ("group emptied", 'lint = ["tool-b"]', "lint = []"), ("group marker", "tool-a>=1", "tool-a>=1; sys_platform == 'linux'"),
        ("include removed", ', {include-group = "lint"}', ""), ("self extra", "more = [", 'all = ["demo[more,plot]"]\nmore = ['),
        ("group requires-python", "", '[tool.uv.dependency-groups]\nlint = {requires-python = ">=3.11"}\n'),
        ("group requires-python implied", "", '[tool.uv.dependency-groups]\nlint = {requires-python = ">=3.9"}\n'),
        ("settings of a group that is not there", "", '[tool.uv.dependency-groups]\nnone = {requires-python = ">=3.10"}\n'),
        ("dev-dependencies added", "", '[tool.uv]\ndev-dependencies = ["delta"]\n'),
        ("default groups", "", '[tool.uv]\ndefault-groups = ["lint"]\n'), ("default groups all", "", '[tool.uv]\ndefault-groups = "all"\n'),
        ("default groups dev", "", '[tool.uv]\ndefault-groups = ["dev"]\n'),
        ("resolution lowest", "", '[tool.uv]\nresolution = "lowest"\n'), ("lowest-direct", "", '[tool.uv]\nresolution = "lowest-direct"\n'),
        ("prerelease allow", "", '[tool.uv]\nprerelease = "allow"\n'), ("prerelease default", "", '[tool.uv]\nprerelease = "if-necessary-or-explicit"\n'),
        ("fork-strategy fewest", "", '[tool.uv]\nfork-strategy = "fewest"\n'),
        ("fork-strategy default", "", '[tool.uv]\nfork-strategy = "requires-python"\n'),
        ("exclude-newer added", "", '[tool.uv]\nexclude-newer = "2025-01-01T00:00:00Z"\n'),
        ("exclude-newer span", "", '[tool.uv]\nexclude-newer = "3 days"\n'),
        ("environments", "", "[tool.uv]\nenvironments = [\"sys_platform == 'linux'\"]\n"),
        ("environments of everything", "", "[tool.uv]\nenvironments = [\"os_name == 'nt' or os_name != 'nt'\"]\n"),
        ("required-environments", "", "[tool.uv]\nrequired-environments = [\"sys_platform == 'linux'\"]\n"),
        ("constraint on a locked one", "", '[tool.uv]\nconstraint-dependencies = ["beta<9"]\n'),
        ("constraint on an unused one", "", '[tool.uv]\nconstraint-dependencies = ["unused<9"]\n'),
        ("override on a locked one", "", '[tool.uv]\noverride-dependencies = ["beta>=1"]\n'),
        ("override on an unused one", "", '[tool.uv]\noverride-dependencies = ["unused>=1"]\n'),
        ("exclude-dependencies", "", '[tool.uv]\nexclude-dependencies = ["delta"]\n'),
        ("build constraint", "", '[tool.uv]\nbuild-constraint-dependencies = ["hatchling<9"]\n'),
        ("conflicts", "", '[tool.uv]\nconflicts = [[{extra = "more"}, {extra = "plot"}]]\n'),
        ("index by name", "", '[[tool.uv.index]]\nname = "main"\nurl = "@INDEX@"\n[tool.uv.sources]\ntheta = {index = "main"}\n'),
        ("index only", "", '[[tool.uv.index]]\nname = "main"\nurl = "@INDEX@"\n'),
        ("explicit index", "", '[[tool.uv.index]]\nname = "x"\nurl = "@INDEX@"\nexplicit = true\n'),
        ("source with marker", "", "[[tool.uv.index]]\nname = \"main\"\nurl = \"@INDEX@\"\n[tool.uv.sources]\ntheta = {index = \"main\", marker = \"sys_platform == 'linux'\"}\n"),
        ("source for another extra", "", '[[tool.uv.index]]\nname = "main"\nurl = "@INDEX@"\n[tool.uv.sources]\ntheta = {index = "main", extra = "more"}\n'),
        ("source for an extra", "", '[[tool.uv.index]]\nname = "main"\nurl = "@INDEX@"\n[tool.uv.sources]\ngamma = {index = "main", extra = "more"}\n'),
        ("dynamic version", 'version = "0.1.0"', 'dynamic = ["version"]'),
        ("managed false", "", "[tool.uv]\nmanaged = false\n"), ("not TOML", "", "[[[\n"),
        ("not a requirement", "theta>=2.31", "theta>=>2"), ("required-version", "", '[tool.uv]\nrequired-version = ">=0.5"\n'),
        ("poetry table", "", '[tool.poetry]\nname = "x"\n'),
        ("star after a bound", "theta>=2.31", "theta>=2.31.*"), ("star after another bound", "theta>=2.31", "theta>=2.30.*"),
        ("comma left out", "beta>=1,<3", "beta>=1<3"), ("quotes in a specifier", "theta>=2.31", "theta>='2.31'"),
        ("order of a platform", "sys_platform == 'linux' or", "sys_platform >= 'linux' or"),
        ("windows and linux", "zeta; python_version < '3.12'", "zeta; os_name == 'nt' and sys_platform == 'linux'"),
        ("conflicts twice", "", '[tool.uv]\nconflicts = [[{extra = "more"}, {extra = "plot"}], [{extra = "plot"}, {extra = "more"}]]\n'),
        ("exclude-newer in months", "", '[tool.uv]\nexclude-newer = "1 month"\n'),
    ),
    ("single", "python-version file", [(".python-version", None, "3.11\n")]),
    ("single", "uv.toml with a resolver option", [("uv.toml", None, 'resolution = "lowest"\n')]),
    ("single", "uv.toml without effect", [("uv.toml", None, 'link-mode = "copy"\n')]),
    ("single", "manifest gone", [(P, "[project]", "[projekt]")]),
    *_rows(
        "rich", P,
        ("comment", "", "# nothing\n"), ("index renamed", 'name = "main"', 'name = "primary"'),
        ("credentials in an index", 'name = "main"\nurl = "http://', 'name = "main"\nurl = "http://user:pass@'),
        ("slash after an index", 'name = "main"\nurl = "@INDEX@"', 'name = "main"\nurl = "@INDEX@/"'),
        ("slash after a pinned index", 'name = "second"\nurl = "@INDEX@"', 'name = "second"\nurl = "@INDEX@/"'),
        ("environments reordered", "[\"sys_platform == 'linux'\", \"sys_platform == 'darwin'\"]", "[\"sys_platform == 'darwin'\", \"sys_platform == 'linux'\"]"),
        ("environments respelled", "[\"sys_platform == 'linux'\",", "[\"platform_system == 'Linux'\","),
        ("environments dropped", "environments = [\"sys_platform == 'linux'\", \"sys_platform == 'darwin'\"]\n", ""),
        ("environments narrowed", ", \"sys_platform == 'darwin'\"]", "]"),
        ("required dropped", "required-environments = [\"sys_platform == 'linux' and platform_machine == 'x86_64'\"]\n", ""),
        ("required respelled", "sys_platform == 'linux' and platform_machine == 'x86_64'", "platform_machine == 'x86_64' and sys_platform == 'linux'"),
        ("constraint changed", "beta<3", "beta<4"), ("constraint dropped", '"beta<3", ', ""),
        ("constraint respelled", "beta<3", "Beta < 3.0"), ("constraint reordered", '["beta<3", "delta<2"]', '["delta<2", "beta<3"]'),
        ("unused constraint added", '"delta<2"', '"delta<2", "nobody<1"'), ("override changed", "theta>=2", "theta>=2.1"),
        ("override dropped", 'override-dependencies = ["theta>=2"]\n', ""), ("build constraint changed", "hatchling<2", "hatchling<3"),
        ("build constraint dropped", 'build-constraint-dependencies = ["hatchling<2"]\n', ""),
        ("conflicts dropped", 'conflicts = [[{extra = "cpu"}, {extra = "gpu"}]]\n', ""),
        ("conflicts reordered", '{extra = "cpu"}, {extra = "gpu"}', '{extra = "gpu"}, {extra = "cpu"}'),
        ("conflicts with package", '{extra = "cpu"}', '{package = "rich-demo", extra = "cpu"}'),
        ("cutoff later", "2025-01-01T", "2025-06-01T"), ("cutoff earlier", "2025-01-01T", "2024-06-01T"),
        ("cutoff in another zone", "2025-01-01T00:00:00Z", "2025-01-01T01:00:00+01:00"),
        ("cutoff as the day before", "2025-01-01T00:00:00Z", "2024-12-31"), ("cutoff without offset", "2025-01-01T00:00:00Z", "2024-12-30T23:00:00"),
        ("cutoff dropped", 'exclude-newer = "2025-01-01T00:00:00Z"\n', ""), ("cutoff as span", "2025-01-01T00:00:00Z", "1 week"),
        ("source dropped", "theta = { index = \"second\", marker = \"sys_platform == 'linux'\" }\n", ""),
        ("source marker changed", "marker = \"sys_platform == 'linux'\" }", "marker = \"sys_platform == 'darwin'\" }"),
        ("source marker respelled", "marker = \"sys_platform == 'linux'\" }", "marker = \"platform_system == 'Linux'\" }"),
        ("source as list", "theta = { index = \"second\", marker = \"sys_platform == 'linux'\" }",
         "theta = [{ index = \"second\", marker = \"sys_platform == 'linux'\" }]"),
        ("source not editable", ", editable = true", ""), ("source path respelled", '"libs/local"', '"./libs/local/"'),
        ("package false", "[tool.uv]\n", "[tool.uv]\npackage = false\n"),
        ("backend swapped", 'build-backend = "hatchling.build"', 'build-backend = "other.build"'),
        ("extra requirement", "gamma==1.5", "gamma>=1.5"), ("version", "1.2.3", "1.2.4"),
        ("requires-python cap", ">=3.10,<4", ">=3.10"), ("requires-python spaces", ">=3.10,<4", ">=3.10, <4.0"),
    ),
    *_rows(
        "rich", "libs/local/pyproject.toml",
        ("local: comment", "", "# x\n"), ("local: dependency", '"delta"', '"delta>=0.9"'), ("local: version", '"0.5"', '"0.6"'),
        ("local: requires-python", ">=3.9", ">=3.8"), ("local: group", "", '[dependency-groups]\ndev = ["tool-b"]\n'),
        ("local: extra", "", '[project.optional-dependencies]\nx = ["beta"]\n'),
        ("local: version respelled", '"0.5"', '"0.5.0"'),
    ),
    *_rows(
        "space", P,
        ("comment", "", "# x\n"), ("glob respelled", '"packages/*"', '"./packages/*"'), ("glob with both", '"packages/*"', '"packages/core", "packages/app"'),
        ("member dropped", '"packages/*"', '"packages/core"'), ("member excluded", '"packages/skipped"', '"packages/app"'),
        ("exclude dropped", 'exclude = ["packages/skipped"]\n', ""), ("dependency", '"alpha"', '"alpha>=1"'), ("version", '"1.0"', '"1.1"'),
        ("not editable", "core = { workspace = true }", "core = { workspace = true, editable = false }"),
        ("root source for a member", "core = { workspace = true }", "core = { workspace = true }\napp = { workspace = true }"),
        ("requires-python raised", ">=3.10", ">=3.11"), ("recursive glob", '"packages/*"', '"packages/**"'),
        ("source dropped, member keeps", "core = { workspace = true }", ""),
    ),
    *_rows(
        "space", "packages/core/pyproject.toml",
        ("core: dependency", "beta>=1", "beta>=1.1"), ("core: version", '"0.2"', '"0.2.1"'), ("core: comment", "", "# x\n"),
        ("core: name", 'name = "core"', 'name = "kernel"'), ("core: requires-python lower", ">=3.9", ">=3.8"),
        ("core: requires-python above", ">=3.9", ">=3.12"), ("core: own constraint", "", '[tool.uv]\nconstraint-dependencies = ["beta<9"]\n'),
        ("core: no build-system", '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n', ""),
        ("core: package false", "", "[tool.uv]\npackage = false\n"), ("core: source of its own", "", '[tool.uv.sources]\nbeta = { index = "x" }\n[[tool.uv.index]]\nname = "x"\nurl = "@INDEX@"\n'),
        ("core: gone", None, None), ("core: managed false", "", "[tool.uv]\nmanaged = false\n"),
    ),
    *_rows(
        "space", "packages/app/pyproject.toml",
        ("app: group requirement", '"tool-b"', '"tool-b>=1"'), ("app: build-system", "", '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'),
        ("app: source dropped, root keeps", "[tool.uv.sources]\ncore = { workspace = true }\n", ""), ("app: dependency", '"gamma"', '"gamma", "delta"'),
        ("app: gone", None, None),
    ),
    ("space", "the last member decides on editable",
     [("packages/app/pyproject.toml", "core = { workspace = true }", "core = { workspace = true, editable = false }")]),
    ("space", "one says editable and the other not",
     [(P, "core = { workspace = true }", "core = { workspace = true, editable = true }"),
      ("packages/app/pyproject.toml", "core = { workspace = true }", "core = { workspace = true, editable = false }")]),
    ("virtual", "default groups", [(P, "[tool.uv.workspace]", '[tool.uv]\ndefault-groups = ["docs"]\n[tool.uv.workspace]')]),
    ("space", "member added", [("packages/new/pyproject.toml", None, PKG.replace('"pkg"', '"new"'))]),
    ("space", "members at any depth", [(P, 'members = ["packages/*"]', 'members = ["packages/**"]')]),
    ("space", "members at any depth, a folder without a project",
     [(P, 'members = ["packages/*"]', 'members = ["packages/**"]'), ("packages/app/src/readme.md", None, "x")]),
    ("space", "excluded member added", [("packages/skipped/pyproject.toml", None, PKG.replace('"pkg"', '"skipped"'))]),
    ("space", "deeper project added", [("packages/app/sub/pyproject.toml", None, PKG.replace('"pkg"', '"sub"'))]),
    ("space", "excluded project broken", [("packages/skipped/pyproject.toml", None, "[project]\nname = 'x'\n")]),
    *_rows(
        "virtual", P,
        ("comment", "", "# x\n"), ("group requirement", "alpha>=1", "alpha>=2"), ("group added", "docs = [", 'more = ["delta"]\ndocs = ['),
        ("empty group added", "docs = [", "none = []\ndocs = ["), ("empty group dropped", "empty = []\n", ""), ("group dropped", 'docs = ["gamma"]\n', ""),
        ("marker respelled", "python_version >= '3.11'", "python_full_version >= '3.11'"), ("group renamed", "docs = [", "Docs = ["),
    ),
    *_rows("virtual", "pkg/pyproject.toml", ("pkg: dependency", '"delta"', '"delta<2"'), ("pkg: version", '"1"', '"1.0"')),
    *_rows(
        "script", "tool.py",
        ("code", "hello", "bye"), ("comment in the block", "# dependencies", "# # why\n# dependencies"), ("dependency", "alpha>=1", "alpha>=2"),
        ("dependency removed", '#     "beta",\n', ""), ("order", '#     "alpha>=1",\n#     "beta",', '#     "beta",\n#     "alpha>=1",'),
        ("requires-python", ">=3.10", ">=3.11"), ("constraint", "beta<3", "beta<2"), ("constraint respelled", "beta<3", "Beta <3"),
        ("setting of projects", "# [tool.uv]\n", "# [tool.uv]\n# environments = []\n"), ("no block", "# /// script", "# nothing"),
    ),
    *_rows("free", P, ("dependency", '"alpha"', '"alpha", "beta"'), ("version", '"1.0"', '"1.1"'), ("comment", "", "# x\n")),
]  # fmt: skip

# versions of uv disagree: 0.13 compares version ranges and forgives additions that touch no locked package
DIFFER = {
    ("single", "compatible spelled out"), ("single", "redundant clause"), ("single", "duplicate extra"),
    ("single", "duplicate with another specifier"), ("single", "compatible longer"), ("single", "default groups"),
    ("single", "default groups all"), ("single", "default groups dev"), ("single", "constraint on an unused one"),
    ("single", "override on an unused one"), ("rich", "unused constraint added"), ("rich", "cutoff later"), ("single", "order of a platform"),
}  # fmt: skip
