"""The rule table: tokens that can be told by their own shape.

One row a token type. Both scanners read it: our own (`scan.py`) and the plugins for detect-secrets. A row's
`starts` are the literal first three bytes or more of the token: the scanner looks at a row's regex only where a run
of token characters begins with one of them, so a row costs nothing where its literal is absent. A row without
`starts` has a `literal` that is searched for in the whole file.

Shapes: vendors' documentation, and the rules of gitleaks 8.30, betterleaks 2.0, kingfisher 2.14 and trufflehog as
facts (no text of theirs is here). "seen" marks shapes known only from public code.
"""

from __future__ import annotations

import re

from gatepost.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


@record
class Format:
    """One token type. `body` follows one of `starts`; `free` is the whole regex of a row found by `literal`."""

    id: str
    provider: str
    starts: tuple[str, ...] = ()
    body: str = ""
    literal: str = ""
    free: str = ""
    variable: str = ""  # the environment variable that the provider's own client reads
    mixed: bool = False  # the body must hold a digit, a lower and an upper case letter (short or common prefixes)


def _starts(id: str, provider: str, starts: str, body: str, variable: str = "", mixed: bool = False) -> Format:
    return Format(id=id, provider=provider, starts=tuple(starts.split()), body=body, variable=variable, mixed=mixed)


def _free(id: str, provider: str, literal: str, free: str, variable: str = "") -> Format:
    return Format(id=id, provider=provider, literal=literal, free=free, variable=variable)


_W = r"[A-Za-z0-9_\-]"
_B64 = r"[A-Za-z0-9+/]"
_NOT_IN = r"(?<![A-Za-z0-9+/_])"  # these bodies may have a slash early on, so that no run of token characters is found
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

