"""Pages of LF401-LF409: locks that are missing, ignored or walked past where a project is deployed.

Frequencies: 225 public AI/ML repositories, 2026; 127 of them are built into an image.
"""

from __future__ import annotations

from gatepost.model import WARNING, Code

CODES: tuple[Code, ...] = (
    Code(
        id="LF401",
        name="deployed-without-lock",
        severity=WARNING,
        summary="An image installs requirements that admit many versions, and no lock decides which.",
        why="Two builds of one commit then hold different packages; 53 % of the deployable repositories are in this state. "
        "Only what a Dockerfile, Procfile or render.yaml really installs on Linux counts, and never a published library, requirements of tests, "
        "an image that starts pytest or the like, nor a stage whose name says that it is for developers. A range of PyTorch that admits one "
        "known release, such as `torch>=2.8,<2.9`, is a pin. A file with at most one loose requirement in five is reported as information, and so are a project on an image that is "
        "chosen for its torch, requirements on such an image that starts a notebook, a shell or a training run, and a library of the repository that is installed after an application's requirements, and an image that copies files which the repository has no more; an install that fails "
        "without its lock, such as `uv sync --locked`, is an error. The command of the remedy keeps the image's indexes and Python; where one of them is not known, or the build of torch is a "
        "matter of the image, the remedy is constraints of what the built image holds, which are right for every build of torch.",
        bad="# Dockerfile\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n# requirements.txt\nfastapi\ntorch>=2\n",
        good="# Dockerfile\nCOPY requirements.lock.txt .\nRUN pip install -r requirements.lock.txt\n"
        "# requirements.lock.txt (by uv pip compile)\nfastapi==0.115.0\ntorch==2.8.0\n",
        fix="Run `uv pip compile requirements.txt -o requirements.lock.txt` (or `uv lock`), commit it, install that. Where torch comes from the base "
        "image or a step before, or the Python is not known, write what the image holds to a constraints file and install with `-c constraints.txt`.",
    ),
    Code(
        id="LF402",
        name="lock-git-ignored",
        severity=WARNING,
        summary="The lock of a deployed application is listed in .gitignore and none is committed.",
        why="Templates for libraries ignore the lock; an application built from such a repository resolves anew at every "
        "build, or at every start by `uv run`; where a Dockerfile copies the lock by name, a clean clone cannot be built. 14 % of repositories do this, 21 of 127 with a Dockerfile.",
        bad="# .gitignore\nuv.lock\n# Dockerfile\nCOPY pyproject.toml .\nRUN uv sync\n",
        good="# .gitignore without uv.lock\n# Dockerfile\nCOPY pyproject.toml uv.lock ./\nRUN uv sync --locked\n",
        fix="Remove the pattern, then `uv lock && git add uv.lock`.",
    ),
    Code(
        id="LF403",
        name="lock-docker-ignored",
        severity=WARNING,
        summary="A .dockerignore pattern keeps the committed lock out of the image that installs the project.",
        why="The installer finds no lock in the image and resolves anew, or fails. An error when the Dockerfile copies the "
        "lock by name, since that build must fail.",
        bad="# .dockerignore\n*.lock\n# Dockerfile\nCOPY . .\nRUN uv sync\n",
        good="# .dockerignore\n*.lock\n!uv.lock\n",
        fix="Remove the pattern, or add `!uv.lock` below it.",
    ),
    Code(
        id="LF404",
        name="image-ignores-lock",
        severity=WARNING,
        summary="pip installs a project's loose requirements in an image though its lock stands beside them.",
        why="pip reads no uv.lock, poetry.lock or pdm.lock: the tested versions are not the deployed ones. 21 % of images "
        "do this. Silent when the file was exported from the lock, holds exact pins, or a command before it installed "
        "from the lock. What stands in an `if` counts when every arm of it installs past the lock. "
        "Likewise an image that installs requirements.txt, and not the file beside it that was compiled from it. Information on an "
        "image that is chosen for its torch, as `uv sync` would lay another one beside it.",
        bad="# beside uv.lock\nCOPY . .\nRUN pip install .\n",
        good="COPY . .\nRUN uv sync --locked --no-dev\n",
        fix="Install from the lock: `uv sync --locked`, `poetry install --only main`, or an export of it; on an image that holds torch "
        "an export without it, `uv export --prune torch`.",
    ),
    Code(
        id="LF405",
        name="sync-may-relock",
        severity=WARNING,
        summary="An install in an image or in CI may rewrite a stale lock silently instead of failing.",
        why="`uv sync`, `pdm install` and `pipenv install` lock anew when the manifest has changed: the image holds versions "
        "that nobody committed, and CI is green on a stale lock (27 % of repositories with a uv.lock). In CI it is "
        "reported once per lock, and only if no other step checks the lock; in an image it is then only information, and "
        "so it is in CI where a workflow runs `uv lock` and opens a pull request with it.",
        bad="COPY pyproject.toml uv.lock ./\nRUN uv sync --no-dev\n",
        good="COPY pyproject.toml uv.lock ./\nRUN uv sync --locked --no-dev\n",
        fix="Add `--locked` (uv), `--frozen-lockfile` (PDM), `--deploy` (Pipenv), or set UV_LOCKED=1.",
    ),
    Code(
        id="LF406",
        name="relocked-in-image",
        severity=WARNING,
        summary="A Dockerfile makes a new lock although one is committed.",
        why="`uv lock`, `poetry lock` or `poetry update` inside a build replaces the lock that was reviewed and tested.",
        bad="COPY pyproject.toml poetry.lock ./\nRUN poetry lock && poetry install\n",
        good="COPY pyproject.toml poetry.lock ./\nRUN poetry install --only main\n",
        fix="Lock before you commit, and only install in the image.",
    ),
    Code(
        id="LF407",
        name="poetry-option-gone",
        severity=WARNING,
        summary="A Poetry command uses an option or command that the installed Poetry does not have.",
        why="Poetry 2.0 removed `--no-dev`, `--remove-untracked`, `lock --no-update` and `lock --check`, and moved `export` "
        "and `shell` into plugins; 3 of 9 images with Poetry break so. An error when the version is pinned, a warning "
        "when Poetry is installed without one.",
        bad="RUN pip install poetry==2.1.0\nRUN poetry install --no-dev\n",
        good="RUN pip install poetry==2.1.0\nRUN poetry install --only main\n",
        fix="Write the option that replaced it; the message names it.",
    ),
    Code(
        id="LF408",
        name="poetry-older-than-lock",
        severity=WARNING,
        summary="An image pins a Poetry that is older than the lock or the manifest it must read.",
        why="Poetry 1.x cannot read `[project]`. Poetry 1.3 to 1.8 read the lock of Poetry 2 (lock-version 2.1) without its "
        "groups and markers, 1.2.2 reads 2.0 and no newer one, and older ones refuse both. Where both versions are known, "
        "6 of 7 repositories differ, 4 across the major version. An error when the dependencies stand in `[project]`.",
        bad='RUN pip install poetry==1.8.3  # poetry.lock: "generated by Poetry 2.1.1"\n',
        good="RUN pip install poetry==2.1.1\n",
        fix="Install the Poetry that wrote the lock.",
    ),
    Code(
        id="LF409",
        name="lock-not-copied",
        severity=WARNING,
        summary="A Dockerfile copies the manifest but not the lock beside it, and then installs the project.",
        why="Without the lock uv, Poetry and PDM resolve anew at every build; with `--locked` or `--frozen` the build fails "
        "(then an error).",
        bad="COPY pyproject.toml ./\nRUN uv sync\n",
        good="COPY pyproject.toml uv.lock ./\nRUN uv sync --locked\n",
        fix="Copy the lock together with the manifest.",
    ),
)
