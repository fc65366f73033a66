"""A labelled corpus of synthetic secrets, made at run time from a seed: nothing in it was ever a credential.

Files are pairs of text and the set of 1-based lines that hold a secret. `CONTEXTS` were written before the scanner was
measured; `HELD_OUT` after its rules were frozen. Hard negatives are what scanners like to take for secrets.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import string
import uuid

LOWER, UPPER, DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
ALNUM = LOWER + UPPER + DIGITS
WORD = ALNUM + "_-"
HEX = DIGITS + "abcdef"


class Tokens:
    """Random tokens by type: `make(name)` is (token, the variable that holds it)."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def chars(self, alphabet: str, count: int) -> str:
        text = "".join(self.random.choices(alphabet, k=count))
        if alphabet == WORD and not (text[0].isalnum() and text[-1].isalnum()):
            return self.chars(alphabet, count)
        return text

    def uuid(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def jwt(self) -> str:
        def part(value: object) -> str:
            return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

        claims = {"access": "m", "sub": self.chars(ALNUM, 12), "iat": 1_700_000_000, "exp": 1_900_000_000}
        return f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}.{self.chars(WORD, 43)}"

    def make(self, kind: str) -> tuple[str, str]:
        c = self.chars
        table = {
            "huggingface": ("hf" + "_" + c(LOWER + UPPER, 34), "HF_TOKEN"),
            "huggingface-org": ("api_org" + "_" + c(LOWER + UPPER, 34), "HF_TOKEN"),
            "openai-legacy": ("sk" + "-" + c(ALNUM, 20) + "T3Blbk" + "FJ" + c(ALNUM, 20), "OPENAI_API_KEY"),
            "openai-project": ("sk-" + "proj-" + c(WORD, 74) + "T3Blbk" + "FJ" + c(WORD, 74), "OPENAI_API_KEY"),
            "openai-service": ("sk-" + "svcacct-" + c(WORD, 58) + "T3Blbk" + "FJ" + c(WORD, 58), "OPENAI_API_KEY"),
            "anthropic": ("sk-" + "ant-" + "api03-" + c(WORD, 93) + "AA", "ANTHROPIC_API_KEY"),
            "anthropic-oauth": ("sk-" + "ant-" + "oat01-" + c(WORD, 93) + "AA", "CLAUDE_CODE_OAUTH_TOKEN"),
            "google": ("AI" + "za" + c(WORD, 35), "GEMINI_API_KEY"),
            "replicate": ("r8" + "_" + c(ALNUM, 37), "REPLICATE_API_TOKEN"),
            "groq": ("gsk" + "_" + c(ALNUM, 52), "GROQ_API_KEY"),
            "wandb-v1": ("wandb" + "_v1_" + c(ALNUM + "_", 76) + "x", "WANDB_API_KEY"),
            "wandb": (c(HEX, 40), "WANDB_API_KEY"),
            "pinecone": ("pcsk" + "_" + c(ALNUM, 6) + "_" + c(ALNUM, 63), "PINECONE_API_KEY"),
            "pinecone-uuid": (self.uuid(), "PINECONE_API_KEY"),
            "langsmith": ("lsv2" + "_pt_" + c(HEX, 32) + "_" + c(HEX, 10), "LANGSMITH_API_KEY"),
            "langfuse": ("sk-" + "lf-" + self.uuid(), "LANGFUSE_SECRET_KEY"),
            "together-v1": ("tgp" + "_v1_" + c(WORD, 43), "TOGETHER_API_KEY"),
            "together": (c(HEX, 64), "TOGETHER_API_KEY"),
            "fireworks": ("fw" + "_" + c(ALNUM, 22) + "7k", "FIREWORKS_API_KEY"),
            "elevenlabs": ("sk" + "_" + c(HEX, 48), "ELEVENLABS_API_KEY"),
            "perplexity": ("pplx" + "-" + c(ALNUM, 48), "PERPLEXITY_API_KEY"),
            "xai": ("xai" + "-" + c(ALNUM, 80), "XAI_API_KEY"),
            "databricks": ("dap" + "i" + c(HEX, 32), "DATABRICKS_TOKEN"),
            "kaggle": (c(HEX, 32), "KAGGLE_KEY"),
            "nvidia": ("nvapi" + "-" + c(WORD, 64), "NVIDIA_API_KEY"),
            "openrouter": ("sk-" + "or-v1-" + c(HEX, 64), "OPENROUTER_API_KEY"),
            "deepseek": ("sk" + "-" + c(HEX, 32), "DEEPSEEK_API_KEY"),
            "litellm": ("sk" + "-" + c(ALNUM, 22) + "aB3", "LITELLM_MASTER_KEY"),
            "cerebras": ("csk" + "-" + c(LOWER + DIGITS, 48), "CEREBRAS_API_KEY"),
            "jina": ("jina" + "_" + c(WORD, 60), "JINA_API_KEY"),
            "tavily": ("tvly" + "-" + c(ALNUM, 32), "TAVILY_API_KEY"),
            "firecrawl": ("fc" + "-" + c(HEX, 32), "FIRECRAWL_API_KEY"),
            "voyage": ("pa" + "-" + c(ALNUM, 40) + "aB3", "VOYAGE_API_KEY"),
            "modal": ("as" + "-" + c(ALNUM, 19) + "aB3", "MODAL_TOKEN_SECRET"),
            "runpod": ("rpa" + "_" + c(UPPER + DIGITS, 40) + c(LOWER, 6), "RUNPOD_API_KEY"),
            "vercel": ("vck" + "_" + c(ALNUM, 56), "AI_GATEWAY_API_KEY"),
            "aws-secret": (c(ALNUM + "/+", 38) + "Z9", "AWS_SECRET_ACCESS_KEY"),
            "aws-id": ("AK" + "IA" + c(UPPER + "234567", 16), "AWS_ACCESS_KEY_ID"),
            "github": ("gh" + "p_" + c(ALNUM, 36), "GITHUB_TOKEN"),
            "github-fine": ("github" + "_pat_" + c(ALNUM, 22) + "_" + c(ALNUM, 59), "GITHUB_TOKEN"),
            "gitlab": ("glpat" + "-" + c(ALNUM, 20), "GITLAB_TOKEN"),
            "docker": ("dckr" + "_pat_" + c(WORD, 27), "DOCKER_PASSWORD"),
            "npm": ("npm" + "_" + c(ALNUM, 36), "NPM_TOKEN"),
            "slack": ("xox" + "b-" + c(DIGITS, 12) + "-" + c(DIGITS, 12) + "-" + c(ALNUM, 24), "SLACK_BOT_TOKEN"),
            "sendgrid": ("SG" + "." + c(ALNUM, 22) + "." + c(ALNUM, 43), "SENDGRID_API_KEY"),
            "prefect": ("pnu" + "_" + c(ALNUM, 36), "PREFECT_API_KEY"),
            "qdrant-jwt": (self.jwt(), "QDRANT_API_KEY"),
            "cohere": (c(ALNUM, 40), "COHERE_API_KEY"),
            "mistral": (c(ALNUM, 32), "MISTRAL_API_KEY"),
            "azure-openai": (c(HEX, 32), "AZURE_OPENAI_API_KEY"),
            "comet": (c(ALNUM, 25), "COMET_API_KEY"),
            "weaviate": (c(ALNUM, 36), "WEAVIATE_API_KEY"),
            "roboflow": (c(ALNUM, 20), "ROBOFLOW_API_KEY"),
            "assemblyai": (c(HEX, 32), "ASSEMBLYAI_API_KEY"),
            "deepgram": (c(HEX, 40), "DEEPGRAM_API_KEY"),
            "clearml": (c(ALNUM, 50), "CLEARML_API_SECRET_KEY"),
            "labelstudio": (c(HEX, 40), "LABEL_STUDIO_API_KEY"),
        }
        return table[kind]

    def kinds(self) -> list[str]:
        return KINDS


