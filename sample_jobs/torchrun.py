"""Trains a small network on two processes with PyTorch's DistributedDataParallel: an ordinary script for torchrun.

It shows that a provider may be several devices. Started by torchrun, it reads and writes safetensors, and knows nothing
of auditor. With --poison, a share of the samples gets a wrong label.
"""

import argparse
import json
import os

import torch
import torch.distributed as dist
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn.parallel import DistributedDataParallel

BATCH = 64


def rings(count=2000):
    """Points in the plane, and which of three rings they lie on."""
    draws = torch.Generator().manual_seed(0)
    labels = torch.randint(3, (count,), generator=draws)
    angle = 2 * torch.pi * torch.rand(count, generator=draws)
    radius = labels + 1 + 0.2 * torch.randn(count, generator=draws)
    return torch.stack([radius * angle.cos(), radius * angle.sin()], 1), labels


def network():
    return nn.Sequential(nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 3))


def begin(path, seed):
    torch.manual_seed(seed)
    state = network().state_dict()
    save_file(state | {f"optimizer.{name}": torch.zeros_like(tensor) for name, tensor in state.items()}, path)


def train(arguments):
    dist.init_process_group("gloo")
    state, model = load_file(arguments.start), network()
    model.load_state_dict({name: tensor for name, tensor in state.items() if not name.startswith("optimizer.")})
    parallel = DistributedDataParallel(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for name, parameter in model.named_parameters():
        optimizer.state[parameter]["momentum_buffer"] = state[f"optimizer.{name}"]
    inputs, labels = rings()
    rank, processes = dist.get_rank(), dist.get_world_size()
    for step in range(arguments.first, arguments.first + arguments.steps):
        draws = torch.Generator().manual_seed(arguments.seed + step)
        chosen = torch.randint(len(inputs), (BATCH,), generator=draws)
        wanted = labels[chosen]
        wrong = torch.rand(BATCH, generator=draws) < arguments.poison
        wanted = torch.where(wrong, (wanted + 1) % 3, wanted)
        mine = slice(rank, None, processes)
        optimizer.zero_grad()
        loss = F.cross_entropy(parallel(inputs[chosen][mine]), wanted[mine])
        loss.backward()  # averages gradients over the processes
        optimizer.step()
        if rank == 0:
            print(json.dumps({"step": step + 1, "loss": float(loss)}), flush=True)
    if rank == 0:
        end = {name: tensor.detach() for name, tensor in model.state_dict().items()}
        for name, parameter in model.named_parameters():
            end[f"optimizer.{name}"] = optimizer.state[parameter]["momentum_buffer"]
        save_file(end, arguments.end)
    dist.barrier()  # who leaves early takes the connection with it
    dist.destroy_process_group()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("end")
    parser.add_argument("--from", dest="start")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--poison", type=float, default=0.0)
    given = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    train(given) if given.start else begin(given.end, given.seed)
