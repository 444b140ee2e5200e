"""What common lines of deep-learning code say in words, for answers that explain by code."""

from __future__ import annotations

import re

IDIOMS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"\b(?:requires_grad|trainable)\s*=\s*False\b|\brequires_grad_\(\s*False\s*\)", "freeze the layers"),
        (r"\b(?:requires_grad|trainable)\s*=\s*True\b|\brequires_grad_\(\s*(?:True)?\s*\)", "unfreeze the layers to fine-tune them"),
        (r"\bpretrained\s*=\s*True\b|\bweights\s*=\s*\S*(?:imagenet|IMAGENET|DEFAULT)", "pretrained on ImageNet"),
        (r"\.(?:fc|head|classifier(?:\[-?\d+\])?)\s*=\s*(?:\w+\.)?\w+\(", "replace the last layer by a new head"),
        (r"\binclude_top\s*=\s*False\b", "without the top classifier"),
        (r"\b(?:out|output|y|h)\s*\+=\s*(?:x|identity|residual|shortcut|skip)\b", "adds the input to the output, F(x) + x"),
        (r"\breturn\b.*\+\s*(?:x|identity|residual|shortcut|self\.(?:shortcut|downsample)\(x\))\s*\)?\s*$", "adds the input to the output, F(x) + x"),
        (r"\b[Aa]dd\(\)?\(?\s*\[", "adds the input to the output"),
        (r"\b(?:lr|learning_rate)\s*=\s*(?:1e-[4-7]|0\.000\d+)\b|\bAdam\(\s*1e-[4-7]\s*\)", "with a small learning rate"),
        (r"\bfile_uploader\(", "upload a file"),
        (r"\bclass_weight\b|\bWeightedRandomSampler\b", "class weights against class imbalance"),
    )
)  # fmt: skip


def in_words(line: str) -> str:
    """What a line of code does, where it is one of the idioms; else nothing."""
    return "; ".join(dict.fromkeys(words for pattern, words in IDIOMS if pattern.search(line)))