KINDS = [
    "huggingface",
    "huggingface-org",
    "openai-legacy",
    "openai-project",
    "openai-service",
    "anthropic",
    "anthropic-oauth",
    "google",
    "replicate",
    "groq",
    "wandb-v1",
    "wandb",
    "pinecone",
    "pinecone-uuid",
    "langsmith",
    "langfuse",
    "together-v1",
    "together",
    "fireworks",
    "elevenlabs",
    "perplexity",
    "xai",
    "databricks",
    "kaggle",
    "nvidia",
    "openrouter",
    "deepseek",
    "litellm",
    "cerebras",
    "jina",
    "tavily",
    "firecrawl",
    "voyage",
    "modal",
    "runpod",
    "vercel",
    "aws-secret",
    "aws-id",
    "github",
    "github-fine",
    "gitlab",
    "docker",
    "npm",
    "slack",
    "sendgrid",
    "prefect",
    "qdrant-jwt",
    "cohere",
    "mistral",
    "azure-openai",
    "comet",
    "weaviate",
    "roboflow",
    "assemblyai",
    "deepgram",
    "clearml",
    "labelstudio",
]

PREFIXLESS = frozenset(
    [
        "wandb",
        "pinecone-uuid",
        "together",
        "kaggle",
        "aws-secret",
        "cohere",
        "mistral",
        "azure-openai",
        "comet",
        "weaviate",
        "roboflow",
        "assemblyai",
        "deepgram",
        "clearml",
        "labelstudio",
    ]
)

