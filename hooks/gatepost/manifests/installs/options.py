"""Which options of the installers take a value: an option that is not here is a flag, unless it has `=`.

Read from the tools' own `--help`: pip 26.3, uv 0.13.8, Poetry 1.8.5 and 2.5.1, PDM 2.29, Pipenv 2026.10,
conda 25.x, pixi 0.5x.
"""

from __future__ import annotations

PIP = frozenset((
    "-r", "--requirement", "--requirements", "-c", "--constraint", "--constraints", "-e", "--editable", "-i",
    "--index-url", "--pypi-url", "--extra-index-url", "-f", "--find-links", "-t", "--target", "--platform",
    "--python-version", "--implementation", "--abi", "--root", "--prefix", "--src", "--upgrade-strategy", "-C",
    "--config-settings", "--config-setting", "--global-option", "--build-option", "--no-binary", "--only-binary",
    "--progress-bar", "--root-user-action", "--report", "--cache-dir", "--log", "--proxy", "--retries", "--timeout",
    "--exists-action", "--trusted-host", "--cert", "--client-cert", "--use-feature", "--use-deprecated", "--python",
    "--resume-retries", "--keyring-provider", "--group", "--uploaded-prior-to", "-d", "--dest", "-w", "--wheel-dir",
    "-b", "--build"
))  # fmt: skip
UV = PIP.difference(("-b", "-n", "-d", "-w")) | frozenset((
    "--index", "--default-index", "--index-strategy", "--resolution", "--prerelease", "--fork-strategy",
    "--link-mode", "-p", "--python-platform", "--torch-backend", "--exclude-newer", "--exclude-newer-package",
    "--reinstall-package", "-P", "--upgrade-package", "--refresh-package", "--override", "--overrides",
    "--build-constraint", "--build-constraints", "--extra", "--no-extra", "--no-group", "--only-group", "--package",
    "--directory", "--project", "--config-file", "--allow-insecure-host", "--color", "--no-install-package",
    "--only-install-package", "--no-build-package", "--no-binary-package", "--no-build-isolation-package",
    "--output-file", "-o", "--format", "--env-file", "--exclude", "--excludes", "--rev", "--tag", "--branch",
    "--optional", "--with", "--from", "--bounds", "--script", "--no-emit-package", "--prune"
))  # fmt: skip
POETRY = frozenset((
    "-C", "--directory", "-P", "--project", "--with", "--without", "--only", "--extras", "-E", "--group", "-G",
    "--source", "--python", "--platform", "--markers", "--format", "-f", "--output", "-o"
))  # fmt: skip
PDM = frozenset((
    "-G", "--group", "--with", "--without", "-p", "--project", "-L", "--lockfile", "-c", "--config", "-k", "-x",
    "--override", "-d"
))  # fmt: skip
PIPENV = frozenset((
    "--python", "--pypi-mirror", "-i", "--index", "--categories", "--extra-pip-args", "-r", "--requirements", "-e"
))  # fmt: skip
CONDA = frozenset((
    "-n", "--name", "-p", "--prefix", "-c", "--channel", "-f", "--file", "--solver", "--repodata-fn", "--subdir",
    "--platform", "-r", "--root-prefix"
))  # fmt: skip
PIXI = frozenset((
    "-e", "--environment", "--manifest-path", "-p", "--platform", "-f", "--feature", "--git", "--branch", "--color"
))  # fmt: skip
