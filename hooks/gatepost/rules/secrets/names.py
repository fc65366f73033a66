"""Which name a value belongs to: keys without a shape of their own are told only by it (`WANDB_API_KEY = "<40 hex digits>"`).

The scanner finds a value first (a run of 16 or more token characters with a digit in it); this module reads what
stands to its left: an assignment in any language, a mapping, the default of `os.getenv`, a command-line flag, `ENV`
in a Dockerfile, a header, a `name`/`value` pair over two lines, a provider's client called with the key.
"""

from __future__ import annotations

import re

from gatepost.rules.secrets.words import PLAIN, PROVIDER, PROVIDERS, STRONG, classify, words_of

_VALUE_NAMES = frozenset((
    "const", "content", "data", "default", "default_value", "defaultvalue", "fallback", "initial_value",
    "initialvalue", "string", "text", "val", "value",
))  # fmt: skip

_NAME = r"[A-Za-z_$@%][\w.\-]{0,80}"
_OPEN = re.compile(r"(?:\b[rbufRBUF]{1,2})?(\\*[\"'`]{1,3})$")
_ASSIGN = re.compile(
    rf"(?:--?)?({_NAME})[\\\"'`\])]{{0,6}}[?!]?\s{{0,8}}"
    r"(?::=|=>|<-|->|[=:]{1,3}|\+=|\?=|\?\?=|\|\|=)[ \t]{0,8}[({\[]?[ \t]{0,4}$"
)
_ANNOTATED = re.compile(rf"({_NAME})\s?:\s{{0,3}}[\w.\[\], |\"'&<>?*]{{1,60}}?\s{{0,3}}=\s{{0,3}}[(]?\s*$")
_ARGUMENT = re.compile(
    rf"[\"'`][\-${{%<]{{0,2}}({_NAME})[}}%>]{{0,2}}\\*[\"'`]\s{{0,8}},\s{{0,8}}(?:default\s?=\s?|type\s?=\s?str\s?,\s?default\s?=\s?)?$"
)
_FLAG = re.compile(r"(?:^|[\s\"'`!(\[])--?([A-Za-z][\w\-]{1,60}),?$")  # `--token X`, `[--token, X]` in YAML
_SQL = re.compile(
    r"\b(?:with(?:\s+encrypted)?|set|,)\s+password\s+$|\bidentified\s+(?:with\s+\w+\s+)?by\s+$", re.IGNORECASE
)
_WORD_PAIR = re.compile(
    rf"(?:\b(?:ENV|ARG|env|setx|set|setenv|SET|export|unset)|\bset\s+-\w+|%env|--set|--build-arg)\s+({_NAME})$"
)
_BESIDE = re.compile(rf"(?:^|[\s,({{\[])({_NAME})\s{{1,8}}$")  # `#define API_KEY "..."`, `api_key '...'` in SQL
_NETRC = re.compile(r"\b(?:machine|login)\s+\S+.*\b(password)$|^\s*(password)$", re.DOTALL)
_SCHEME = re.compile(
    r"\b(bearer)$|authorization\\*[\"'`]?\s?[:=,]\s?[rbfu]?\\*[\"'`]?(?:basic|token|apikey|api-key|key|bearer)?$",
    re.IGNORECASE,
)
_TAGGED = re.compile(r"<(\w[\w.\-]{1,60})(?:\s[^<>]*)?>$")
_WRAPPER = re.compile(
    r"(?:\b[\w.]*(?:SecretStr|Secret|StaticToken|SecretString|str|bytes|quote|Key|Credential|KeyCredential|Auth|ApiKey|APIKey|"
    r"String|from_str|Some|fromString|encode|Field|Variable|Option|Param|Default)\s*)?\(\s*$"
)
_CALL = re.compile(
    r"\b(wandb)(?:\.login\s*\(|\s+login(?:\s+--(?:relogin|cloud|host\S*))*)$|\b(cohere)\.(?:Async)?Client(?:V2)?\s*\($|\b(Mistral)(?:Client)?\s*\($|"
    r"\b(AssemblyAI|Deepgram|DeepgramClient|Roboflow|TogetherClient|Together|Groq|Replicate|Pinecone|TavilyClient|Exa|SerpApiWrapper)\s*\($|"
    r"\b(huggingface-cli|hf|hf auth|kaggle|clearml|comet|replicate|modal|roboflow)\s+login$|\bpoetry\s+config\s+(http-basic|pypi-token)\.\S+(?:\s+\S+)?$|\b(login)(?:\s*\(|[\"']\s*,)$"
)
_ELSEWHERE = re.compile(r"(?:\bor|\|\||\?\?|\belse|:-|\bis)$")
_IDENTIFIER = re.compile(r"[A-Za-z_][\w\-]{2,80}")