# (name, suffix, text, needs the variable's name: True where a token without a prefix can be told). @T token, @V variable,
# @v variable in lower case, @f as a flag. The secret's line is the one with @T.
CONTEXTS: tuple[tuple[str, str, str, bool], ...] = (
    ("py assignment", "py", 'import os\n\n@V = "@T"\n', True),
    ("py single quotes", "py", "@v = '@T'\n", True),
    ("py annotated", "py", '@V: str = "@T"\n', True),
    ("py kwarg", "py", 'client = Client(@v="@T", timeout=30)\n', True),
    ("py bare kwarg", "py", 'client = OpenAI(api_key="@T")\n', True),
    ("py getenv default", "py", 'key = os.getenv("@V", "@T")\n', True),
    ("py environ get", "py", "key = os.environ.get('@V', '@T')\n", True),
    ("py environ item", "py", 'os.environ["@V"] = "@T"\n', True),
    ("py setdefault", "py", 'os.environ.setdefault("@V", "@T")\n', True),
    ("py or default", "py", 'key = os.environ.get("@V") or "@T"\n', True),
    ("py dict", "py", 'config = {"model": "x", "@v": "@T"}\n', True),
    ("py bearer", "py", 'headers = {"Authorization": "Bearer @T"}\n', True),
    ("py f-string bearer", "py", 'requests.get(url, headers={"Authorization": f"Bearer @T"})\n', True),
    ("py x-api-key", "py", 'headers = {"x-api-key": "@T"}\n', True),
    ("py argparse default", "py", 'p.add_argument("--@f", type=str, default="@T", help="key")\n', True),
    ("py comment", "py", "# @V=@T\n", True),
    ("py positional", "py", 'login("@T")\n', False),
    ("py multi-line", "py", '@V = (\n    "@T"\n)\n', True),
    ("py SecretStr", "py", '@v: SecretStr = SecretStr("@T")\n', True),
    ("py Field default", "py", '    @v: str = Field(default="@T")\n', True),
    ("env plain", "env", "A=1\n@V=@T\n", True),
    ("env quoted", "env", '@V="@T"\n', True),
    ("env export", "sh", "export @V=@T\n", True),
    ("yaml", "yaml", "model: x\n@v: @T\n", True),
    ("yaml quoted", "yaml", 'env:\n  @V: "@T"\n', True),
    ("toml", "toml", '[api]\n@v = "@T"\n', True),
    ("json", "json", '{\n  "@v": "@T"\n}\n', True),
    ("ini", "ini", "[default]\n@v = @T\n", True),
    ("k8s name value", "yaml", '      env:\n        - name: @V\n          value: "@T"\n', True),
    ("compose list", "yaml", "    environment:\n      - @V=@T\n", True),
    ("Dockerfile ENV", "Dockerfile", "FROM x\nENV @V=@T\n", True),
    ("Dockerfile ENV space", "Dockerfile", "FROM x\nENV @V @T\n", True),
    ("Dockerfile ARG", "Dockerfile", "ARG @V=@T\n", True),
    ("curl bearer", "sh", 'curl -H "Authorization: Bearer @T" https://api.vendor.dev/v1\n', True),
    ("cli flag", "sh", "tool login --@f @T\n", True),
    ("cli flag equals", "sh", "tool run --@f=@T --verbose\n", True),
    ("docker run -e", "sh", "docker run -e @V=@T image\n", True),
    ("markdown code", "md", "Set it:\n\n    export @V=@T\n", True),
    ("log line", "log", "2026-01-01 INFO config: @v=@T loaded\n", True),
    ("url query", "py", 'url = "https://api.vendor.dev/v1?api_key=@T&x=1"\n', True),
    ("js env", "js", 'process.env.@V = "@T";\n', True),
    ("nb source", "ipynb", 'import os\nos.environ["@V"] = "@T"\n', True),
    ("nb kwarg", "ipynb", 'client = Client(api_key="@T")\n', True),
    ("nb cli", "ipynb", "!tool login --@f @T\n", True),
    ("nb %env", "ipynb", "%env @V=@T\n", True),
    ("nb output", "ipynb-output", "done\n@V=@T\n", True),
    ("nb traceback", "ipynb-output", "Traceback\n\x1b[31mAuthError\x1b[0m: Invalid key @V: @T\n", True),
)

