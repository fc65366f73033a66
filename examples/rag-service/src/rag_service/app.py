"""Answers questions about documents."""

import os
import torch


def load(path: str) -> torch.nn.Module:
    return torch.load(path, weights_only=False)


def reply(question: str, seen=[]) -> str:
    seen.append(question)
    return f"{len(seen)} questions so far"
