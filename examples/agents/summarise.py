#!/usr/bin/env python3
"""A small agent for `slipway bench`: Python's standard library and nothing else.

It reads a folder of text files, has them summarised in one model call and has the
summary put into a structure in a second one. Everything it needs comes from the
environment, which Slipway sets:

    OPENAI_BASE_URL   where to send requests (ends in /v1)
    OPENAI_API_KEY    any text; some servers insist on one
    SLIPWAY_MODEL     the model to ask for
    SLIPWAY_CORPUS    the folder to read
    SLIPWAY_NONCE     text to begin every prompt with, so that none is cached

Any agent that honours OPENAI_BASE_URL or OLLAMA_HOST can be measured the same way.
"""

import json
import os
import sys
import urllib.request
from pathlib import Path

CHARACTERS_PER_FILE = 1500
MAX_TOKENS = 64

# Put first, it keeps the server from answering out of its prompt cache. Empty where that is allowed.
NONCE = os.environ.get("SLIPWAY_NONCE", "")


def ask(step, text):
    """One streamed chat completion; returns the text of the answer."""
    body = {
        "model": os.environ.get("SLIPWAY_MODEL", ""),
        "messages": [{"role": "user", "content": NONCE + text}],
        "max_tokens": MAX_TOKENS,
        "stream": True,
        # Without this the server does not say how many tokens it made.
        "stream_options": {"include_usage": True},
    }
    request = urllib.request.Request(
        os.environ["OPENAI_BASE_URL"] + "/chat/completions",
        data=json.dumps(body).encode(),
        headers={
            "Content-Type": "application/json",
            "Authorization": "Bearer " + os.environ.get("OPENAI_API_KEY", ""),
            # Optional: names the step in Slipway's records.
            "X-Slipway-Step": step,
        },
    )
    pieces = []
    with urllib.request.urlopen(request) as response:
        for line in response:
            if not line.startswith(b"data:"):
                continue
            data = line[len(b"data:"):].strip()
            if data == b"[DONE]":
                continue
            for choice in json.loads(data).get("choices", []):
                pieces.append(choice.get("delta", {}).get("content") or "")
    return "".join(pieces)


def read_corpus(folder):
    texts = []
    for path in sorted(Path(folder).iterdir()):
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            texts.append(f"## {path.name}\n{text[:CHARACTERS_PER_FILE]}")
    return "\n\n".join(texts)


def main():
    corpus = read_corpus(os.environ["SLIPWAY_CORPUS"])
    summary = ask("summarise", "Summarise these files. Keep every number.\n\n" + corpus)
    result = ask("structure", "Put this summary into JSON.\n\n" + summary)
    print(result)


if __name__ == "__main__":
    try:
        main()
    except (KeyError, OSError) as problem:
        print(f"summarise.py: {problem!r}", file=sys.stderr)
        sys.exit(1)