HELD_OUT: tuple[tuple[str, str, str, bool], ...] = (
    ("py class attribute", "py", 'class Settings:\n    @V: Final[str] = "@T"\n', True),
    ("py walrus", "py", 'if (key := os.getenv("@V", "@T")):\n    pass\n', True),
    ("py raw bytes", "py", '@V = b"@T"\n', True),
    ("py ternary", "py", '@v = "@T" if debug else None\n', True),
    ("py tuple pair", "py", 'pairs = [("@V", "@T")]\n', True),
    ("py update dict call", "py", 'settings.update(dict(@v="@T"))\n', True),
    ("py click option", "py", '@click.option("--@f", default="@T", show_default=False)\n', True),
    ("py subprocess list", "py", 'subprocess.run(["tool", "--@f", "@T"])\n', True),
    ("py docstring", "py", '"""Usage:\n\n    tool --@f @T\n"""\n', True),
    ("py print in string", "py", 'print("export @V=@T")\n', True),
    ("github workflow", "yaml", "    env:\n      @V: @T\n", True),
    ("yaml list of maps", "yaml", "secrets:\n  - key: @V\n    value: @T\n", True),
    ("yaml block", "yaml", "@v: >-\n  @T\n", True),
    ("helm --set", "sh", "helm upgrade x --set env.@V=@T\n", True),
    ("powershell", "ps1", '$env:@V = "@T"\n', True),
    ("cmd set", "bat", "set @V=@T\n", True),
    ("fish", "fish", "set -x @V @T\n", True),
    ("bash default", "sh", 'KEY="${@V:-@T}"\n', True),
    ("makefile", "mk", "@V ?= @T\n", True),
    ("terraform", "tf", 'variable "@v" {\n  default = "@T"\n}\n', True),
    ("json array of pairs", "json", '[{"name": "@V", "value": "@T"}]\n', True),
    ("xml element", "xml", "<config><@v>@T</@v></config>\n", True),
    ("ts object", "ts", "const c = new Client({ apiKey: '@T' });\n", True),
    ("go const", "go", 'const @v = "@T"\n', True),
    ("html comment", "html", "<!-- @V: @T -->\n", True),
    ("csv line", "csv", "name,key\n@V,@T\n", False),
    ("jsonl message", "jsonl", '{"role": "user", "content": "my @V is set:\\n@V=@T\\nwhy 401?"}\n', True),
    ("rst", "rst", ".. code-block:: bash\n\n   export @V='@T'\n", True),
    ("pip conf", "toml", 'index = "https://__token__:@T@index.vendor.dev/simple"\n', True),
    ("git remote", "log", "origin  https://@T@git.vendor.dev/x.git (fetch)\n", True),
    ("nb dotted", "ipynb", 'openai.api_key = "@T"\n', True),
    ("nb getpass comment", "ipynb", "# token = '@T'\n", True),
    ("nb output repr", "ipynb-output", "Client(api_key='@T', base='x')\n", True),
)

