"""Models and embeddings that are text: LightGBM, XGBoost's JSON, OpenVINO, PMML, word vectors, ncnn.

Tools that ask "is it binary?" never look at these.
"""

from __future__ import annotations

import re

from gatepost.formats.kind import TOKENIZER, WEIGHTS, Kind

NUMBER = re.compile(rb"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\Z")
HUB_TOKENIZER = re.compile(rb'\s*\{\s*"version"\s*:\s*"[\d.]+"\s*,\s*"truncation"\s*:')
XGBOOST = re.compile(rb'\s*\{\s*"(?:learner|version)"\s*:')
OPENVINO = re.compile(rb'(?s)(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>)?\s*(?:<!--.*?-->\s*)*<net\b[^>]*\bversion="\d+"')
PMML = re.compile(rb"(?s)(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>)?\s*(?:<!--.*?-->\s*)*<PMML\b")
VECTORS = re.compile(rb"(\d{1,9}) (\d{1,5})\r?\n")


def lightgbm(head: bytes, size: int) -> Kind | None:
    """`tree`, a line with the version, and the number of classes."""
    if not re.match(rb"tree\r?\nversion=v?\d", head):
        return None
    return Kind(id="lightgbm", label="a LightGBM model (text)", category=WEIGHTS, evidence="`tree` and `version=`")


def xgboost_json(head: bytes, size: int) -> Kind | None:
    """A JSON object with `learner` and what a learner has."""
    if not XGBOOST.match(head) or not re.search(rb'"(?:gradient_booster|learner_model_param|feature_names)"', head):
        return None
    if b'"learner"' not in head:
        return None
    return Kind(id="xgboost-json", label="an XGBoost model (JSON)", category=WEIGHTS, evidence="a `learner` key")


def tokenizer_json(head: bytes, size: int) -> Kind | None:
    """What the tokenizers library writes: a version, truncation, padding, added tokens, then the vocabulary."""
    if not HUB_TOKENIZER.match(head) or b'"added_tokens"' not in head:
        return None
    evidence = "a `version`, `truncation` and `added_tokens`"
    return Kind(id="tokenizer-json", label="a tokenizer (tokenizer.json)", category=TOKENIZER, evidence=evidence)


def xml(head: bytes, size: int) -> Kind | None:
    """OpenVINO's topology (its weights are the .bin beside it) and PMML."""
    if OPENVINO.match(head) and b"<layer" in head:
        return Kind(id="openvino", label="an OpenVINO model", category=WEIGHTS, evidence="`<net version=...>`")
    if PMML.match(head):
        return Kind(id="pmml", label="a PMML model", category=WEIGHTS, evidence="a `<PMML>` root")
    return None


def ncnn(head: bytes, size: int) -> Kind | None:
    """ncnn's text graph: the number 7767517, then the counts of layers and blobs."""
    if not re.match(rb"7767517\r?\n\d+ \d+\r?\n", head):
        return None
    return Kind(id="ncnn", label="an ncnn model", category=WEIGHTS, evidence="the number 7767517")


def word_vectors(head: bytes, size: int) -> Kind | None:
    """word2vec's formats: a line with the number of words and of dimensions, then words with their vectors."""
    match = VECTORS.match(head)
    if not match:
        return None
    words, width = int(match[1]), int(match[2])
    body = head[match.end() :]
    if words < 1 or width < 2:
        return None
    line, newline, _ = body.partition(b"\n")
    values = line.split()[1:]
    if not re.search(rb"[\x00-\x08\x0e-\x1f\x7f-\xff]", line[:64].partition(b" ")[2]):
        whole = bool(newline)
        good = all(NUMBER.match(value) for value in (values if whole else values[:-1]))
        fits = len(values) == width if whole else len(values) <= width
        if (
            values
            and good
            and fits
            and any(b"." in value or b"e" in value for value in values)
            and size >= words * width
        ):
            return Kind(
                id="word2vec", label="word vectors (text)", category=WEIGHTS, evidence="words with their vectors"
            )
        return None
    word, space, rest = body.partition(b" ")
    if not space or not word or len(word) > 200 or re.search(rb"[\x00-\x1f\x7f]", word):
        return None
    if words * (width * 4 + 2) > size - match.end():
        return None
    following = rest[4 * width : 4 * width + 200].lstrip(b"\n")
    if words > 1 and following:
        second = following.partition(b" ")[0]
        if not second or re.search(rb"[\x00-\x1f\x7f]", second):
            return None
    return Kind(id="word2vec", label="word vectors (binary)", category=WEIGHTS, evidence="words with their vectors")


def glove(head: bytes, size: int) -> Kind | None:
    """GloVe: no header, lines of one word and always the same number (25 or more) of decimals."""
    lines = head[: 64 * 1024].split(b"\n")
    if len(lines) < 3:
        return None
    rows = [line.rstrip(b"\r").split(b" ") for line in lines[:-1]]
    width = len(rows[0])
    if width < 26 or any(len(row) != width for row in rows) or len(rows) < 2:
        return None
    if not all(b"." in value and NUMBER.match(value) for row in rows for value in row[1:]):
        return None
    if all(NUMBER.match(row[0]) for row in rows):
        return None  # a table of numbers
    return Kind(id="glove", label="word vectors (text)", category=WEIGHTS, evidence="words with their vectors")
