"""Where a secret may stand, and what only looks like one: one line of each kind seen in public repositories."""

from __future__ import annotations

import pytest

from gatepost.rules.secrets.scan import Scanner
from tests.secrets.corpus import Tokens

T = Tokens(77)
hx = T.make("wandb")[0]
h32 = T.make("kaggle")[0]
al = T.make("cohere")[0]
gh = T.make("github")[0]
uu = T.uuid()
hf = T.make("huggingface")[0]

SECRETS = [
    (f"machine api.wandb.ai\n  login user\n  password {hx}\n", ".netrc"),
    (f"machine api.wandb.ai login user password {hx}\n", ".netrc"),
    (f"wandb login {hx}\n", "a.sh"),
    (f"wandb login --relogin {hx}\n", "a.sh"),
    (f"!wandb login {hx}\n", "n.py"),
    (f'wandb.login(key="{hx}")\n', "a.py"),
    (f'{{"username":"joe","key":"{h32}"}}', "kaggle.json"),
    (f'co = cohere.Client("{al}")\n', "a.py"),
    (f'co = cohere.ClientV2(\n    "{al}"\n)\n', "a.py"),
    (f"//r.vendor.dev/:_authToken={uu}\n", ".npmrc"),
    (f"//r.vendor.dev/:_authToken={al}\n", ".npmrc"),
    (f"%env WANDB_API_KEY {hx}\n", "a.py"),
    (f"WANDB_API_KEY={hx} python train.py\n", "run.sh"),
    (f"docker build --build-arg WANDB_API_KEY={hx} .\n", "run.sh"),
    (f"- run: echo\n  with:\n    api-key: {hx}\n", "a.yml"),
    (f"# my wandb key: {hx}\n", "a.py"),
    (f"wandb:\n  key: {hx}\n", "a.yaml"),
    (f"wandb:\n  api_key: {hx}\n", "a.yaml"),
    (f"Authorization: Token {hx}\n", "a.http"),
    (f'headers = {{"Authorization": "Token {hx}"}}\n', "a.py"),
    (f'headers["Authorization"] = f"Bearer {al}"\n', "a.py"),
    (f"POETRY_HTTP_BASIC_FOO_PASSWORD={al}\n", "a.env"),
    (f"UV_INDEX_PRIVATE_PASSWORD={al}\n", "a.env"),
    (f'[http-basic.foo]\nusername = "u"\npassword = "{al}"\n', "auth.toml"),
    (f"poetry config http-basic.foo user {al}\n", "a.sh"),
    (f"curl -u user:{gh} https://x\n", "a.sh"),
    (f'API_KEY: "{uu}"\n', "a.yaml"),
    (f'const apiKey = process.env.KEY ?? "{al}";\n', "a.ts"),
    (f'openai.api_key = "{al}"\n', "a.py"),
    (f"OPENAI_KEY = '{al}'\n", "a.py"),
    (f'WANDB_KEY="{hx}"\n', "a.py"),
    (f'api_key=b"{al}"', "a.py"),
    (f'  "AzureOpenAI": {{"ApiKey": "{h32}"}}', "appsettings.json"),
    (f'<add key="OpenAIKey" value="{al}" />', "a.config"),
    (f'mlflow_tracking_token: "{al}"', "a.yml"),
    (f"spring.ai.openai.api-key={al}", "a.properties"),
    (f'login(token="{hf}", add_to_git_credential=True)', "a.py"),
    (f"hf auth login --token {hf}", "a.sh"),
    (f"git clone https://user:{hf}@git.vendor.dev/x/y", "a.sh"),
    (f"git clone https://{gh}@github.com/x/y", "a.sh"),
    (f"huggingface_hub.HfApi(token='{hf}')", "a.py"),
    (f"data:\n  token: {hf}", "a.yaml"),
    (f'"{hf}"', "a.json"),
    (f"export AWS_SECRET_ACCESS_KEY='{T.make('aws-secret')[0]}'", "a.sh"),
    (f"aws_secret_access_key = {T.make('aws-secret')[0]}", "credentials"),
    (f'boto3.client("s3", aws_secret_access_key="{T.make("aws-secret")[0]}")', "a.py"),
    (f"SNOWFLAKE_PASSWORD: {al}", "a.yml"),
    (f"password={al}", "a.ini"),
    (f'TELEGRAM_TOKEN="{"".join(T.random.choices("0123456789", k=10))}:AA{T.chars("abcXYZ019_", 33)}"', "a.py"),
    (f'api_keys = ["{al}", "{h32}"]', "a.py"),
    (f"x-api-key: {al}", "a.http"),
    (f"client_secret={al}&grant_type=x", "a.txt"),
    (f"https://api.vendor.dev/v1?token={al}", "a.md"),
    (f"CREATE USER app WITH PASSWORD '{al[:24]}';", "a.sql"),
    (f"ALTER USER app IDENTIFIED BY '{al[:24]}';", "a.sql"),
    (f"args: [--api-key, {al}]", "a.yaml"),
    (f"args:\n  - --api-key\n  - {al}\n", "a.yaml"),
    (f"https://api.vendor.dev/v1?access_token={al}", "a.md"),
    (f'{{"access_token":"{al}","expires_in":3600}}', "a.json"),
    (f"<apiKey>\n    {al}\n</apiKey>", "a.xml"),
    (f'#define API_KEY "{al}"', "a.h"),
    (f"CREATE SECRET s (TYPE openai, api_key '{al}');", "a.sql"),
    (f'const API_KEY: &str = "{al}";', "a.rs"),
    (f"api_key: !!str '{al}'", "a.yaml"),
    (f'password = """\n{al}"""\n', "a.toml"),
    (f"headers = {{'X-Api-Key': f'{al}'}}", "a.py"),
    (f'os.environ["MLFLOW_PASSWORD"] = get("k") or "{al}"', "a.py"),
    (f'passwords = [\n    "{al}",\n]', "a.py"),
    (f"curl -u api:{al} https://api.vendor.dev/v1", "a.sh"),
    (f"curl -s https://api.vendor.dev --user 'ann:{al}' -o x", "a.sh"),
    (f"{'xox' + 'e.xox'}p-1-{T.chars('ABCDEFGHIJKLMNOP0123456789', 163)}", "a.txt"),
    (f"https://hooks.slack.com/workflows/T0{'A1B2C3D4'}/A0{'Q9W8E7R6'}/{'9876501' + '234987'}/{al[:24]}", "a.txt"),
    (f"key: {'AB' + 'SK'}a/b+{T.chars('abcXYZ019/+', 120)}==", "a.txt"),
    (f"fernet_key = {T.chars('abcdefghiXYZ019_-', 43)}=", "a.cfg"),
    (f"github_token = {'github' + '_pat_'}{T.chars('abcdefghijklmnop0123456789', 82)}", "a.ini"),
]

