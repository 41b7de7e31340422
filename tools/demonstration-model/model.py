"""The demonstration model: a small decoder of the Llama family, as PyTorch reads it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Shape:
    vocabulary: int = 2048
    width: int = 256
    layers: int = 6
    heads: int = 8
    cache_heads: int = 4
    inner: int = 704
    context: int = 512
    theta: float = 10000.0
    epsilon: float = 1e-5

    @property
    def head(self) -> int:
        return self.width // self.heads


class Norm(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.weight, self.epsilon = nn.Parameter(torch.ones(shape.width)), shape.epsilon

    def forward(self, x: Tensor) -> Tensor:
        x = x.float()
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.epsilon) * self.weight


def rotation(shape: Shape) -> tuple[Tensor, Tensor]:
    """cos and sin of RoPE, [context, head], in the half-split layout."""
    frequencies = shape.theta ** (-torch.arange(0, shape.head, 2).float() / shape.head)
    angles = torch.outer(torch.arange(shape.context).float(), frequencies)
    return torch.cat([angles, angles], -1).cos(), torch.cat([angles, angles], -1).sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    left, right = x.chunk(2, -1)
    return x * cos + torch.cat([-right, left], -1) * sin


class Layer(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.shape = shape
        self.attention_norm, self.inner_norm = Norm(shape), Norm(shape)
        self.q = nn.Linear(shape.width, shape.width, bias=False)
        self.k = nn.Linear(shape.width, shape.cache_heads * shape.head, bias=False)
        self.v = nn.Linear(shape.width, shape.cache_heads * shape.head, bias=False)
        self.o = nn.Linear(shape.width, shape.width, bias=False)
        self.gate = nn.Linear(shape.width, shape.inner, bias=False)
        self.up = nn.Linear(shape.width, shape.inner, bias=False)
        self.down = nn.Linear(shape.inner, shape.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor) -> Tensor:
        batch, length, _ = x.shape
        shape = self.shape
        normed = self.attention_norm(x)
        q = rotate(self.q(normed).view(batch, length, shape.heads, shape.head).transpose(1, 2).float(), cos, sin)
        k = rotate(self.k(normed).view(batch, length, shape.cache_heads, shape.head).transpose(1, 2).float(), cos, sin)
        v = self.v(normed).view(batch, length, shape.cache_heads, shape.head).transpose(1, 2)
        k, v = (t.repeat_interleave(shape.heads // shape.cache_heads, 1) for t in (k, v))
        weights = (q @ k.transpose(-1, -2) * shape.head ** -0.5 + mask).float().softmax(-1)
        mixed = (weights.to(v.dtype) @ v).transpose(1, 2).reshape(batch, length, shape.width)
        x = x + self.o(mixed)
        normed = self.inner_norm(x)
        return x + self.down(F.silu(self.gate(normed)) * self.up(normed))


class Decoder(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = Norm(shape)
        cos, sin = rotation(shape)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, ids: Tensor) -> Tensor:
        """[batch, length] token ids → [batch, length, vocabulary] logits; the output matrix is the embedding's."""
        length = ids.shape[1]
        mask = torch.full((length, length), float("-inf"), device=ids.device).triu(1)
        x = self.embedding(ids)
        for layer in self.layers:
            x = layer(x, self.cos[:length], self.sin[:length], mask)
        return self.norm(x) @ self.embedding.weight.T
