#!/usr/bin/env python3
"""A scripted LSTM language model: it reads a prompt and then writes tokens greedily in a loop."""
from typing import Tuple

import torch
from torch import nn

from common import output_folder, save


class LanguageModel(nn.Module):
    def __init__(self, vocabulary: int, width: int, layers: int):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.lstm = nn.LSTM(width, width, layers, batch_first=True)
        self.output = nn.Linear(width, vocabulary)

    def forward(self, prompt: torch.Tensor, length: int) -> Tuple[torch.Tensor, torch.Tensor]:
        x, (h, c) = self.lstm(self.embedding(prompt))
        logits = self.output(x[:, -1])
        tokens = torch.zeros([prompt.size(0), length], dtype=torch.int64)
        for i in range(length):
            token = logits.argmax(1)
            tokens[:, i] = token
            x, (h, c) = self.lstm(self.embedding(token.unsqueeze(1)), (h, c))
            logits = self.output(x[:, -1])
        return tokens, logits


def main():
    folder, small = output_folder(__doc__, small=True)
    model = LanguageModel(50, 24, 2) if small else LanguageModel(10000, 256, 2)
    name = "lstm_language_model_small.pt" if small else "lstm_language_model.pt"
    save(torch.jit.script(model.eval()), folder / name)


if __name__ == "__main__":
    main()
