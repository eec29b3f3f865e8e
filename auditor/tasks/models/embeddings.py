"""A bag of embeddings: the mean of a sentence's tokens and two linear layers (Iyyer et al., 2015)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from auditor.plugins.text import PADDING

WIDTH = 64
DROPOUT = 0.1
SPREAD = 0.02


class BagOfEmbeddings(nn.Module):
    """A network that doesn't see the order of the tokens; very fast.

    Args:
        vocabulary: number of ids, padding included.
        classes: number of classes.
    """

    def __init__(self, vocabulary: int, classes: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, WIDTH)
        nn.init.normal_(self.tokens.weight, std=SPREAD)
        self.hidden = nn.Linear(WIDTH, WIDTH)
        self.dropout = nn.Dropout(DROPOUT)
        self.linear = nn.Linear(WIDTH, classes)

    def forward(self, ids: Tensor) -> Tensor:
        """int64 [B, L] to logits [B, classes]."""
        kept = (ids != PADDING)[..., None].to(self.tokens.weight.dtype)
        mean = (self.tokens(ids) * kept).sum(1) / kept.sum(1).clamp_min(1)
        logits: Tensor = self.linear(self.dropout(F.relu(self.hidden(self.dropout(mean)))))
        return logits
