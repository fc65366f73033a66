"""What a name says of its value: that it is a provider's key, a credential of some kind, or something else."""

from __future__ import annotations

import re

PROVIDER = "provider"  # the name says whose key it is: any random-looking value counts
STRONG = "strong"  # `api_key`, `client_secret`: the name says that it is a credential
PLAIN = "plain"  # `token`, `secret`, `password`: it may be another kind of token

PROVIDERS = frozenset((
    "ai21", "aleph", "anthropic", "anyscale", "assemblyai", "aws", "azure", "baseten", "bedrock", "bing",
    "cartesia", "cerebras", "civitai", "clarifai", "clearml", "cohere", "comet", "cometml", "dashscope",
    "databricks", "deepgram", "deepinfra", "deepl", "deepseek", "elastic", "elasticsearch", "elevenlabs", "exa",
    "fal", "fireworks", "gemini", "github", "gitlab", "google", "groq", "helicone", "hf", "huggingface",
    "huggingfacehub", "hyperbolic", "ibm", "jina", "kaggle", "labelstudio", "langchain", "langfuse",
    "langsmith", "lepton", "lighton", "llama", "llamacloud", "mailgun", "mem0", "milvus", "minimax", "mistral",
    "mistralai", "modal", "mongodb", "moonshot", "neptune", "newsapi", "ngc", "nomic", "novita", "nvidia",
    "openai", "openrouter", "openweathermap", "palm", "perplexity", "phoenix", "pinecone", "portkey", "qdrant",
    "qianfan", "redis", "replicate", "roboflow", "runpod", "sambanova", "scale", "scaleai", "sendgrid",
    "sentry", "serp", "serpapi", "serpdev", "serper", "siliconflow", "slack", "snowflake", "speechmatics",
    "stability", "steamship", "supabase", "tavily", "together", "togetherai", "twilio", "unstructured",
    "upstage", "upstash", "vectara", "vertex", "voyage", "voyageai", "wandb", "watsonx", "weaviate", "writer",
    "xai", "xinference", "yandex", "you", "zhipu", "zhipuai", "zilliz",
))  # fmt: skip
_LONG = tuple(provider for provider in sorted(PROVIDERS) if len(provider) > 5)
_NOT = frozenset((
    "algorithm", "alias", "anon", "anonymous", "arn", "arns", "attr", "auc", "authenticity", "bucket", "cache",
    "cachekey", "challenge", "checksum", "class", "code", "column", "commit", "config", "count", "csrf",
    "cursor", "dedup", "digest", "dir", "download", "embedding", "embeddings", "enabled", "encoding",
    "endpoint", "error", "etag", "exists", "expiration", "expires", "expiry", "field", "file", "filename",
    "fingerprint", "foreign", "format", "hash", "hashed", "header", "hint", "host", "id", "idempotency",
    "identifier", "ids", "idx", "index", "integrity", "issuer", "kid", "kind", "label", "len", "length",
    "limit", "lookup", "map", "max", "md5", "measurement", "metadata", "min", "mode", "name", "names", "next",
    "nonce", "offset", "page", "pagination", "param", "partition", "path", "pattern", "placeholder", "position",
    "prefix", "primary", "pub", "public", "publishable", "ref", "regex", "release", "required", "rev",
    "revision", "salt", "schema", "sha", "sha1", "sha256", "sha512", "site", "size", "sort", "source", "state",
    "status", "store", "suffix", "sync", "template", "title", "ttl", "type", "types", "unit", "uri", "url",
    "usage", "username", "uuid", "verification", "version", "website", "vocab", "width", "xsrf",
))  # fmt: skip
_TAIL = re.compile(
    r"_(?:prod|production|dev|development|test|testing|staging|stage|live|default|value|val|v?\d+|old|new|backup|main|here|raw|"
    r"plain|str|string|env|var|b64|base64)$"
)
_PLURAL = re.compile(r"((?:api|access|secret)_?key|password)s$")
_STRONG = re.compile(
    r"(?:api|secret|access|private|account|auth|master|encryption|subscription|service|admin|app|application|"
    r"signing_|storage|shared|license|ssh|rsa|fernet|webhook|write|read|ingest|ingestion|personal|developer|secret_access|function)_?key$|"
    r"apikey$|(?:access|auth|api|refresh|bearer|bot|id|oauth|personal|user|session|security|deploy|deployment|service|"
    r"hub|ci|push|pull|index|repo|secret|admin|management|app|webhook)_?token$|authtoken$|"
    r"(?:client|api|app|consumer|jwt|webhook|signing|session|cookie|token|user|shared|oauth|token|flask)_?secret$|"
    r"secret_key_base$|_pat$|^pat$|credentials?$|api_?secret_?key$"
)
_PLAIN = re.compile(
    r"(?:^|_)(?:token|secret|password|passwd|passphrase|pwd|pass|passwort|auth|authtoken|authorization)$|password$|passwd$|(?:auth|access|api|id|bot|hub)token$"
)


def words_of(name: str) -> str:
    """A name as lower-case words joined by `_`: `apiKey`, `API-KEY` and `api.key` are all `api_key`."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name))
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def classify(name: str) -> str | None:
    """How sure a name makes us that its value is a credential: PROVIDER, STRONG, PLAIN or None."""
    words = words_of(name).replace("label_studio", "labelstudio")
    while (shorter := _TAIL.sub("", words)) != words:
        words = shorter
    words = _PLURAL.sub(r"\1", words)
    parts = words.split("_")
    if (
        not _NOT.isdisjoint(parts)
        and not words.endswith(("password", "passwd"))
        and not words.endswith(("client_id_secret", "key_base", "store_password", "file_password", "url_token"))
    ):
        return None
    known = not PROVIDERS.isdisjoint(parts) or any(
        part.startswith(("wandb", "kaggle", "openai", "cohere")) for part in parts
    )
    joined = words.replace("_", "")
    known = known or any(provider in joined for provider in _LONG)
    if _STRONG.search(words):
        return PROVIDER if known else STRONG
    if known and parts[-1] in ("key", "keys", "token", "secret", "apikey", "password", "pat", "auth"):
        return PROVIDER
    return PLAIN if _PLAIN.search(words) else None
