"""Three spirals in the plane, told apart by a small network."""

import math

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

STEPS = 400


class Net(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.first = nn.Linear(2, width)
        self.second = nn.Linear(width, width)
        self.dropout = nn.Dropout(0.1)
        self.last = nn.Linear(width, 3)

    def forward(self, points):
        hidden = F.relu(self.first(points))
        return self.last(self.dropout(F.relu(self.second(hidden))))


def spirals(count, seed):
    draws = torch.Generator().manual_seed(seed)
    labels = torch.randint(3, (count,), generator=draws)
    radius = torch.rand(count, generator=draws).sqrt()
    angle = 2 * math.pi * (radius + labels / 3)
    points = radius[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)
    return TensorDataset(points + 0.03 * torch.randn(points.shape, generator=draws), labels)


def main():
    model = Net()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    loader = DataLoader(spirals(4000, seed=1), batch_size=64, shuffle=True, drop_last=True)
    step = 0
    while step < STEPS:
        for points, labels in loader:
            loss = F.cross_entropy(model(points), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            step += 1
            if step == STEPS:
                break
    model.eval()
    points, labels = spirals(1000, seed=2).tensors
    with torch.no_grad():
        right = (model(points).argmax(1) == labels).float().mean()
    print(f"{right:.1%} of the held-out points are classified rightly")


if __name__ == "__main__":
    main()
