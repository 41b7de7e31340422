"""Talks to a checkpoint in PyTorch: `python3 talk.py FOLDER "hello" "what is an enclave?"` is one conversation of two turns."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from model import Decoder, Shape
from tokenizer import Tokenizer


def load(folder: Path) -> tuple[Decoder, Tokenizer]:
    saved = torch.load(folder / "checkpoint.pt", map_location="cpu")
    model = Decoder(Shape(**saved["shape"]))
    model.load_state_dict(saved["model"])
    return model.eval(), Tokenizer.load(folder / "tokenizer.json")


@torch.no_grad()
def answer(model: Decoder, tokenizer: Tokenizer, prompt: str, temperature: float = 0.6, limit: int = 120) -> str:
    ids = tokenizer.encode(prompt)
    made: list[int] = []
    while len(made) < limit and len(ids) < model.shape.context:
        logits = model(torch.tensor([ids]))[0, -1].float()
        token = int(logits.argmax()) if temperature == 0 else int(torch.multinomial((logits / temperature).softmax(-1), 1))
        if token == tokenizer.ids["<|im_end|>"]:
            break
        ids.append(token)
        made.append(token)
    return tokenizer.decode(made)


if __name__ == "__main__":
    model, tokenizer = load(Path(sys.argv[1]))
    prompt = ""
    for text in sys.argv[2:]:
        prompt += f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"
        reply = answer(model, tokenizer, prompt)
        print(f"> {text}\n{reply}\n")
        prompt += f"{reply}<|im_end|>\n"