NOT = [
    ('token = "the-quick-brown-fox-jumps-2024"', "a.py"),
    ('api_key="REPLACE_ME_WITH_KEY_1234"', "a.py"),
    (f'sha = "{hx}"', "a.py"),
    (f'revision="{hx}"', "a.py"),
    (f'"tokenizer_hash": "{hx}"', "a.json"),
    (f"key: pip-{hx}", "a.yml"),
    ('api_key = os.environ["OPENAI_API_KEY_PRODUCTION_2024"]', "a.py"),
    ("api_key=settings.OpenAIApiKeyV2Production", "a.py"),
    ('secret = client.get_secret_value2("projects/123456/secrets/Key1/versions/2")', "a.py"),
    ("token: ${{ secrets.MY_GITHUB_TOKEN_2024_V2 }}", "a.yml"),
    ('password: "{{ vault_db_password_1a2B }}"', "a.yml"),
    (f'commit_token = "{uu}"', "a.py"),
    (f'run_token="{uu}"', "a.py"),
    (f"cache-key: {h32}", "a.yml"),
    (f'"etag": "{h32}"', "a.json"),
    (f'NEXT_PUBLIC_POSTHOG_KEY = "{al}"', "a.ts"),
    ('access_token = "AccessTokenProviderForOAuth2Client"', "a.py"),
    ('SECRET_KEY = "django-insecure-' + al + '"', "s.py"),
    ('special_token = "<|im_start|>system1234567890abcd"', "a.py"),
    ('key = "layers.0.self_attn.q_proj.weight_v2_scale"', "a.py"),
    ('pad_token="[PAD]"', "a.py"),
    (f'"key": "{hx}"', "a.json"),
    (f"tokens: 0x{al}", "a.md"),
    (f'integrity="sha384-{al}{al}"', "a.html"),
    ('tokenizer = "meta-llama/Llama-3.1-8B-Instruct-token-2024v1"', "a.py"),
    ('api_key="sk-or-v1-..."', "a.py"),
    ('password_hash = "$2b$12$' + al + '"', "a.py"),
    ("token=abc123def456ghi789jkl012", "a.sh"),
    ("AIzaSyDUMMYKEYDUMMYKEYDUMMYKEYDUMMYKE1", "a.py"),
    ("https://a1b2c3d4e5f60718293a4b5c6d7e8f90@o1.ingest.sentry.io/12", "a.py"),
    ("postgres://u:p@db/x", "a.py"),
    ("postgresql://airflow:airflow@postgres/airflow", "a.yml"),
    ("http://admin:admin@grafana.internal.vendor.dev", "a.yml"),
    ("https://user:{token}@x.vendor.dev", "a.py"),
    ("f'https://{user}:{password}@{host}/'", "a.py"),
    ("mongodb+srv://<username>:<password>@cluster0.x.mongodb.net", "a.md"),
    ('"foo://bar:baz@qux"', "a.py"),
    (f"openai_api_key: ENC[AES256_GCM,data:{al},iv:{al},tag:{h32},type:str]", "a.yaml"),
    ("[user]\n  signingkey = 37108033" + "8E7CC935", ".gitconfig"),
    ('verify_token="eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9..."', "a.py"),
    ("curl -u user:pass https://api.vendor.dev", "a.sh"),
    ("curl -u elastic:$ELASTIC_PASSWORD https://x", "a.sh"),
    ("curl -u admin:changeme localhost:9200", "a.sh"),
    (f'"{"xox" + "p"}-1234-1234-1234-{h32}"', "a.json"),
    (
        "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq" + "/K1SZFPTOtr/KBHBeksoGMGw==",
        "a.env",
    ),
    ("token: " + "gh" + "p_16C7e42F292c6912E7710c838347Ae178B4a", "a.md"),
    ("api_key: my-service-2024-prod-model-ab12cd", "a.yml"),
    (f"[x](https://video.vendor.dev/redirect?event=a&redir_token={al}&q=1)", "a.md"),
    (f"--extra-index-url https://__token__:{al[:20]}@pkg.example/simple", "requirements.txt"),
    ('expected_token = "eyJhbGciOiJub25lIn0.e30."', "a.py"),
    (f'POSTHOG_API_KEY = "phc_{al}"', "a.py"),
    (f"LANGFUSE_PUBLIC_KEY=pk-lf-{uu}", "a.env"),
    (f"websiteToken: '{al[:24]}'", "a.ts"),
    (f'algolia: {{\n  // public\n  apiKey: "{h32}",\n  indexName: "docs",\n}}', "docusaurus.config.js"),
    ("the token '20240115T103000Z_checkpoint_00012'", "a.md"),
]


@pytest.mark.parametrize(("text", "path"), SECRETS, ids=range(len(SECRETS)))
def test_found(text: str, path: str) -> None:
    assert Scanner().scan(text.encode(), path)


@pytest.mark.parametrize(("text", "path"), NOT, ids=range(len(NOT)))
def test_not_found(text: str, path: str) -> None:
    assert Scanner().scan(text.encode(), path) == []