def owner(lines: list[str]) -> tuple[str, str, bool] | None:
    """The name that a value belongs to, its class, and whether the value stands in quotes.

    `lines` is the text before the value: up to two earlier lines, then its own line up to the value.
    """
    line = lines[-1].replace("\\u0026", "&").replace("&amp;", "&")
    opened = _OPEN.search(line)
    text = line[: opened.start()] if opened else line
    earlier = [one for one in lines[:-1] if one.strip()]
    for _ in range(3):
        stripped = text.rstrip()
        bare = stripped.strip(" \t-(,\\\"'`[{>|+f")
        if bare and bare not in ("r", "b", "u"):
            break
        if not earlier:
            return None
        bullet = stripped.lstrip(" \t")
        text = earlier.pop().rstrip().rstrip("\\") + (f" {bullet[1:]}" if bullet.startswith("-") else stripped)
        text = re.sub(r"(?:(?<=[:\s])[>|][\-+]?\d?|\"{3}|'{3})$", "", text)
    text = re.sub(r"(:\s*)!![a-z]+\s+$", r"\1", text)  # a tag of YAML
    found = _direct(text, earlier) or (_beside(text) if opened else None)
    if found is None:
        return None
    return found[0], found[1], bool(opened) or found[0].startswith("Authorization")


def _beside(text: str) -> tuple[str, str] | None:
    """A name with nothing but a space between it and a quoted value; it has to be a credential's beyond doubt."""
    if _SQL.search(text):
        return "password", PLAIN
    match = _BESIDE.search(text)
    kind = classify(match[1]) if match else None
    return (match[1], kind) if match and kind in (PROVIDER, STRONG) else None


def _direct(text: str, earlier: list[str]) -> tuple[str, str] | None:
    stripped = text.rstrip()
    if scheme := _SCHEME.search(stripped):
        return ("Authorization: Bearer" if scheme[1] else "Authorization"), STRONG
    if call := _CALL.search(stripped):
        name = next(group for group in call.groups() if group)
        return f"{name} key" if name != "login" else "login", PROVIDER if name != "login" else PLAIN
    for _ in range(2):
        wrapper = _WRAPPER.search(stripped)
        before = stripped[: wrapper.start()] if wrapper else ""
        if wrapper is None or (_ASSIGN.search(before) is None and _ANNOTATED.search(before) is None):
            break
        stripped = stripped[: wrapper.start()].rstrip()
    name = ""
    at = len(stripped)
    spaced = text[len(text.rstrip()) :] != ""
    for regex in (_ASSIGN, _ARGUMENT, _TAGGED, _NETRC) + ((_WORD_PAIR, _FLAG) if spaced else ()):
        if match := regex.search(stripped):
            group = next(number for number in range(1, regex.groups + 1) if match[number])
            name, at = match[group], match.start(group)
            break
    rank = (None, PLAIN, STRONG, PROVIDER)
    if (match := _ANNOTATED.search(stripped)) and rank.index(classify(match[1])) > rank.index(classify(name)):
        name, at = match[1], match.start(1)
    if name and name.lower().lstrip("-") not in _VALUE_NAMES:
        kind = classify(name)
        if kind is None and words_of(name) in ("key", "token", "apikey", "secret", "p", "k"):
            around = words_of(stripped[max(0, at - 80) : at] + " ".join(earlier[-1:]))
            if words_of(name) == "key" and "username" in around.split("_"):
                return "kaggle.json key", PROVIDER
        if kind in (None, PLAIN):
            above = (
                earlier[-1] if earlier and earlier[-1].rstrip().endswith((":", "{", "]")) else ""
            )  # `wandb:`, `[wandb]`
            left = words_of(above + " " + stripped[max(0, at - 60) : at]).split("_")
            if words_of(name) in ("key", "token", "secret", "apikey") and not PROVIDERS.isdisjoint(left):
                return name, PROVIDER
        if kind:
            return name, kind
        return None
    if not name and not _ELSEWHERE.search(stripped):
        return None
    # `value:` after `name: TOKEN`, `default=` after `"--token"`, `getenv(...) or "..."`: the nearest name before it.
    reach = "\n".join(earlier[-2:] + [stripped[:at]])[-240:]
    for match in reversed(list(_IDENTIFIER.finditer(reach))):
        if match[0].lower() in _VALUE_NAMES:
            continue
        kind = classify(match[0])
        if kind in (PROVIDER, STRONG) or (kind == PLAIN and (name or (match[0].isupper() and "_" in match[0]))):
            return match[0], kind
    return None
