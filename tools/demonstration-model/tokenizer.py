"""A byte-level BPE tokenizer in the format of Hugging Face's tokenizer.json, trained and applied in plain Python."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]

# GPT-2's pre-tokenizer. Python's re has no \p{L}; over our corpus, and over str, [^\W\d_] is the same set of letters.
PIECES = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")


def byte_symbols() -> list[str]:
    """GPT-2's printable stand-in for each byte."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    symbols, extra = [""] * 256, 0
    for byte in range(256):
        if byte in printable:
            symbols[byte] = chr(byte)
        else:
            symbols[byte] = chr(0x100 + extra)
            extra += 1
    return symbols


BYTES = byte_symbols()


class Tokenizer:
    def __init__(self, merges: list[tuple[str, str]]):
        self.merges = merges
        self.ranks = {pair: rank for rank, pair in enumerate(merges)}
        self.tokens = SPECIALS + sorted(BYTES) + [a + b for a, b in merges]
        self.ids = {token: index for index, token in enumerate(self.tokens)}
        self._cache: dict[str, list[int]] = {}

    @staticmethod
    def train(texts: list[str], size: int) -> Tokenizer:
        words = Counter(piece for text in texts for piece in PIECES.findall(text))
        split = {word: [BYTES[byte] for byte in word.encode()] for word in words}
        merges: list[tuple[str, str]] = []
        while len(merges) + len(SPECIALS) + 256 < size:
            pairs: Counter[tuple[str, str]] = Counter()
            for word, count in words.items():
                for pair in zip(split[word], split[word][1:]):
                    pairs[pair] += count
            best, count = max(pairs.items(), key=lambda item: (item[1], item[0]), default=(None, 0))
            if best is None or count < 2:
                break
            merges.append(best)
            for word, parts in split.items():
                split[word] = merge(parts, best)
        return Tokenizer(merges)

    def encode(self, text: str) -> list[int]:
        ids: list[int] = []
        for part in re.split("(" + "|".join(map(re.escape, SPECIALS)) + ")", text):
            if part in SPECIALS:
                ids.append(self.ids[part])
            else:
                for piece in PIECES.findall(part):
                    ids += self._encode_piece(piece)
        return ids

    def decode(self, ids: list[int]) -> str:
        values = {symbol: byte for byte, symbol in enumerate(BYTES)}
        return b"".join(self.tokens[i].encode() if self.tokens[i] in SPECIALS else bytes(values[c] for c in self.tokens[i]) for i in ids).decode(errors="replace")

    def _encode_piece(self, piece: str) -> list[int]:
        if piece not in self._cache:
            parts = [BYTES[byte] for byte in piece.encode()]
            while len(parts) > 1:
                best = min(zip(parts, parts[1:]), key=lambda pair: self.ranks.get(pair, len(self.ranks)))
                if best not in self.ranks:
                    break
                parts = merge(parts, best)
            self._cache[piece] = [self.ids[part] for part in parts]
        return self._cache[piece]

    def save(self, path: Path) -> None:
        added = [{"id": self.ids[s], "content": s, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True} for s in SPECIALS]
        level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
        path.write_text(json.dumps({
            "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
            "pre_tokenizer": level, "post_processor": None, "decoder": level,
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False,
                      "byte_fallback": False, "ignore_merges": False, "vocab": self.ids, "merges": [f"{a} {b}" for a, b in self.merges]},
        }, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    @staticmethod
    def load(path: Path) -> Tokenizer:
        merges = json.loads(path.read_text(encoding="utf-8"))["model"]["merges"]
        return Tokenizer([tuple(pair.split(" ")) for pair in merges])


def merge(parts: list[str], pair: tuple[str, str]) -> list[str]:
    merged, i = [], 0
    while i < len(parts):
        if i + 1 < len(parts) and (parts[i], parts[i + 1]) == pair:
            merged.append(parts[i] + parts[i + 1])
            i += 2
        else:
            merged.append(parts[i])
            i += 1
    return merged
