"""A small transformer encoder for sentences (Vaswani et al., 2017)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from auditor.plugins.text import PADDING

WIDTH = 64
HEADS = 4
BLOCKS = 2
DROPOUT = 0.1
SPREAD = 0.02
"""Standard deviation of fresh embeddings, that of BERT (Devlin et al., 2019)."""


class Attention(nn.Module):
    """Scaled dot-product attention with several heads, which looks past padding.

    It is written out: PyTorch's fused kernels choose among several algorithms, and on GPUs the backward pass of the
    fastest is not deterministic.
    """

    def __init__(self) -> None:
        super().__init__()
        self.inputs = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.outputs = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor, padding: Tensor) -> Tensor:
        """[B, L, WIDTH] to the same; `padding` is bool [B, L]."""
        batch, length, _ = x.shape
        query, key, value = self.inputs(x).reshape(batch, length, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        scores = query @ key.transpose(2, 3) * query.shape[-1] ** -0.5
        shares = scores.masked_fill(padding[:, None, None, :], -torch.inf).softmax(-1)
        mixed: Tensor = self.outputs((shares @ value).transpose(1, 2).reshape(x.shape))
        return mixed


class Block(nn.Module):
    """Attention and two linear layers, each normalised first, which trains without warm-up (Xiong et al., 2020)."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH)
        self.attention = Attention()
        self.norm2 = nn.LayerNorm(WIDTH)
        self.up = nn.Linear(WIDTH, 2 * WIDTH)
        self.down = nn.Linear(2 * WIDTH, WIDTH)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor, padding: Tensor) -> Tensor:
        """[B, L, WIDTH] to the same; `padding` is bool [B, L]."""
        x = x + self.dropout(self.attention(self.norm1(x), padding))
        y: Tensor = x + self.dropout(self.down(F.gelu(self.up(self.norm2(x)))))
        return y


class Transformer(nn.Module):
    """Token and position embeddings, two blocks, the mean over all tokens, a linear layer.

    Every sentence begins with a learned token, so that one without any tokens has a representation, too.

    Args:
        vocabulary: number of ids, padding included.
        length: number of positions.
        classes: number of classes.
    """

    def __init__(self, vocabulary: int, length: int, classes: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, WIDTH)
        self.positions = nn.Parameter(torch.empty(length + 1, WIDTH))
        self.start = nn.Parameter(torch.empty(WIDTH))
        for embedding in (self.tokens.weight, self.positions, self.start):
            nn.init.normal_(embedding, std=SPREAD)
        self.dropout = nn.Dropout(DROPOUT)
        self.blocks = nn.ModuleList(Block() for _ in range(BLOCKS))
        self.norm = nn.LayerNorm(WIDTH)
        self.linear = nn.Linear(WIDTH, classes)

    def forward(self, ids: Tensor) -> Tensor:
        """int64 [B, L] to logits [B, classes]."""
        ids = without_common_padding(ids)
        batch, length = ids.shape
        padding = F.pad(ids == PADDING, (1, 0), value=False)
        x = torch.cat([self.start.expand(batch, 1, WIDTH), self.tokens(ids)], 1) + self.positions[: length + 1]
        x = self.dropout(x)
        for block in self.blocks:
            x = block(x, padding)
        kept = (~padding)[..., None].to(x.dtype)
        logits: Tensor = self.linear(self.dropout((self.norm(x) * kept).sum(1) / kept.sum(1)))
        return logits


def without_common_padding(ids: Tensor) -> Tensor:
    """The ids without the columns at the end that are padding in every row: most sentences are short."""
    used = (ids != PADDING).any(0).nonzero()
    return ids[:, : int(used[-1]) + 1] if len(used) else ids[:, :0]