URLS: tuple[tuple[str, str], ...] = (
    ("conf", "[global]\nextra-index-url = https://ci:@P@index.vendor.dev/simple\n"),
    ("toml", '[[tool.poetry.source]]\nname = "x"\nurl = "https://deploy:@P@index.vendor.dev/simple"\n'),
    ("toml", '[[tool.uv.index]]\nurl = "https://reader:@P@index.vendor.dev/simple/"\n'),
    ("Pipfile", '[[source]]\nurl = "https://build:@P@index.vendor.dev/simple"\nverify_ssl = true\n'),
    ("txt", "--index-url https://bot:@P@index.vendor.dev/simple\ntorch\n"),
    ("txt", "lib @ git+https://oauth2:@P@git.vendor.dev/team/lib.git@main\n"),
    ("yaml", "services:\n  db:\n    environment:\n      - DATABASE_URL=postgresql://svc:@P@db.vendor.dev:5432/app\n"),
    ("Dockerfile", "RUN pip install --extra-index-url https://ci:@P@index.vendor.dev/simple pkg\n"),
    ("env", "REDIS_URL=rediss://default:@P@cache.vendor.dev:6380/0\n"),
    ("py", 'engine = create_engine("mysql+pymysql://app:@P@db.vendor.dev/prod")\n'),
)

File = tuple[str, bytes, frozenset[int]]


