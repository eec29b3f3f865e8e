"""All pairs of models under `cka`, against the library torch_cka of the package index.

Both compute the minibatch estimator with the unbiased HSIC₁, of the outputs of the same layers for the same samples.
The library takes two models at a time, runs both, and always compares each layer with each; it is measured on a few
pairs, in turns with the metric, and its time for all pairs is as many times longer as they are more.

    pip install torch_cka matplotlib tqdm
    python -m tests.bench.cka_speed --dataset tensors:cifar10.safetensors [--models 16] [--samples 512] [--pairs 4]
                                    [--threads 1]
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import tempfile
import time
import warnings
from itertools import combinations
from pathlib import Path

import torch
from torch.utils.data import DataLoader, TensorDataset

from auditor.plugins import create_plugin
from tests.bench.sixteen_models import SubRun

BATCH = 64
LAYERS = ("stages.2",), ("conv", "stages.0", "stages.1", "stages.2", "linear")


def library(first: torch.nn.Module, second: torch.nn.Module, layers: list[str], prepared: torch.Tensor) -> float:
    """Mean over layers of 1 − CKA, as torch_cka has it."""
    from torch_cka import CKA

    samples = DataLoader(TensorDataset(prepared), batch_size=BATCH)
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()), torch.no_grad():
        warnings.simplefilter("ignore")
        both = CKA(first, second, "first", "second", model1_layers=layers, model2_layers=layers)
        both.compare(samples, samples)
        return float((1 - both.export()["CKA"].diagonal()).mean())


def row(sub_run: SubRun, layers: tuple[str, ...], samples: int, wanted: int) -> None:
    metric = create_plugin("metrics", "cka", {"layers": layers, "samples": samples, "batch": BATCH})
    context = sub_run.context()
    metric.begin(context)
    prepared = sub_run.trainer.network.prepare(context.probe[:samples])
    pairs = list(combinations(range(len(sub_run.models)), 2))
    measured = pairs[:: max(1, len(pairs) // wanted)][:wanted]
    every = max(1, len(sub_run.models) // len(measured))
    known, together, slow = [], 0.0, 0.0
    values: dict[tuple[int, int], float] = {}
    for index, model in enumerate(sub_run.models):
        begun = time.perf_counter()
        known.append(metric.represent(model))
        together += time.perf_counter() - begun
        if index % every == 0 and len(values) < len(measured):
            first, second = measured[len(values)]
            models = copy.deepcopy(sub_run.network(first)), copy.deepcopy(sub_run.network(second))
            begun = time.perf_counter()
            values[first, second] = library(*models, list(layers), prepared)
            slow += time.perf_counter() - begun
    begun = time.perf_counter()
    distances = metric.compare(known).distances
    compared = time.perf_counter() - begun
    together += compared
    one = slow / len(values)
    error = max(abs(distances[first][second] - value) for (first, second), value in values.items())
    print(
        f"{len(layers):6}  {f'{together:.2f} s (compare {compared:.2f} s)':>24}  "
        f"{f'{one * len(pairs):.0f} s (of {len(values)} pairs, {one:.2f} s each)':>36}  "
        f"{one * len(pairs) / together:6.1f}  {error:.1e}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--model", default="resnet20")
    parser.add_argument("--models", type=int, default=16)
    parser.add_argument("--samples", type=int, default=512)
    parser.add_argument("--pairs", type=int, default=4, help="so many of all pairs with the library")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="1 where the cores are shared")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    try:
        import torch_cka  # noqa: F401 - only to see that it is there
    except ImportError as error:
        raise SystemExit(
            f"{error}; it is needed here and nowhere else: pip install torch_cka matplotlib tqdm"
        ) from None
    with tempfile.TemporaryDirectory() as folder:
        sub_run = SubRun(Path(folder), given.dataset, given.model, given.models)
        count = given.models * (given.models - 1) // 2
        print(f"{given.dataset.rpartition('/')[2]}, {given.model}, {given.models} models, {count} pairs, ", end="")
        print(f"{given.samples} samples in minibatches of {BATCH}; {torch.get_num_threads()} threads")
        print(f"{'layers':>6}  {'auditor, all pairs':>24}  {'torch_cka':>36}  {'ratio':>6}  largest difference")
        for layers in LAYERS:
            row(sub_run, layers, given.samples, given.pairs)


if __name__ == "__main__":
    main()