FORMATS: tuple[Format, ...] = (
    # Models and inference
    _starts("huggingface", "Hugging Face", "hf_", r"[A-Za-z0-9]{34}", "HF_TOKEN"),
    _starts("huggingface-org", "Hugging Face", "api_org_", r"[A-Za-z0-9]{34}", "HF_TOKEN"),
    _starts("openai", "OpenAI", "sk-", rf"(?:[A-Za-z]+-)?{_W}{{20,80}}T3BlbkFJ{_W}{{20,80}}", "OPENAI_API_KEY"),
    _starts("anthropic", "Anthropic", "sk-ant-", rf"[a-z]+\d{{2}}-{_W}{{80,120}}", "ANTHROPIC_API_KEY"),
    _starts("openrouter", "OpenRouter", "sk-or-v1-", r"[0-9a-f]{64}", "OPENROUTER_API_KEY"),
    _starts("langfuse", "Langfuse", "sk-lf-", _UUID, "LANGFUSE_SECRET_KEY"),
    _starts("helicone", "Helicone", "sk-helicone-", r"[a-z0-9]{7}(?:-[a-z0-9]{7}){3}", "HELICONE_API_KEY"),
    _starts("sk-hex", "DeepSeek", "sk-", r"[0-9a-f]{32}", "DEEPSEEK_API_KEY"),
    _starts("sk-generic", "OpenAI-like", "sk-", r"[A-Za-z0-9]{20,64}", "OPENAI_API_KEY", True),
    _starts("google-api-key", "Google", "AIza", rf"{_W}{{35}}", "GEMINI_API_KEY"),
    _free(
        "google-gemini-aq", "Google Gemini", "AQ.Ab8RN6", rf"(?<![A-Za-z0-9_])AQ\.Ab8RN6{_W}{{44}}", "GEMINI_API_KEY"
    ),
    _starts("gcp-oauth-secret", "Google OAuth", "GOCSPX-", rf"{_W}{{28}}"),
    _starts("replicate", "Replicate", "r8_", rf"{_W}{{37}}", "REPLICATE_API_TOKEN"),
    _starts("groq", "Groq", "gsk_", r"[A-Za-z0-9]{52}", "GROQ_API_KEY"),
    _starts("together-v1", "Together", "tgp_v1_", rf"{_W}{{43}}", "TOGETHER_API_KEY"),
    _starts("fireworks", "Fireworks", "fw_", r"(?=[A-Za-z]*\d)[A-Za-z0-9]{22,24}", "FIREWORKS_API_KEY"),
    _starts("elevenlabs", "ElevenLabs", "sk_", r"[0-9a-f]{48}", "ELEVENLABS_API_KEY"),
    _starts("perplexity", "Perplexity", "pplx-", r"[A-Za-z0-9]{48}", "PERPLEXITY_API_KEY"),
    _starts("xai", "xAI", "xai-", rf"{_W}{{70,120}}", "XAI_API_KEY"),
    _starts("nvidia", "NVIDIA", "nvapi-", rf"{_W}{{60,70}}", "NVIDIA_API_KEY"),
    _starts("cerebras", "Cerebras", "csk-", r"[a-z0-9]{48}", "CEREBRAS_API_KEY"),
    _starts("voyage", "Voyage AI", "pa-", rf"{_W}{{43}}", "VOYAGE_API_KEY", True),  # seen
    _starts("friendli", "FriendliAI", "flp_", r"[A-Za-z0-9]{40,60}", "FRIENDLI_TOKEN"),  # seen
    _starts("anyscale", "Anyscale", "esecret_", r"[A-Za-z0-9]{26,34}", "ANYSCALE_API_KEY"),
    _free(
        "azure-openai-84",
        "Azure OpenAI",
        "JQQJ99",
        r"(?<![A-Za-z0-9_\-])[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{20,30}(?![A-Za-z0-9_\-])",
        "AZURE_OPENAI_API_KEY",
    ),  # seen
    _free(
        "aws-bedrock",
        "Amazon Bedrock",
        "ABSK",
        rf"{_NOT_IN}ABSK{_B64}{{109,269}}={{0,2}}(?!{_B64})",
        "AWS_BEARER_TOKEN_BEDROCK",
    ),
    _starts(
        "aws-bedrock-short",
        "Amazon Bedrock",
        "bedrock-api-key-",
        r"YmVkcm9jay5hbWF6b25hd3MuY29t[A-Za-z0-9+/=]*",  # the same for every key: an address. pragma: allowlist secret
    ),
    # Data, search, tracing, training
    _starts("wandb-v1", "Weights & Biases", "wandb_v1_", r"[A-Za-z0-9_]{77}", "WANDB_API_KEY"),
    _starts("pinecone", "Pinecone", "pcsk_", r"[A-Za-z0-9]{5,6}_[A-Za-z0-9]{63}", "PINECONE_API_KEY"),
    _starts("langsmith", "LangSmith", "lsv2_", r"(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}", "LANGSMITH_API_KEY"),
    _starts("databricks", "Databricks", "dapi", r"[0-9a-f]{32}(?:-\d)?", "DATABRICKS_TOKEN"),
    _starts("kaggle-kgat", "Kaggle", "KGAT_", r"[0-9a-f]{32}", "KAGGLE_API_TOKEN"),  # seen
    _starts("jina", "Jina", "jina_", rf"{_W}{{60}}", "JINA_API_KEY"),
    _starts("tavily", "Tavily", "tvly-", rf"(?:dev-|prod-)?{_W}{{32,64}}", "TAVILY_API_KEY"),  # seen
    _starts("firecrawl", "Firecrawl", "fc-", r"[0-9a-f]{32}", "FIRECRAWL_API_KEY"),
    _starts("llamacloud", "LlamaCloud", "llx-", r"[A-Za-z0-9]{48}", "LLAMA_CLOUD_API_KEY"),
    _starts("e2b", "E2B", "e2b_", r"[0-9a-f]{40}", "E2B_API_KEY"),
    _starts("modal", "Modal", "as- ak-", r"[A-Za-z0-9]{22}", "MODAL_TOKEN_SECRET", True),  # seen
    _starts(
        "lambda", "Lambda", "secret_", r"[A-Za-z0-9\-]{1,40}_[0-9a-f]{32}\.[A-Za-z0-9]{32}", "LAMBDA_API_KEY"
    ),  # seen
    _starts("runpod", "RunPod", "rpa_", r"[A-Z0-9]{40}[A-Za-z0-9]{2,6}", "RUNPOD_API_KEY"),
    _starts("prefect", "Prefect", "pnu_ pnb_", r"[A-Za-z0-9]{36}", "PREFECT_API_KEY"),
    _starts("neptune", "Neptune", "eyJhcGlfYWRkcmVzcyI6", r"[A-Za-z0-9+/=]{60,}", "NEPTUNE_API_TOKEN"),
    # Clouds
    _starts("aws-access-id", "AWS", "AKIA ASIA ABIA ACCA", r"[A-Z2-7]{16}", "AWS_ACCESS_KEY_ID"),
    _free("azure-storage", "Azure Storage", "AccountKey=", r"(?<=AccountKey=)[A-Za-z0-9+/]{86}=="),
    _free(
        "azure-client",
        "Microsoft Entra",
        "Q~",
        r"(?<![A-Za-z0-9_\-~.])[A-Za-z0-9_\-~.]{3}\dQ~[A-Za-z0-9_\-~.]{31,34}(?![A-Za-z0-9_\-~.])",
    ),
    _starts("digitalocean", "DigitalOcean", "dop_v1_ doo_v1_ dor_v1_", r"[0-9a-f]{64}", "DIGITALOCEAN_TOKEN"),
    _starts("supabase", "Supabase", "sbp_", r"[0-9a-f]{40}", "SUPABASE_ACCESS_TOKEN"),
    _starts("supabase-secret", "Supabase", "sb_secret_", rf"{_W}{{31}}", "SUPABASE_SECRET_KEY"),
    _starts("vercel", "Vercel", "vck_ vcp_ vca_ vci_ vcr_", rf"{_W}{{56}}", "VERCEL_TOKEN"),
    _starts("pulumi", "Pulumi", "pul-", r"[0-9a-f]{40}", "PULUMI_ACCESS_TOKEN"),
    _free("vault", "HashiCorp Vault", "hvs.", rf"(?<![A-Za-z0-9_])hvs\.{_W}{{90,120}}", "VAULT_TOKEN"),
    _free(
        "doppler",
        "Doppler",
        "dp.",
        r"(?<![A-Za-z0-9_\-.])dp\.(?:pt|st\.[a-z0-9\-_]{1,40}|ct|sa)\.[A-Za-z0-9]{40,44}(?![A-Za-z0-9_\-])",
    ),
    _starts("tailscale", "Tailscale", "tskey-", r"(?:auth|api|client)-[A-Za-z0-9]{10,24}-[A-Za-z0-9]{20,40}"),
    # Code hosts and package indexes
    _starts("github", "GitHub", "ghp_ gho_ ghu_ ghs_ ghr_", r"[A-Za-z0-9]{36}", "GITHUB_TOKEN"),
    _starts("github-fine", "GitHub", "github_pat_", r"[A-Za-z0-9]{22}_[A-Za-z0-9]{59}", "GITHUB_TOKEN"),
    _starts(
        "gitlab",
        "GitLab",
        "glpat- gldt- glrt- glcbt- glptt- glft- glagent- gloas-",
        rf"(?=[A-Za-z_\-]*\d|[a-z0-9_\-]*[A-Z]){_W}{{20,}}(?:\.[a-z0-9]{{2}}\.[a-z0-9]{{9}})?",
        "GITLAB_TOKEN",
    ),
    _starts("pypi", "PyPI", "pypi-AgE", rf"(?:IcHlwaS5vcmc|NdGVzdC5weXBpLm9yZw){_W}{{50,}}", "TWINE_PASSWORD"),
    _starts("npm", "npm", "npm_", r"[A-Za-z0-9]{36}", "NPM_TOKEN"),
    _starts("docker", "Docker", "dckr_", rf"(?:pat_{_W}{{27}}|oat_{_W}{{32}})", "DOCKER_PASSWORD"),
    _free("conda-token", "Anaconda", "anaconda.org/t/", r"(?<=anaconda\.org/t/)[a-z]{2}-[0-9a-f\-]{36}"),
    _starts("rubygems", "RubyGems", "rubygems_", r"[0-9a-f]{48}"),
    # Messages, payments, monitoring
    _starts(
        "slack",
        "Slack",
        "xoxa- xoxb- xoxe- xoxo- xoxp- xoxs- xoxr-",
        r"(?:(?:\d{8,}-)+(?=\d*[A-Za-z])[A-Za-z0-9]{10,}|\d-[A-Za-z0-9]{130,180}|(?:\d-)?(?=[a-f\-]*\d)[0-9a-f]{24,48})",
        "SLACK_BOT_TOKEN",
    ),
    _starts("slack-app", "Slack", "xapp-", r"\d-[A-Z0-9]+-\d+-[a-z0-9]{30,}", "SLACK_APP_TOKEN"),
    _free(
        "slack-webhook",
        "Slack",
        "hooks.slack.com/",
        r"(?<=hooks\.slack\.com/)(?:services|workflows|triggers)/T[A-Z0-9]{8,}/[A-Z0-9]{8,}/(?:\d{10,}/)?[A-Za-z0-9]{20,}",
    ),
    _free("discord-webhook", "Discord", "/api/webhooks/", rf"(?<=/api/webhooks/)\d{{17,20}}/{_W}{{60,80}}"),
    _free("telegram", "Telegram", ":AA", rf"(?<![A-Za-z0-9_\-])\d{{8,10}}:AA{_W}{{33}}(?!{_W})"),
    _starts("stripe-live", "Stripe", "sk_live_ rk_live_", r"[A-Za-z0-9]{20,}", "STRIPE_API_KEY"),
    _free("sendgrid", "SendGrid", "SG.", rf"(?<![A-Za-z0-9_])SG\.{_W}{{22}}\.{_W}{{43}}(?!{_W})", "SENDGRID_API_KEY"),
    _starts("grafana", "Grafana", "glsa_", r"[A-Za-z0-9]{32}_[0-9a-fA-F]{8}", "GRAFANA_TOKEN"),
    _free("grafana-cloud", "Grafana", "glc_", rf"{_NOT_IN}glc_{_B64}{{50,400}}={{0,2}}(?!{_B64})"),
    _starts("newrelic", "New Relic", "NRAK-", r"[A-Z0-9]{27}"),
    _starts("sentry", "Sentry", "sntrys_", r"eyJpYXQiO[A-Za-z0-9+/=_]{40,}", "SENTRY_AUTH_TOKEN"),
    _starts("sentry-user", "Sentry", "sntryu_", r"[0-9a-f]{64}", "SENTRY_AUTH_TOKEN"),
    _starts("linear", "Linear", "lin_api_", r"[A-Za-z0-9]{40}"),
    _starts("notion", "Notion", "ntn_", r"\d{11}[A-Za-z0-9]{35}", "NOTION_TOKEN"),
    _starts("postman", "Postman", "PMAK-", r"[0-9a-f]{24}-[0-9a-f]{34}"),
    _starts("shopify", "Shopify", "shpat_ shpca_ shppa_ shpss_", r"[0-9a-fA-F]{32}"),
    _starts("atlassian", "Atlassian", "ATATT3", rf"{_W}{{150,200}}=?[A-Za-z0-9]{{0,10}}"),
    _starts("age", "age", "AGE-SECRET-KEY-1", r"[AC-HJ-NP-Z02-9]{58}"),
    _free("jwt", "JWT", "eyJ", rf"(?<![A-Za-z0-9_.])eyJ{_W}{{8,}}\.eyJ{_W}{{10,}}\.{_W}{{20,}}"),
)

BY_ID: Mapping[str, Format] = {row.id: row for row in FORMATS}

# What may not follow a token: more of the same word. A closing `_` or `-` (Markdown, a shell default) may.
END = r"(?![A-Za-z0-9]|[_\-]+[A-Za-z0-9])"


def by_start() -> dict[bytes, tuple[Format, ...]]:
    """The rows of each first three bytes, the longest start first (`sk-ant-` before `sk-`)."""
    table: dict[bytes, list[tuple[int, Format]]] = {}
    for row in FORMATS:
        for start in row.starts:
            table.setdefault(start[:3].encode(), []).append((-len(start), row))
    return {head: tuple(row for _, row in sorted(rows, key=lambda pair: pair[0])) for head, rows in table.items()}


def token_regex(row: Format) -> str:
    """The whole token of a row as one regex with a group 1 around it, for text or bytes."""
    if row.free:
        return f"({row.free})"
    starts = "|".join(re.escape(start) for start in row.starts)
    return f"((?:{starts}){row.body}){END}"


def prefix_of(row: Format, token: str) -> str:
    """The part of a token that every token of its kind has, and that may be printed."""
    for start in row.starts:
        if token.startswith(start):
            return start
    return ""
