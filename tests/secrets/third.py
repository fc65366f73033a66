"""A third labelled corpus: other token types, other places and other look-alikes than `corpus`, all written down before the
scanners were run on it. Made at run time from a seed; nothing in it was ever a credential.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random

from tests.secrets.corpus import ALNUM, DIGITS, HEX, LOWER, UPPER, WORD, File, Tokens, fill

# Types that `corpus` has not, or in another of their shapes.
KINDS = [
    "gemini-aq",
    "gcp-oauth",
    "bedrock",
    "bedrock-short",
    "kaggle-kgat",
    "neptune",
    "lambda",
    "azure-storage",
    "azure-84",
    "stripe",
    "conda",
    "pypi",
    "openai-admin",
    "anthropic-admin",
    "hf-digits",
    "modal-id",
    "prefect-bot",
    "vercel-personal",
    "github-oauth",
    "github-app",
    "gitlab-routable",
    "docker-org",
    "langsmith-service",
    "slack-user",
    "databricks-2",
    "together-hex",
    "serpapi",
    "ai21",
    "zhipu",
    "minio",
    "mlflow",
    "airflow-fernet",
    "django",
    "supabase-service",
    "mistral",
    "openai-proj-long",
    "aws-pair",
    "ngc",
    "snowflake",
    "jwt-service",
    "cohere-trial",
    "huggingface",
    "wandb",
    "groq",
    "github",
]
BY_NAME = frozenset(
    [
        "together-hex",
        "serpapi",
        "ai21",
        "zhipu",
        "minio",
        "mlflow",
        "airflow-fernet",
        "django",
        "mistral",
        "aws-pair",
        "ngc",
        "snowflake",
        "cohere-trial",
        "wandb",
    ]
)


def make(tokens: Tokens, kind: str) -> tuple[str, str]:
    """A token of a type, and the variable that holds it."""
    c = tokens.chars
    b64 = ALNUM + "+/"
    table = {
        "gemini-aq": ("AQ" + ".Ab8RN6" + c(WORD, 44), "GEMINI_API_KEY"),
        "gcp-oauth": ("GOC" + "SPX-" + c(WORD, 28), "GOOGLE_CLIENT_SECRET"),
        "bedrock": ("AB" + "SK" + c(b64, 128) + "==", "AWS_BEARER_TOKEN_BEDROCK"),
        "bedrock-short": (
            "bedrock-api" + "-key-" + "YmVkcm9jay5hbWF6b25hd3MuY29t" + c(ALNUM, 80),
            "AWS_BEARER_TOKEN_BEDROCK",
        ),
        "kaggle-kgat": ("KG" + "AT_" + c(HEX, 32), "KAGGLE_API_TOKEN"),
        "neptune": (
            base64.b64encode(
                json.dumps({"api_address": "https://app.vendor.dev", "api_key": tokens.uuid()}).encode()
            ).decode(),
            "NEPTUNE_API_TOKEN",
        ),
        "lambda": ("secret" + "_train_" + c(HEX, 32) + "." + c(ALNUM, 32), "LAMBDA_API_KEY"),
        "azure-storage": ("AccountKey=" + c(b64, 86) + "==", "AZURE_STORAGE_CONNECTION_STRING"),
        "azure-84": (c(ALNUM, 52) + "JQQ" + "J99" + c(UPPER + DIGITS, 26), "AZURE_OPENAI_API_KEY"),
        "stripe": ("sk" + "_live_" + c(ALNUM, 24), "STRIPE_SECRET_KEY"),
        "conda": ("https://conda.anaconda.org/t/" + "ab-" + tokens.uuid() + "/vendor", "CONDA_CHANNEL"),
        "pypi": ("py" + "pi-AgE" + "IcHlwaS5vcmc" + c(WORD, 150), "TWINE_PASSWORD"),
        "openai-admin": ("sk-" + "admin-" + c(WORD, 58) + "T3Blbk" + "FJ" + c(WORD, 58), "OPENAI_ADMIN_KEY"),
        "anthropic-admin": ("sk-" + "ant-" + "admin01-" + c(WORD, 93) + "AA", "ANTHROPIC_ADMIN_KEY"),
        "hf-digits": ("hf" + "_" + c(ALNUM, 34), "HUGGINGFACEHUB_API_TOKEN"),
        "modal-id": ("ak" + "-" + c(ALNUM, 19) + "Zq7", "MODAL_TOKEN_ID"),
        "prefect-bot": ("pn" + "b_" + c(ALNUM, 36), "PREFECT_API_KEY"),
        "vercel-personal": ("vc" + "p_" + c(ALNUM, 56), "VERCEL_TOKEN"),
        "github-oauth": ("gh" + "o_" + c(ALNUM, 36), "GH_TOKEN"),
        "github-app": ("gh" + "s_" + c(ALNUM, 36), "GITHUB_TOKEN"),
        "gitlab-routable": ("gl" + "pat-" + c(ALNUM, 27) + ".0" + "1." + c(LOWER + DIGITS, 9), "GITLAB_TOKEN"),
        "docker-org": ("dckr" + "_oat_" + c(WORD, 32), "DOCKER_TOKEN"),
        "langsmith-service": ("lsv2" + "_sk_" + c(HEX, 32) + "_" + c(HEX, 10), "LANGCHAIN_API_KEY"),
        "slack-user": (
            "xox" + "p-" + c(DIGITS, 12) + "-" + c(DIGITS, 12) + "-" + c(DIGITS, 13) + "-" + c(HEX, 32),
            "SLACK_TOKEN",
        ),
        "databricks-2": ("dap" + "i" + c(HEX, 32) + "-2", "DATABRICKS_TOKEN"),
        "together-hex": (c(HEX, 64), "TOGETHERAI_API_KEY"),
        "serpapi": (c(HEX, 64), "SERPAPI_API_KEY"),
        "ai21": (c(ALNUM, 32), "AI21_API_KEY"),
        "zhipu": (c(HEX, 32) + "." + c(ALNUM, 16), "ZHIPUAI_API_KEY"),
        "minio": (c(ALNUM, 40), "MINIO_SECRET_KEY"),
        "mlflow": (c(ALNUM, 24), "MLFLOW_TRACKING_PASSWORD"),
        "airflow-fernet": (c(WORD, 43) + "=", "AIRFLOW__CORE__FERNET_KEY"),
        "django": (c(ALNUM, 50), "DJANGO_SECRET_KEY"),
        "supabase-service": ("sb_" + "secret_" + c(ALNUM, 22) + "_" + c(ALNUM, 8), "SUPABASE_SERVICE_ROLE_KEY"),
        "mistral": (c(ALNUM, 32), "MISTRAL_API_KEY"),
        "openai-proj-long": ("sk-" + "proj-" + c(WORD, 74) + "T3Blbk" + "FJ" + c(WORD, 74), "OPENAI_KEY"),
        "aws-pair": (c(ALNUM + "+/", 38) + "Q8", "AWS_SECRET_ACCESS_KEY"),
        "ngc": (c(ALNUM, 84), "NGC_API_KEY"),
        "snowflake": (c(ALNUM, 20), "SNOWFLAKE_PASSWORD"),
        "jwt-service": (tokens.jwt(), "SUPABASE_SERVICE_KEY"),
        "cohere-trial": (c(ALNUM, 40), "CO_API_KEY"),
    }
    return table[kind] if kind in table else tokens.make(kind)


# (name, file, text, a name is beside it, encoding). @T token, @V variable, @v lower case, @f as a flag; the token's line is labelled.
CONTEXTS: tuple[tuple[str, str, str, bool, str], ...] = (
    ("env with comment", ".env", "@V=@T  # rotate in May\n", True, ""),
    ("env spaces", ".env.production", "@V = '@T'\n", True, ""),
    ("env crlf", "prod.env", "A=1\r\n@V=@T\r\n", True, ""),
    ("shell inline", "run.sh", "@V=@T HF_HOME=/tmp python -m train --lr 1e-4\n", True, ""),
    ("shell array", "run.sh", 'ENVS=(-e "@V=@T" -e A=b)\n', True, ""),
    ("heredoc", "setup.sh", "cat > ~/.config/tool <<'EOF'\n@v: @T\nEOF\n", True, ""),
    ("bashrc", ".bashrc", "export PATH=$PATH:/opt/bin; export @V='@T'; umask 022\n", True, ""),
    ("slurm", "job.sbatch", "#SBATCH --export=ALL,@V=@T\n", True, ""),
    ("Dockerfile multi ENV", "Dockerfile", "FROM x\nENV A=1 \\\n    @V=@T \\\n    B=2\n", True, ""),
    ("Dockerfile RUN", "Dockerfile", 'FROM x\nRUN @V="@T" tool pull model\n', True, ""),
    ("compose map", "compose.yaml", "services:\n  a:\n    environment:\n      @V: '@T'\n", True, ""),
    ("compose command", "docker-compose.yml", 'services:\n  a:\n    command: ["serve", "--@f", "@T"]\n', True, ""),
    ("workflow env run", "ci.yml", "      - run: |\n          export @V=@T\n          pytest\n", True, ""),
    ("workflow with", "ci.yml", "        with:\n          @f: @T\n", True, ""),
    ("k8s stringData", "secret.yaml", "kind: Secret\nstringData:\n  @v: @T\n", True, ""),
    ("helm values anchor", "values.yaml", "auth: &auth\n  @v: !!str '@T'\n", True, ""),
    ("yaml literal block", "conf.yaml", "@v: |\n    @T\nnext: 1\n", True, ""),
    ("yaml flow map", "conf.yaml", "llm: {model: gpt, @v: '@T', temperature: 0}\n", True, ""),
    ("hydra override", "run.sh", "python train.py llm.@v=@T +seed=1\n", True, ""),
    ("terraform tfvars", "prod.tfvars", '@v = "@T"\n', True, ""),
    ("terraform env block", "main.tf", '  environment {\n    variables = {\n      @V = "@T"\n    }\n  }\n', True, ""),
    ("ansible", "play.yml", "- hosts: all\n  vars:\n    @v: @T\n", True, ""),
    ("json minified", "c.json", '{"a":1,"b":{"@v":"@T","c":[1,2]},"d":null}\n', True, ""),
    ("json escaped", "log.json", '{"message": "{\\"@v\\": \\"@T\\", \\"x\\": 1}"}\n', True, ""),
    ("json twice escaped", "log.json", '{"m": "{\\"body\\": \\"{\\\\\\"@v\\\\\\": \\\\\\"@T\\\\\\"}\\"}"}\n', True, ""),
    ("vscode launch", "launch.json", '  "env": {\n    "@V": "@T",\n    "DEBUG": "1"\n  }\n', True, ""),
    (
        "mcp config",
        "mcp.json",
        '{"mcpServers": {"x": {"command": "npx", "args": ["-y", "x"], "env": {"@V": "@T"}}}}\n',
        True,
        "",
    ),
    ("jsonc comment", "s.jsonc", '{\n  // "@v": "@T",\n  "a": 1\n}\n', True, ""),
    ("very long line", "data.jsonl", '{"pad": "' + "lorem ipsum " * 4000 + '", "@v": "@T"}\n', True, ""),
    ("utf-16", "keys.txt", "notes\n@V=@T\nend\n", True, "utf-16"),
    ("utf-8 bom", "conf.ini", "@v=@T\n", True, "utf-8-sig"),
    ("toml inline table", "c.toml", 'llm = { model = "x", @v = "@T" }\n', True, ""),
    ("toml multi-line string", "c.toml", '@v = """\n@T"""\n', True, ""),
    ("streamlit secrets", "secrets.toml", "[openai]\n@v = '@T'\n", True, ""),
    ("properties", "app.properties", "vendor.client.@f: @T\n", True, ""),
    ("setup.cfg", "setup.cfg", "[tool:x]\naddopts = --@f=@T\n", True, ""),
    ("tox setenv", "tox.ini", "[testenv]\nsetenv =\n    @V = @T\n", True, ""),
    ("Makefile export", "Makefile", "export @V := @T\nrun:\n\tpython x.py\n", True, ""),
    ("Makefile recipe", "Makefile", "run:\n\t@V=@T python x.py\n", True, ""),
    ("Procfile", "Procfile", "web: @V=@T uvicorn app:app\n", True, ""),
    ("R environ", ".Renviron", "@V=@T\n", True, ""),
    ("R code", "a.R", 'Sys.setenv(@V = "@T")\n', True, ""),
    ("julia", "a.jl", 'ENV["@V"] = "@T"\n', True, ""),
    ("java", "A.java", 'private static final String @V = "@T";\n', True, ""),
    ("kotlin", "A.kt", 'val @v: String = "@T"\n', True, ""),
    ("rust const", "a.rs", 'const @V: &str = "@T";\n', True, ""),
    ("c define", "a.h", '#define @V "@T"\n', True, ""),
    ("csharp", "A.cs", 'var @v = new Client(apiKey: "@T");\n', True, ""),
    ("php array", "a.php", "return ['@v' => '@T'];\n", True, ""),
    ("ruby", "a.rb", "ENV['@V'] ||= '@T'\n", True, ""),
    ("sql", "a.sql", "CREATE SECRET s (TYPE openai, @v '@T');\n", True, ""),
    ("py f-string header", "a.py", "h = {'X-Api-Key': f'@T', **extra}\n", True, ""),
    ("py dataclass", "a.py", '@dataclass\nclass C:\n    @v: str | None = "@T"\n', True, ""),
    ("py function default", "a.py", "def call(prompt: str, @v: str = '@T') -> str: ...\n", True, ""),
    ("py partial", "a.py", 'make = partial(Client, @v="@T")\n', True, ""),
    ("py triple quotes", "a.py", '@V = """@T"""\n', True, ""),
    ("py joined env dict", "a.py", "env={**os.environ, '@V': '@T'}\n", True, ""),
    ("py dotenv set_key", "a.py", "set_key('.env', '@V', '@T')\n", True, ""),
    ("py monkeypatch", "conftest.py", 'monkeypatch.setenv("@V", "@T")\n', True, ""),
    ("py todo comment", "a.py", "x = 1  # TODO remove: @v is @T\n", True, ""),
    ("py list of keys", "a.py", '@VS = [\n    "@T",\n]\n', True, ""),
    ("py replaced", "a.py", 'text.replace("${@V}", "@T")\n', True, ""),
    ("bearer in yaml", "api.yaml", "headers:\n  Authorization: Bearer @T\n", True, ""),
    ("http file", "a.http", "GET https://api.vendor.dev/v1\nx-api-key: @T\n", True, ""),
    ("curl header single", "a.sh", "curl https://api.vendor.dev -H 'x-api-key: @T' -d '{}'\n", True, ""),
    ("curl query", "a.sh", 'curl "https://api.vendor.dev/v1?q=a&key=@T"\n', False, ""),
    ("curl user", "a.sh", "curl -u 'api:@T' https://api.vendor.dev/v1\n", False, ""),
    ("url encoded query", "a.log", "GET /v1?api_key=@T&page=2 HTTP/1.1\n", True, ""),
    ("markdown inline", "README.md", "Set `@V=@T` first.\n", True, ""),
    ("markdown table", "README.md", "| name | value |\n|---|---|\n| `@V` | `@T` |\n", False, ""),
    ("markdown fence", "README.md", "```python\nclient = Client(@v='@T')\n```\n", True, ""),
    ("html data attribute", "a.html", '<script data-api-key="@T" src="x.js"></script>\n', True, ""),
    ("latex listing", "a.tex", "\\texttt{@T}\n", False, ""),
    ("chat log", "chat.txt", "[12:01] ann: the key is @T ok?\n", False, ""),
    ("tsv", "a.tsv", "id\tkey\n1\t@T\n", False, ""),
    ("diff", "a.patch", "@@ -1 +1 @@\n-@V=\n+@V=@T\n", True, ""),
    ("netrc", ".netrc", "machine api.vendor.dev\n  login __token__\n  password @T\n", True, ""),
    ("pypirc", ".pypirc", "[testpypi]\nusername = __token__\npassword = @T\n", True, ""),
    ("pip conf url", "pip.conf", "[global]\nindex-url = https://__token__:@T@index.vendor.dev/simple\n", False, "url"),
    ("uv index url", "uv.toml", '[[index]]\nurl = "https://u:@T@index.vendor.dev/simple"\n', False, "url"),
    ("poetry http-basic", "auth.toml", '[http-basic.vendor]\nusername = "u"\npassword = "@T"\n', True, ""),
    ("npmrc", ".npmrc", "//registry.vendor.dev/:_authToken=@T\n", True, ""),
    ("docker login", "a.sh", 'echo "@T" | docker login -u ann --password-stdin\n', False, ""),
    ("git url", "a.sh", "git clone https://oauth2:@T@git.vendor.dev/x.git\n", False, "url"),
    ("nb magic env", "n.ipynb", "%set_env @V=@T\n", True, ""),
    ("nb bang export", "n.ipynb", "!export @V=@T && python x.py\n", True, ""),
    ("nb userdata", "n.ipynb", 'os.environ["@V"] = userdata.get("k") or "@T"\n', True, ""),
    ("nb markdown", "n.ipynb-markdown", "Use `@V=@T`.\n", True, ""),
    ("nb html output", "n.ipynb-html", "<td>@V</td><td>@V=@T</td>\n", True, ""),
    ("nb error output", "n.ipynb-error", "AuthenticationError: Incorrect API key provided: @T.\n", False, ""),
    ("nb json output", "n.ipynb-json", "@T", True, ""),
)


def _notebook(kind: str, text: str, variable: str) -> bytes:
    lines = text.splitlines(keepends=True)
    cell: dict[str, object] = {
        "cell_type": "code",
        "execution_count": 1,
        "metadata": {},
        "outputs": [],
        "source": ["run()\n"],
    }
    if kind == "markdown":
        cell = {"cell_type": "markdown", "metadata": {}, "source": lines}
    elif kind == "html":
        cell["outputs"] = [{"output_type": "display_data", "data": {"text/html": lines}, "metadata": {}}]
    elif kind == "json":
        data = {"application/json": {"config": {variable.lower(): text, "n": 1}}}
        cell["outputs"] = [{"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": 1}]
    elif kind == "error":
        cell["outputs"] = [{"output_type": "error", "ename": "E", "evalue": text.strip(), "traceback": []}]
    else:
        cell["source"] = lines
    book = {
        "cells": [cell],
        "metadata": {"kernelspec": {"language": "python", "name": "x"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(book, indent=1).encode() + b"\n"


def positives(seed: int, per_context: int) -> list[tuple[str, File]]:
    """(context's name, file) with one secret each; every type and every context turn up."""
    tokens = Tokens(seed)
    order = list(KINDS)
    tokens.random.shuffle(order)
    at = 0
    found = []
    for number, (name, file, text, named, encoding) in enumerate(CONTEXTS):
        for again in range(per_context):
            kind = order[at % len(order)]
            at += 1
            while (kind in BY_NAME and not named) or (kind in ("azure-storage", "conda") and "url" in name):
                kind = order[at % len(order)]
                at += 1
            token, variable = make(tokens, kind)
            while encoding == "url" and not all(c.isalnum() or c in "_-." for c in token):
                token, variable = tokens.make("github")
            body = fill(text, token, variable)
            leaf, _, part = file.partition(".ipynb-")
            path = f"t{number:02d}_{again}/" + (f"{leaf}.ipynb" if part else leaf)
            if path.endswith(".ipynb"):
                data = _notebook(part, body, variable)
            else:
                data = body.encode(encoding if encoding not in ("", "url") else "utf-8")
            plain = data.decode(encoding if encoding not in ("", "url") else "utf-8")
            line = plain.count("\n", 0, plain.index(json.dumps(token)[1:-1])) + 1
            found.append((f"{name} [{kind}]", (path, data, frozenset((line,)))))
    return found


def negatives(seed: int) -> list[File]:
    """Look-alikes of other kinds than those of `corpus`: each flagged line is a false alarm."""
    r = random.Random(seed)
    tokens = Tokens(seed + 1)
    c = tokens.chars

    def hx(count: int) -> str:
        return hashlib.sha256(r.randbytes(16)).hexdigest()[:count]

    def b64(count: int) -> str:
        return base64.b64encode(r.randbytes(count)).decode()

    def jwt(claims: dict[str, object]) -> str:
        parts = [
            base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=")
            for one in ({"alg": "HS256", "typ": "JWT"}, claims)
        ]
        return ".".join([*parts, c(WORD, 43)])

    files: list[tuple[str, str]] = [
        ("Cargo.lock", "".join(f'[[package]]\nname = "p{i}"\nchecksum = "{hx(64)}"\n\n' for i in range(20))),
        (
            "yarn.lock",
            "".join(
                f'p{i}@^1:\n  resolved "https://r.vendor.dev/p.tgz#{hx(40)}"\n  integrity sha512-{b64(64)}\n'
                for i in range(20)
            ),
        ),
        (
            "pnpm-lock.yaml",
            "".join(f"  /p{i}/1.0:\n    resolution: {{integrity: sha512-{b64(64)}}}\n" for i in range(20)),
        ),
        (
            "pixi.lock",
            "".join(
                f"- conda: https://c.vendor.dev/noarch/p{i}.conda\n  sha256: {hx(64)}\n  md5: {hx(32)}\n"
                for i in range(20)
            ),
        ),
        (
            ".terraform.lock.hcl",
            "  hashes = [\n" + "".join(f'    "h1:{b64(32)}",\n    "zh:{hx(64)}",\n' for _ in range(8)) + "  ]\n",
        ),
        (
            "flake.lock",
            json.dumps(
                {"nodes": {f"n{i}": {"locked": {"narHash": f"sha256-{b64(32)}", "rev": hx(40)}} for i in range(8)}},
                indent=1,
            ),
        ),
        ("data.csv.dvc", f"outs:\n- md5: {hx(32)}\n  size: 12\n  path: data.csv\n"),
        ("dvc.lock", "".join(f"    - path: d{i}\n      hash: md5\n      md5: {hx(32)}.dir\n" for i in range(10))),
        (
            "Dockerfile",
            f"FROM python:3.12@sha256:{hx(64)}\nARG GIT_SHA={hx(40)}\nENV BUILD_ID={tokens.uuid()}\nARG TOKEN\nENV HF_TOKEN=${{TOKEN}}\nRUN --mount=type=secret,id=hf HF_TOKEN=$(cat /run/secrets/hf) tool pull\n",
        ),
        (
            "mlruns/0/meta.yaml",
            f"artifact_uri: file:///x/mlruns/0/{hx(32)}/artifacts\nrun_id: {hx(32)}\nrun_uuid: {hx(32)}\nexperiment_id: '{c(DIGITS, 18)}'\n",
        ),
        (
            "wandb.yaml",
            f"run_path: team/project/{c(LOWER + DIGITS, 8)}\nsweep: team/project/sweeps/{c(LOWER + DIGITS, 8)}\nwandb_version: 1\nid: {c(LOWER + DIGITS, 8)}\n",
        ),
        (
            "README.md",
            f"revision: {hx(40)}\n![](https://img.vendor.dev/u/{c(DIGITS, 8)}/{hx(32)}.png?token={{{{TOKEN}}}})\n[commit](https://git.vendor.dev/x/commit/{hx(40)})\nbase_model: org/model\nsha256: `{hx(64)}`\nDOI 10.5281/zenodo.{c(DIGITS, 8)}\n",
        ),
        ("vocab.tiktoken", "".join(f"{b64(r.randrange(3, 24))} {i}\n" for i in range(400))),
        ("spm.vocab", "".join(f"\u2581{c(LOWER, r.randrange(2, 20))}\t-{r.random() * 10:.4f}\n" for _ in range(400))),
        (
            "special.json",
            json.dumps(
                {
                    "bos_token": "<|begin_of_text|>",
                    "eos_token": "<|eot_id|>",
                    "pad_token": "<|finetune_right_pad_id|>",
                    "chat_template": "{% if token %}{{ token }}{% endif %}",
                    "tokenizer_class": "PreTrainedTokenizerFast",
                },
                indent=1,
            ),
        ),
        (
            "config.json",
            json.dumps(
                {
                    "_name_or_path": "org/model",
                    "_commit_hash": hx(40),
                    "auto_map": {"AutoModel": "org/code--modeling.M"},
                    "torch_dtype": "bfloat16",
                    "key_value_proj_dim": 64,
                },
                indent=1,
            ),
        ),
        (
            "weights.index.json",
            json.dumps(
                {
                    "weight_map": {
                        f"model.layers.{i}.self_attn.k_proj.weight_scale_inv": f"model-{i:05d}-of-00163.safetensors"
                        for i in range(40)
                    }
                },
                indent=1,
            ),
        ),
        (
            "deploy.yaml",
            "env:\n  - name: OPENAI_API_KEY\n    valueFrom:\n      secretKeyRef:\n        name: openai-credentials-v2-prod1\n        key: api-key-2024-rotation-3\n  - name: HF_TOKEN\n    value: $(HF_TOKEN_FROM_VAULT_2)\n",
        ),
        (
            "sops.yaml",
            f"openai_api_key: ENC[AES256_GCM,data:{b64(40)},iv:{b64(32)},tag:{b64(16)},type:str]\nsops:\n    mac: ENC[AES256_GCM,data:{b64(90)},iv:{b64(32)},tag:{b64(16)},type:str]\n",
        ),
        (
            "vault.yml",
            "db_password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n" + "".join(f"  {hx(64)}{hx(16)}\n" for _ in range(4)),
        ),
        ("sealed.yaml", f"kind: SealedSecret\nspec:\n  encryptedData:\n    token: Ag{b64(400)}\n"),
        (
            "main.tf",
            'resource "x" "y" {\n  api_key     = var.openai_api_key_v2_prod\n  token       = data.aws_secretsmanager_secret_version.hf_v2.secret_string\n  secret_arn  = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/hf-AbC1dE"\n  kms_key_id  = "'
            + tokens.uuid()
            + '"\n}\n',
        ),
        (
            "users.sql",
            f"INSERT INTO users (name, password_hash) VALUES ('a', '$2b$12${c(ALNUM, 53)}'), ('b', '$argon2id$v=19$m=65536,t=3,p=4${c(ALNUM, 22)}${c(ALNUM, 43)}');\n",
        ),
        (
            "authorized_keys",
            f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{c(ALNUM, 43)} ann@host\nssh-rsa AAAAB3NzaC1yc2E{c(ALNUM + '+/', 340)}== bob@host\n",
        ),
        (
            "pub.asc",
            f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{b64(48)}\n{b64(48)}\n-----END PGP PUBLIC KEY BLOCK-----\n",
        ),
        ("gitconfig", f"[user]\n  signingkey = {c(DIGITS + 'ABCDEF', 16)}\n[commit]\n  gpgsign = true\n"),
        (
            "web.env",
            f"NEXT_PUBLIC_STRIPE_KEY=pk_live_{c(ALNUM, 24)}\nVITE_RECAPTCHA_SITE_KEY=6L{c(ALNUM, 38)}\nGOOGLE_CLIENT_ID={c(DIGITS, 12)}-{c(LOWER + DIGITS, 32)}.apps.googleusercontent.com\nPUBLIC_KEY={c(ALNUM, 44)}\n",
        ),
        (
            "trace.log",
            "".join(
                f"trace_id={hx(32)} span_id={hx(16)} x-request-id: {tokens.uuid()} token_count={i}\n" for i in range(20)
            ),
        ),
        (
            "http.log",
            f'etag: W/"{hx(32)}"\nx-amz-request-id: {c(UPPER + DIGITS, 16)}\ncf-ray: {hx(16)}-FRA\nset-cookie: csrftoken=; path=/\nx-served-by: cache-fra-{c(LOWER, 4)}{c(DIGITS, 7)}-FRA\n',
        ),
        (
            "eval.py",
            f'cache_key = "{hx(64)}"\ndataset_fingerprint = "{hx(16)}"\nkeys = ["{hx(32)}", "{hx(32)}"]\nassert sha256(x) == "{hx(64)}"\nSEED_HASH = "{hx(40)}"\nprimary_key = "{tokens.uuid()}"\nsort_key = "created_at#2024-01-01T00:00:00Z#item1"\n',
        ),
        (
            "tokens.py",
            'token = "<|start_header_id|>assistant<|end_header_id|>"\nmask_token = "[MASK]"\nnext_token = tokenizer.convert_ids_to_tokens(next_id)\ntoken_pattern = r"(?u)\\b\\w\\w+\\b"\nTOKENIZERS_PARALLELISM="false"\ntoken = os.environ.get("HF_TOKEN_V2_PRODUCTION_1")\ntoken: str = config["HUGGINGFACE_TOKEN_2024"]\nheaders = {"Authorization": f"Bearer {settings.openai_api_key_v2_2024}"}\nsecret = secrets_client.access_secret_version(name="projects/1234567/secrets/openai-key/versions/3")\n',
        ),
        (
            "docs.md",
            "".join(
                f"    {line}\n"
                for line in (
                    "AWS_ACCESS_KEY_ID=" + "AK" + "IAIOSFODNN7" + "EXAMPLE",
                    "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + "EXAMPLEKEY",
                    "AWS_ACCESS_KEY_ID=" + "AK" + "IAI44QH8DHB" + "EXAMPLE",
                    "hf auth login --token hf" + "_" + "x" * 34,
                    "HF_TOKEN=hf" + "_" + "*" * 34,
                    "export OPENAI_API_KEY=sk-" + "...",
                    "OPENAI_API_KEY=sk-" + "1234",
                    "OPENAI_API_KEY='your-api-key-here'",
                    "OPENAI_API_KEY=<YOUR_OPENAI_API_KEY_2024>",
                    "curl -H 'Authorization: Bearer $OPENAI_API_KEY'",
                    "curl -H 'Authorization: Bearer YOUR_TOKEN_GOES_HERE_1234'",
                    "ANTHROPIC_API_KEY=sk-" + "ant-" + "api03-" + "...",
                    "api_key: ${OPENAI_API_KEY:-}",
                    "api_key: ${oc.env:OPENAI_API_KEY}",
                    "api_key: !ENV ${OPENAI_API_KEY}",
                    "api_key: {{ env.OPENAI_API_KEY_V1_2024 }}",
                    "password: $(openssl rand -hex 32)",
                    "SECRET_KEY=`openssl rand -hex 32`",
                    "AccountKey={}".format(
                        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50u" + "SRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
                    ),
                    "token: " + jwt({"sub": "1234567890", "name": "John Doe", "iat": 1516239022}),
                    "GITLAB_TOKEN=glpat" + "-" + "x" * 20,
                    "slack: xox" + "b-your-token-here-0000",
                    "nvapi" + "-" + "x" * 64,
                    "WANDB_API_KEY=" + "0" * 40,
                    "WANDB_API_KEY=" + "1234567890abcdef" * 2 + "12345678",
                    "PINECONE_API_KEY=xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
                    "COHERE_API_KEY=abcdefghijklmnopqrstuvwxyz1234567890ABCD",
                )
            ),
        ),
        (
            "allow.yaml",
            f"api_key: {c(ALNUM, 40)} # pragma: allowlist secret\n# pragma: allowlist nextline secret\nwandb_api_key: {hx(40)}\ntoken: {'gh' + 'p_' + c(ALNUM, 36)} # gitleaks:allow\n",
        ),
        ("allow.js", f"const apiKey = '{c(ALNUM, 40)}'; // pragma: allowlist secret\n"),
        ("allow.html", f"<!-- api_key={c(ALNUM, 40)} --><!-- pragma: allowlist secret -->\n"),
        (
            "urls.md",
            "https://user:password@host.example.com/\nhttps://<token>@github.com/x/y\nhttps://$GITHUB_TOKEN@github.com/x/y\nhttps://x-access-token:${{ secrets.GITHUB_TOKEN }}@github.com/x/y\nhttps://oauth2:{token}@git.vendor.dev/x\nhttps://__token__:@index.vendor.dev/simple\npostgresql+asyncpg://app:app@db:5432/app\nmysql://root:root@127.0.0.1/db\nhttps://example.org/@user/status/1234567890123456789\nhttps://cdn.vendor.dev/npm/pkg@1.2.3/dist/a.js\namqp://rabbit:rabbit@mq:5672//\nhttps://%s:%s@index.vendor.dev/simple\nhttp://elastic:changeme@localhost:9200\n",
        ),
        (
            "icon.svg",
            f'<svg><path d="M10 10L{c(DIGITS, 6)} 20"/><image xlink:href="data:image/jpeg;base64,{b64(3000)}"/></svg>\n',
        ),
        ("doc.md", f"![x](data:image/png;base64,{b64(6000)})\n"),
        (
            "model.pbtxt",
            "".join(
                f'node {{ name: "StatefulPartitionedCall/key_projection_{i}/MatMul_v2" op: "Const" }}\n'
                for i in range(20)
            ),
        ),
        (
            "sample.fasta",
            "".join(f">sp|{c(UPPER + DIGITS, 6)}|X\n{c('ACDEFGHIKLMNPQRSTVWY', 60)}\n" for _ in range(40)),
        ),
        ("smiles.csv", "".join(f"C{c('CNOcn1()=', 40)},key,{r.random()}\n" for _ in range(40))),
        (
            "tests/test_auth.py",
            'assert parse("Authorization: Bearer abc123def456") == "abc123def456"\nAPI_KEY = "test-key"\ntoken = "fake-token-for-unit-tests-0001"\nSECRET = "not-so-secret-value-123456"\n',
        ),
    ]
    book = {
        "cells": [
            {
                "cell_type": "code",
                "id": hx(8),
                "metadata": {
                    "id": c(ALNUM, 12),
                    "outputId": tokens.uuid(),
                    "colab": {"base_uri": "https://localhost:8080/", "referenced_widgets": [hx(32) for _ in range(12)]},
                },
                "execution_count": 1,
                "source": ["model.fit(key=1)\n"],
                "outputs": [
                    {
                        "output_type": "stream",
                        "name": "stdout",
                        "text": [
                            f"View run at https://wandb.ai/team/p/runs/{c(LOWER + DIGITS, 8)}\n",
                            f"Downloading {hx(40)}: 100%\n",
                            f"key: {hx(64)}\n",
                        ],
                    },
                    {
                        "output_type": "display_data",
                        "data": {
                            "image/png": b64(9000),
                            "image/svg+xml": f'<svg><image href="data:image/png;base64,{b64(3000)}"/></svg>',
                            "application/vnd.plotly.v1+json": {"key": [hx(40)] * 9},
                            "text/html": f'<div id="{hx(32)}" data-key="{tokens.uuid()}"></div>',
                        },
                        "metadata": {},
                    },
                ],
            }
            for _ in range(5)
        ],
        "metadata": {
            "widgets": {
                "application/vnd.jupyter.widget-state+json": {
                    "state": {hx(32): {"model_module_version": "1"} for _ in range(20)}
                }
            },
            "kernelspec": {"name": "python3"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    files.append(("colab.ipynb", json.dumps(book, indent=1)))
    files.append(("colab-min.ipynb", json.dumps(book)))
    return [(f"neg3/{path}", text.encode(), frozenset()) for path, text in files]
