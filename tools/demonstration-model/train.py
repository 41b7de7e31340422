"""Trains the demonstration model. On a CPU: about an hour. On a GPU: a minute or two."""

from __future__ import annotations

import argparse
import math
import random
import time
from dataclasses import asdict
from pathlib import Path

import torch
from torch.nn import functional as F

from generate import conversations, render
from model import Decoder, Shape
from tokenizer import Tokenizer

IGNORED = -100


def encode(tokenizer: Tokenizer, turns: list[tuple[str, str]]) -> tuple[list[int], list[int]]:
    """Ids, and the same ids as targets where the assistant speaks: what a person types is not learned."""
    ids, targets = [], []
    for role, text in turns:
        head, body = tokenizer.encode(f"<|im_start|>{role}\n"), tokenizer.encode(f"{text}<|im_end|>\n")
        ids += head + body
        targets += [IGNORED] * len(head) + (body if role == "assistant" else [IGNORED] * len(body))
    return ids, targets


def pack(tokenizer: Tokenizer, seed: int, count: int, length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Whole conversations one after another in rows of a fixed length, each row starting with a fresh one."""
    rows, row, wanted = [], [], []
    wanteds = []
    for turns in conversations(count, seed):
        ids, targets = encode(tokenizer, turns)
        if len(row) + len(ids) > length + 1:
            padding = length + 1 - len(row)
            rows.append(row + [0] * padding)
            wanteds.append(wanted + [IGNORED] * padding)
            row, wanted = [], []
        if len(ids) <= length + 1:
            row, wanted = row + ids, wanted + targets
    return torch.tensor(rows), torch.tensor(wanteds)


def loss_of(model: Decoder, rows: torch.Tensor, targets: torch.Tensor, device: str) -> torch.Tensor:
    with torch.autocast(device, dtype=torch.bfloat16):
        logits = model(rows[:, :-1].to(device))
    return F.cross_entropy(logits.float().flatten(0, 1), targets[:, 1:].to(device).flatten(), ignore_index=IGNORED)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder for checkpoints, outside of the repository")
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=0, help="shortens the schedule to fit into this time")
    parser.add_argument("--resume", type=Path, help="folder of an earlier run to go on from, with its tokenizer")
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    options.output.mkdir(parents=True, exist_ok=True)

    tokenizer = Tokenizer.load(options.resume / "tokenizer.json") if options.resume else Tokenizer.train([text for turns in conversations(4000, 7) for _, text in turns] + ["system\n", "user\n", "assistant\n"] * 4000, Shape.vocabulary)
    tokenizer.save(options.output / "tokenizer.json")
    shape = Shape(vocabulary=len(tokenizer.tokens))
    model = Decoder(shape).to(device)
    if options.resume:
        model.load_state_dict(torch.load(options.resume / "checkpoint.pt", map_location=device)["model"])
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {len(tokenizer.tokens)} tokens, {device}", flush=True)

    decayed = [p for p in model.parameters() if p.dim() > 1]
    plain = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}], lr=options.rate, betas=(0.9, 0.95))
    held_rows, held_targets = pack(tokenizer, seed=99, count=120, length=options.length)

    steps, start, epoch, order = options.steps, time.time(), 0, []
    for step in range(10**9):
        if step >= steps:
            break
        if options.minutes and step == 50:
            steps = min(steps, int(options.minutes * 60 / ((time.time() - start) / 50)))
        if len(order) < options.batch:
            epoch += 1
            rows, targets = pack(tokenizer, seed=1000 + epoch, count=3000, length=options.length)
            order = random.Random(epoch).sample(range(len(rows)), len(rows))
        batch, order = order[:options.batch], order[options.batch:]

        progress = step / steps
        for group in optimizer.param_groups:
            group["lr"] = options.rate * min(1, (step + 1) / 100) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(1, progress))))
        loss = loss_of(model, rows[batch], targets[batch], device)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

        if step % 200 == 0 or step == steps - 1:
            with torch.no_grad():
                held = loss_of(model, held_rows[:32], held_targets[:32], device)
            rate = (step + 1) * options.batch * options.length / (time.time() - start)
            print(f"step {step}/{steps} loss {loss:.3f} held out {held:.3f} {rate:,.0f} tokens/s {time.time() - start:.0f} s", flush=True)
            torch.save({"shape": asdict(shape), "model": model.state_dict()}, options.output / "checkpoint.pt")


if __name__ == "__main__":
    main()
