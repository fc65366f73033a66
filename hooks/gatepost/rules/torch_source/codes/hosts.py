"""Pages of TS401-TS407: addresses, hosts, credentials, the policy."""

from __future__ import annotations

from gatepost.model import ERROR, WARNING, Code
from gatepost.rules.torch_source.codes._page import CPU, page

HOSTS: tuple[Code, ...] = (
    page(
        "TS401",
        "plain-http",
        ERROR,
        "An index over http.",
        "Whoever is on the way can replace what is installed. A warning for a host of a private network (`devpi`, `10.0.0.5`, `nexus.corp`), which only those on it can do.",
        "http://download.pytorch.org/whl/cpu",
        CPU,
        "Write https.",
        safe=True,
    ),
    page(
        "TS402",
        "look-alike-host",
        ERROR,
        "A host that imitates PyTorch's.",
        "A registered typo serves whatever it likes to whoever mistypes. So does the host behind `https://download.pytorch.org@`, where the name is only a user's.",
        "https://download.pytroch.org/whl/cpu",
        CPU,
        "Correct the host, or allow it with `hosts`.",
        certainty="heuristic",
    ),
    page(
        "TS403",
        "credentials-in-url",
        ERROR,
        "A password or token in an index's address.",
        "It is in the history for good, and in locks and logs.",
        "https://user:<password>@index.example/simple",
        "https://index.example/simple with a keyring",
        "Revoke it, then give it through the environment.",
    ),
    page(
        "TS404",
        "malformed-index-path",
        ERROR,
        "A path that PyTorch's host does not have.",
        "`/whl/cu118/torch` locks nothing in Poetry (tested), `/whl/cu12.1` does not exist, `/whl/` serves every build at once.",
        "https://download.pytorch.org/whl/cu12.1",
        "https://download.pytorch.org/whl/cu121",
        "Write the build's own index.",
        safe=True,
    ),
    page(
        "TS405",
        "unverified-host",
        WARNING,
        "Certificates are not checked.",
        "As open as http, and it looks encrypted.",
        "--trusted-host download.pytorch.org",
        "(no such line)",
        "Remove the option.",
        safe=True,
    ),
    page(
        "TS406",
        "host-outside-policy",
        WARNING,
        "A host that the project's policy does not list.",
        "The policy is `hosts` under [tool.gatepost.torch-source].",
        'hosts = ["download.pytorch.org"], url = "https://index.example/whl"',
        'hosts = ["download.pytorch.org", "index.example"]',
        "Use a listed host, or list this one.",
    ),
    page(
        "TS407",
        "policy-of-nothing",
        WARNING,
        "A key of `build` that names nothing in the repository.",
        "A key is a group, an extra, `main`, a file, a glob of files or a Docker stage. One that is misspelt states nothing, "
        "and the build that was meant is never checked.",
        'build = {gpuu = "cu128"}',
        'build = {gpu = "cu128"}',
        "Correct the key, or remove it.",
    ),
)
