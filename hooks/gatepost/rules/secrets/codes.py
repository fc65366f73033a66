"""The pages of the codes SEnnn."""

from __future__ import annotations

from gatepost.model import ERROR, WARNING, Code

_ROTATE = "Revoke the credential at its provider first: what was committed once stays in every clone. Then read it from the environment."

CODES: tuple[Code, ...] = (
    Code(
        id="SE101",
        name="provider-token",
        severity=ERROR,
        summary="a provider's token stands in a tracked file.",
        why="Tokens of Hugging Face, OpenAI, Anthropic, Weights & Biases and some eighty other kinds have a shape of their own, and are "
        "harvested from public repositories within minutes. In a notebook they stand in outputs and tracebacks as well as in cells.",
        bad='client = OpenAI(api_key="sk-proj-****")',
        good='client = OpenAI(api_key=os.environ["OPENAI_API_KEY"])',
        fix=_ROTATE
        + " A value that is no secret takes the comment `pragma: allowlist secret` (or `gitleaks:allow`) on its line.",
    ),
    Code(
        id="SE102",
        name="named-key",
        severity=ERROR,
        summary="a variable whose name says that it is a key holds a random-looking value.",
        why="Keys of Weights & Biases (40 hex digits), Cohere, Mistral, Azure OpenAI, Kaggle and others have no prefix: only the name beside "
        "the value can tell. The value must look drawn at random; words, dates, placeholders and references do not count. In tests it is a warning.",
        bad="WANDB_API_KEY=<40 hex digits>",
        good="WANDB_API_KEY=${WANDB_API_KEY}",
        fix=_ROTATE,
        certainty="heuristic",
    ),
    Code(
        id="SE103",
        name="url-credential",
        severity=ERROR,
        summary="a URL carries a user's password or token.",
        why="Package indexes, git remotes and databases are often written with their password: pip.conf, Poetry and uv sources, Pipfile, "
        "requirements, compose files. Lock files copy the URL. A development default such as `postgres:postgres@db` is not reported.",
        bad="--extra-index-url https://ci:<password>@index.example/simple",
        good="--extra-index-url https://index.example/simple  # the password is in ~/.netrc",
        fix=_ROTATE
        + " uv reads `UV_INDEX_<NAME>_PASSWORD`, Poetry `POETRY_HTTP_BASIC_<NAME>_PASSWORD`, pip the keyring and ~/.netrc.",
    ),
    Code(
        id="SE104",
        name="private-key",
        severity=ERROR,
        summary="a private key stands in a tracked file.",
        why="Whoever reads the repository can sign or log in with it. A header without a body is not reported. In tests it is a warning.",
        bad="-----BEGIN PRIVATE " + "KEY-----",
        good='key = Path(os.environ["SIGNING_KEY_FILE"]).read_text()',
        fix="Make a new key pair, replace the old one wherever it is trusted, and keep the new one out of git.",
    ),
    Code(
        id="SE105",
        name="tracked-env-file",
        severity=WARNING,
        summary="an environment file with credentials is tracked by git.",
        why="`.env` is the file that people fill with their own keys: 7 of 225 AI/ML repositories track one and 20 more have one in their "
        "history. Templates (`.env.example`, `.env.sample`) are not reported, nor is a file that sets no credential.",
        bad=".env: OPENAI_API_KEY=...",
        good=".env.example: OPENAI_API_KEY=",
        fix="`git rm --cached -- .env`, add `.env` to .gitignore, and commit a template with empty values.",
        certainty="heuristic",
    ),
    Code(
        id="SE201",
        name="stale-baseline-entry",
        severity=WARNING,
        summary="an entry of the baseline covers nothing any more.",
        why="A baseline that only grows hides what it was made for: the secret would be let through if it came back. An entry survives "
        "moved lines and renamed files, so a stale one really is gone.",
        bad="SE101 <digest> removed.py",
        good="(no line)",
        fix="`gatepost secrets --fix` drops it; `gatepost secrets --update-baseline --fix` writes the baseline anew.",
        safe_fix=True,
    ),
    Code(
        id="SE202",
        name="unreadable-baseline",
        severity=ERROR,
        summary="a baseline cannot be read, so known secrets cannot be told from new ones.",
        why="A merge conflict or an edit by hand has left it in a form that is no baseline.",
        bad="<<<<<<< HEAD",
        good="# gatepost secrets baseline 1 salt=...",
        fix="Restore it, or write it anew with `gatepost secrets --update-baseline --fix`.",
        unchecked=True,
    ),
)