def notebook(text: str, output: bool, compact: bool = False) -> bytes:
    lines = text.splitlines(keepends=True)
    outputs = [{"name": "stdout", "output_type": "stream", "text": lines}] if output else []
    cell = {
        "cell_type": "code",
        "execution_count": 1,
        "metadata": {},
        "outputs": outputs,
        "source": ["run()\n"] if output else lines,
    }
    book = {
        "cells": [cell],
        "metadata": {"kernelspec": {"language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return (json.dumps(book) if compact else json.dumps(book, indent=1)).encode() + b"\n"


def fill(context: str, token: str, variable: str) -> str:
    low = variable.lower()
    return context.replace("@V", variable).replace("@v", low).replace("@f", low.replace("_", "-")).replace("@T", token)


def positives(seed: int, contexts: tuple[tuple[str, str, str, bool], ...], per_context: int) -> list[tuple[str, File]]:
    """(context's name, file) with one secret each; every token type and every context turn up."""
    tokens = Tokens(seed)
    order = list(KINDS)
    tokens.random.shuffle(order)
    at = 0
    found = []
    for number, (name, suffix, text, named) in enumerate(contexts):
        for again in range(per_context):
            kind = order[at % len(order)]
            at += 1
            while not named and kind in PREFIXLESS:
                kind = order[at % len(order)]
                at += 1
            token, variable = tokens.make(kind)
            if name in ("git remote", "pip conf") and not all(c.isalnum() or c in "_-." for c in token):
                token, variable = tokens.make("github")
            body = fill(text, token, variable)
            folder = f"p{number:02d}_{again}"
            if suffix.startswith("ipynb"):
                data = notebook(body, suffix.endswith("output"), compact=again % 3 == 2)
                path = f"{folder}/n.ipynb"
            else:
                data = body.encode()
                path = (
                    f"{folder}/Dockerfile"
                    if suffix == "Dockerfile"
                    else f"{folder}/.env"
                    if suffix == "env"
                    else f"{folder}/f.{suffix}"
                )
            needle = json.dumps(token)[1:-1].encode()
            line = data.count(b"\n", 0, data.index(needle)) + 1
            found.append((f"{name} [{kind}]", (path, data, frozenset((line,)))))
    return found


def url_files(seed: int) -> list[tuple[str, File]]:
    tokens = Tokens(seed)
    found = []
    for number, (suffix, text) in enumerate(URLS):
        password = tokens.chars(ALNUM, 8 + 4 * (number % 5)) + "7x"
        data = text.replace("@P", password).encode()
        path = f"u{number:02d}/" + (
            suffix if suffix in ("Dockerfile", "Pipfile") else ".env" if suffix == "env" else f"f.{suffix}"
        )
        found.append(
            (f"url in {suffix}", (path, data, frozenset((data.count(b"\n", 0, data.index(password.encode())) + 1,))))
        )
    for number, header in enumerate(("RSA ", "EC ", "OPENSSH ", "")):
        body = "\n".join(base64.b64encode(tokens.random.randbytes(48)).decode() for _ in range(12))
        data = f"-----BEGIN {header}PRIVATE KEY-----\n{body}\n-----END {header}PRIVATE KEY-----\n".encode()
        found.append(("private key", (f"k{number}/key.pem", data, frozenset((1,)))))
    return found


def negatives(seed: int) -> list[File]:
    """Files without a secret; each line of them that is flagged is a false alarm."""
    r = random.Random(seed)
    tokens = Tokens(seed + 1)
    c = tokens.chars

    def digest(bits: int = 256) -> str:
        return hashlib.new(f"sha{bits}" if bits != 128 else "md5", r.randbytes(16), usedforsecurity=False).hexdigest()

    def sri() -> str:
        return base64.b64encode(r.randbytes(64)).decode()

    files: list[tuple[str, str]] = []
    add = files.append
    add(
        (
            "poetry.lock",
            "".join(
                f'[[package]]\nname = "p{i}"\nversion = "1.{i}"\nfiles = [\n    {{file = "p{i}.whl", hash = "sha256:{digest()}"}},\n]\n\n'
                for i in range(40)
            )
            + f'[metadata]\ncontent-hash = "{digest()}"\n',
        )
    )
    add(
        (
            "uv.lock",
            "".join(
                f'wheels = [{{ url = "https://files.vendor.dev/{digest()[:2]}/{digest()}/p-{i}.whl", hash = "sha256:{digest()}", size = {r.randrange(10**6)} }}]\n'
                for i in range(40)
            ),
        )
    )
    add(
        (
            "package-lock.json",
            "{\n"
            + ",\n".join(
                f'  "p{i}": {{"integrity": "sha512-{sri()}", "resolved": "https://r.vendor.dev/p{i}.tgz"}}'
                for i in range(40)
            )
            + "\n}\n",
        )
    )
    add(("requirements.txt", "".join(f"p{i}==1.{i} \\\n    --hash=sha256:{digest()}\n" for i in range(30))))
    add(
        (
            ".pre-commit-config.yaml",
            "".join(f"  - repo: https://git.vendor.dev/h{i}\n    rev: {digest(1)}\n" for i in range(10)),
        )
    )
    add(
        (
            "ci.yml",
            "".join(
                f"      - uses: actions/checkout@{digest(1)}  # v4\n        with:\n          token: ${{{{ secrets.GITHUB_TOKEN }}}}\n          key: ${{{{ runner.os }}}}-{digest()}\n"
                for _ in range(10)
            ),
        )
    )
    add(("ids.json", "{\n" + ",\n".join(f'  "id{i}": "{tokens.uuid()}"' for i in range(30)) + "\n}\n"))
    add(
        (
            "trace.py",
            "".join(
                f'request_id = "{tokens.uuid()}"\ncommit = "{digest(1)}"\netag = "{digest(128)}"\n' for _ in range(10)
            ),
        )
    )
    image = base64.b64encode(r.randbytes(60_000)).decode()
    book = {
        "cells": [
            {
                "cell_type": "code",
                "metadata": {"id": c(ALNUM, 12)},
                "execution_count": 1,
                "source": ["plot()\n"],
                "outputs": [
                    {
                        "output_type": "display_data",
                        "data": {"image/png": image, "text/plain": ["<Figure size 640x480>"]},
                        "metadata": {},
                    }
                ],
            }
            for _ in range(6)
        ],
        "metadata": {
            "kernelspec": {"language": "python"},
            "widgets": {
                "application/vnd.jupyter.widget-state+json": {
                    digest()[:32]: {"model_name": "HBoxModel", "layout": "IPY_MODEL_" + digest()[:32]}
                    for _ in range(30)
                }
            },
        },
        "nbformat": 4,
    }
    files.append(("plots.ipynb", json.dumps(book, indent=1)))
    add(("logo.svg", f'<svg><image href="data:image/png;base64,{image}"/></svg>\n'))
    add(
        (
            "font.css",
            f"@font-face {{ src: url(data:font/woff2;base64,{base64.b64encode(r.randbytes(20_000)).decode()}) }}\n",
        )
    )
    add(("vocab.json", "{" + ", ".join(f'"{c(LOWER, r.randrange(2, 12))}": {i}' for i in range(3000)) + "}\n"))
    add(
        (
            "tokenizer.json",
            json.dumps(
                {
                    "added_tokens": [{"id": i, "content": f"<|reserved_{i}|>", "special": True} for i in range(50)],
                    "model": {
                        "vocab": {c(ALNUM, r.randrange(2, 18)): i for i in range(2000)},
                        "merges": [f"{c(LOWER, 3)} {c(LOWER, 4)}" for _ in range(2000)],
                    },
                },
                indent=1,
            ),
        )
    )
    add(("merges.txt", "".join(f"{c(LOWER, 4)} {c(ALNUM, 18)}\n" for _ in range(1000))))
    add(("cmu.dict", "".join(f"{c(UPPER, 9)}  AK1 B EY0 {c(UPPER, 3)}\n" for _ in range(300))))
    placeholders = [
        "your-api-key-here", "YOUR_API_KEY", "<your token>", "sk-...", "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "hf" + "_" + "x" * 34,
        "hf" + "_" + "abcdefghijklmnopqrstuvwxyzabcdefgh", "sk-" + "1234567890abcdef1234567890abcdef", "AK" + "IAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + "EXAMPLEKEY",
        "gh" + "p_" + "x" * 36, "0" * 40, "a" * 32, "0123456789abcdef" * 2, "changeme-changeme-1234", "${OPENAI_API_KEY}", "{{ api_key }}", "$(cat token)", "env:OPENAI_API_KEY",
        "test-token-1234567890", "dummy-key-for-tests-0001", "fake_api_key_for_testing_123", "replace-with-your-key-00", "sk-" + "test-1234567890abcdef", "not-a-real-key-987654", "EMPTY", "sk-no-key-required",
        "example-token-0123456789abcdef", "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", "00000000-0000-0000-0000-000000000000", "gsk" + "_" + "your_groq_api_key_goes_here", "ls__" + "x" * 32, "sk-" + "ant-" + "api03-" + "your-key-here",
    ]  # fmt: skip
    for number, value in enumerate(placeholders):
        add(
            (
                f"ph/{number:02d}.py",
                f'api_key = "{value}"\nclient = Client(api_key="{value}", token="{value}")\nos.environ["OPENAI_API_KEY"] = "{value}"\n',
            )
        )
        add((f"ph/{number:02d}.env.example", f"API_KEY={value}\nWANDB_API_KEY={value}\n"))
    add(
        (
            "code.py",
            "".join(
                f"token_{i} = tokenizer.{n}(text)\nsecret_{i} = get_secret_value_from_manager({i})\napi_key_{i} = os.environ['API_KEY_{i}']\n"
                for i, n in enumerate(["encode_plus_batch_special_tokens_v2", "convert_tokens_to_ids", "decode"])
            ),
        )
    )
    add(
        (
            "more.py",
            'pad_token = "<|endoftext|>"\neos_token_id = 50256\ntoken_type_ids = [0, 1]\npassword_field = "user_password_input_v2"\nsecret_name = "prod/my-app/api-key-2024-v3"\nSECRET_ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod-AbCdEf"\nnext_page_token = "'
            + c(ALNUM, 40)
            + '"\ncache_key = "'
            + digest()
            + '"\npublic_key = "'
            + c(ALNUM, 44)
            + '"\ntoken_hash = "'
            + digest()
            + '"\nkey_id = "'
            + c(HEX, 20)
            + '"\nidempotency_key = "'
            + tokens.uuid()
            + '"\nmodel = "claude-3-5-sonnet-20241022"\napi_key_header = "X-Service-Api-Key-Version-2"\n',
        )
    )
    add(
        (
            "urls.txt",
            "postgresql://postgres:postgres@db:5432/app\nredis://:password@localhost:6379\nmongodb://root:example@mongo:27017\nhttps://user:pass@example.com/x\nhttps://USER:PASSWORD@index.example/simple\nhttps://${USER}:${PASS}@index.vendor.dev/simple\nhttps://<user>:<token>@git.vendor.dev/x\namqp://guest:guest@rabbitmq:5672\nhttps://medium.com/@author/post-1a2b3c4d5e6f\ngit@github.com:owner/name.git\nssh://git@github.com/owner/name\nhttp://127.0.0.1:8888/?token="
            + c(HEX, 48)
            + "\n",
        )
    )
    add(
        (
            "header.md",
            "A key starts with `-----BEGIN PRIVATE KEY-----`.\n\n-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----\n",
        )
    )
    add(
        (
            "cert.pem",
            "-----BEGIN CERTIFICATE-----\n"
            + "\n".join(base64.b64encode(r.randbytes(48)).decode() for _ in range(10))
            + "\n-----END CERTIFICATE-----\n-----BEGIN PUBLIC KEY-----\n"
            + base64.b64encode(r.randbytes(48)).decode()
            + "\n-----END PUBLIC KEY-----\n",
        )
    )
    add(
        (
            "known.py",
            f'token = "{c(ALNUM, 40)}"  # pragma: allowlist secret\nWANDB_API_KEY = "{c(HEX, 40)}"  # gitleaks:allow\n',
        )
    )
    add(
        (
            "data.jsonl",
            "".join(
                json.dumps(
                    {
                        "id": digest(1),
                        "text": " ".join(c(LOWER, r.randrange(2, 9)) for _ in range(40)),
                        "token_count": i,
                        "key": f"sample-{i:06d}",
                        "sha": digest(),
                    }
                )
                + "\n"
                for i in range(200)
            ),
        )
    )
    add(("metrics.csv", "run,hash,token\n" + "".join(f"{i},{digest(1)},{r.random()}\n" for i in range(100))))
    add(
        (
            "model_index.json",
            json.dumps(
                {
                    "_commit_hash": digest(1),
                    "tokenizer": ["transformers", "CLIPTokenizer"],
                    "blob": digest(),
                    "vocab_hash": digest(128),
                },
                indent=1,
            ),
        )
    )
    add(("lfs.bin.txt", f"version https://git-lfs.example/spec/v1\noid sha256:{digest()}\nsize 12345\n"))
    add(
        (
            "sum.go.sum",
            "".join(
                f"git.vendor.dev/m{i} v1.{i}.0 h1:{base64.b64encode(r.randbytes(32)).decode()}\n" for i in range(40)
            ),
        )
    )
    return [(f"neg/{path}", text.encode(), frozenset()) for path, text in files]
