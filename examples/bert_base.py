#!/usr/bin/env python3
"""A BERT-base-sized encoder (https://arxiv.org/abs/1810.04805), traced at sequence length 128."""
import math

import torch
from torch import nn

from common import output_folder, save


class SelfAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.dropout = nn.Dropout(0.1)

    def split(self, x):
        return x.view(x.size(0), x.size(1), self.heads, self.size).permute(0, 2, 1, 3)

    def forward(self, x, mask):
        query, key, value = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        scores = torch.matmul(query, key.transpose(-1, -2)) / math.sqrt(self.size) + mask
        weights = self.dropout(torch.softmax(scores, dim=-1))
        context = torch.matmul(weights, value).permute(0, 2, 1, 3).contiguous()
        context = context.view(x.size(0), x.size(1), self.heads * self.size)
        return self.norm(x + self.dropout(self.output(context)))


class Layer(nn.Module):
    def __init__(self, width, heads, inner):
        super().__init__()
        self.attention = SelfAttention(width, heads)
        self.up = nn.Linear(width, inner)
        self.down = nn.Linear(inner, width)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x, mask):
        x = self.attention(x, mask)
        return self.norm(x + self.dropout(self.down(nn.functional.gelu(self.up(x)))))


class Encoder(nn.Module):
    def __init__(self, vocabulary, width, heads, inner, layers, positions=512):
        super().__init__()
        self.words = nn.Embedding(vocabulary, width, padding_idx=0)
        self.positions = nn.Embedding(positions, width)
        self.types = nn.Embedding(2, width)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.dropout = nn.Dropout(0.1)
        self.layers = nn.ModuleList(Layer(width, heads, inner) for _ in range(layers))
        self.pooler = nn.Linear(width, width)

    def forward(self, tokens):
        mask = (tokens != 0)[:, None, None, :].to(torch.float32)
        mask = (1.0 - mask) * -10000.0
        positions = torch.arange(tokens.size(1), device=tokens.device).expand_as(tokens)
        types = torch.zeros_like(tokens)
        x = self.words(tokens) + self.positions(positions) + self.types(types)
        x = self.dropout(self.norm(x))
        for layer in self.layers:
            x = layer(x, mask)
        return x, torch.tanh(self.pooler(x[:, 0]))


def main():
    folder, small = output_folder(__doc__, small=True)
    model = Encoder(100, 64, 4, 128, 2) if small else Encoder(30522, 768, 12, 3072, 12)
    length = 16 if small else 128
    tokens = torch.randint(1, 100, (1, length))
    name = "bert_small.pt" if small else "bert_base.pt"
    save(torch.jit.trace(model.eval(), tokens), folder / name)


if __name__ == "__main__":
    main()
