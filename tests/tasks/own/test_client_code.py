"""Code that cannot be audited is named with its line before anybody trains; code that can sees what its job names."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from auditor.job import parse_job
from auditor.job.task import Task
from auditor.job.training import Training
from auditor.tasks.errors import TrainingError
from auditor.tasks.first_step import try_first_step
from auditor.tasks.program import load_program
from auditor.tasks.survey import first_look

CPU = torch.device("cpu")
HEAD = """\
import torch
from torch import nn
from auditor.tasks.own.workload import Workload
DATA = (torch.arange(400.0).reshape(100, 4) / 400, torch.arange(100) % 2)
net = lambda: nn.Linear(4, 2)
"""
"""Lines 1 to 5 of every module here."""
PROVIDERS = """
[[providers]]
name = "a"
endpoint = "local:cpu"
primary = true
[[providers]]
name = "b"
endpoint = "local:cpu"
"""


def failure(folder: Path, code: str, keys: str = "", *, head: str = HEAD) -> str:
    """What is said of a module, whether by the first look, while it is read, or by its first steps."""
    (folder / "task.py").write_text(head + code)
    job = parse_job(f'[task]\nkind = "python"\nmodule = "task.py"\n{keys}\n{PROVIDERS}', folder=folder)
    if (problem := first_look(job.task).problem) is not None:
        return problem
    with pytest.raises(TrainingError) as caught:
        tried(job.task)
    return str(caught.value)


def tried(task: Task) -> None:
    """Read a task, and execute its first steps."""
    program = load_program(task, Path())
    try_first_step(program, Training(steps=40, batch_size=8), device=CPU, seed=1, whole_batch=True)


MISTAKES = {
    "syntax": ("def workload(:\n", "", "task.py, line 6: SyntaxError: invalid syntax"),
    "no factory": (
        "def workloads(): pass\n",
        "",
        "task.py has no function 'workload'. Define it there, or name another",
    ),
    "import": ("import nothing_like_it\ndef workload(): pass\n", "", "task.py, line 6: it raises ModuleNotFoundError"),
    "raises": ("def workload():\n    return {}['x']\n", "", "task.py, line 7: workload() raises KeyError: 'x'."),
    "exits": ("def workload():\n    raise SystemExit(2)\n", "", "task.py, line 7: workload() raises SystemExit: 2."),
    "option": ("def workload(width): pass\n", "options = { height = 3 }", "workload() raises TypeError"),
    "wrong object": (
        "def workload():\n    return nn.Linear(4, 2)\n",
        "",
        "workload() returns a Linear; return a Workload",
    ),
    "model made": (
        "def workload():\n    return Workload(nn.Linear(4, 2), DATA)\n",
        "",
        "the workload's model is a model that is made already",
    ),
    "model raises": (
        "class Net(nn.Linear):\n    def forward(self, x):\n        return x.nothing()\ndef workload():\n"
        "    return Workload(lambda: Net(4, 2), DATA)\n",
        "",
        "task.py, line 8: the workload's model raises AttributeError",
    ),
    "loss raises": (
        "def loss(outputs, labels):\n    return outputs @ labels\n"
        "def workload():\n    return Workload(net, DATA, loss=loss)\n",
        "",
        "task.py, line 7: the workload's loss raises RuntimeError",
    ),
    "loss of another shape": (
        "def workload():\n    return Workload(net, DATA, loss=lambda o, l: o)\n",
        "",
        "the workload's loss gives [8, 2] for 8 samples; give one number, or one each.",
    ),
    "a loader": (
        "from torch.utils.data import DataLoader, TensorDataset\n"
        "def workload():\n    return Workload(net, DataLoader(TensorDataset(*DATA)))\n",
        "",
        "is a DataLoader; give its dataset. Batches and their order are the job's.",
    ),
    "lazy layers": (
        "def workload():\n    return Workload(lambda: nn.LazyLinear(2), DATA)\n",
        "",
        "does not know the shape of weight before its first batch; give the layer its size",
    ),
    "nothing to train": (
        "def workload():\n    return Workload(lambda: net().requires_grad_(False), DATA)\n",
        "",
        "the workload's model has no parameter that is trained.",
    ),
    "complex numbers": (
        "def workload():\n    return Workload(lambda: nn.Linear(4, 2, dtype=torch.complex64), DATA)\n",
        "",
        "the workload's model keeps weight as complex64, which checkpoints have no form for",
    ),
    "no loss at all": (
        "def workload():\n    return Workload(net, DATA, loss=lambda o, l: 3)\n",
        "",
        "the workload's loss gives int for 8 samples",
    ),
    "nan": (
        "def loss(outputs, labels):\n    shifted = outputs - 100\n    return shifted.log().mean()\n"
        "def workload():\n    return Workload(net, DATA, loss=loss)\n",
        "",
        "the loss of the first training step is nan, with the initial weights: log makes it in task.py, line 8.",
    ),
    "data of another kind": (
        "def workload():\n    return Workload(net, {'x': 1})\n",
        "",
        "the workload's training part: is a dict; give a pair of tensors, or a dataset",
    ),
    "labels missing": (
        "def workload():\n    return Workload(net, (DATA[0], DATA[1][:7]))\n",
        "",
        "has 100 inputs and 7 labels",
    ),
    "random items": (
        "class Items:\n    def __len__(self): return 50\n    def __getitem__(self, i): return torch.rand(4), 1\n"
        "def workload():\n    return Workload(net, Items())\n",
        "",
        "its first item is another each time it is asked for. Take what draws at random out",
    ),
    "unlike items": (
        "class Items:\n    def __len__(self): return 50\n    def __getitem__(self, i): return torch.zeros(4 + i // "
        "9), 1\ndef workload():\n    return Workload(net, Items())\n",
        "",
        "the input of item 9 is float32 [5], and that of item 0 is float32 [4]; make all items alike.",
    ),
    "no images": (
        "def workload():\n    return Workload(net, DATA)\n",
        'samples = "images"',
        "samples = 'images' wants uint8 inputs [N, C, H, W], and the workload's are float32 [90, 4].",
    ),
    "plateau": (
        "from torch.optim import SGD, lr_scheduler\ndef workload():\n    return Workload(net, "
        "DATA,\n        optimizer=lambda m: SGD(m.parameters(), lr=0.1),\n"
        "        schedule=lambda o: lr_scheduler.ReduceLROnPlateau(o))\n",
        "",
        "ReduceLROnPlateau, depends on more than the number of steps",
    ),
    "schedule alone": (
        "def workload():\n    return Workload(net, DATA, schedule=lambda o: None)\n",
        "",
        "has a schedule without an optimizer; give both",
    ),
    "optimizer of lists": (
        "def workload():\n    return Workload(net, DATA, optimizer=lambda m: torch.optim.LBFGS(m.parameters()))\n",
        "",
        "the workload's optimizer",
    ),
    "optimizer of another model": (
        "def workload():\n    other = nn.Linear(4, 2)\n    return Workload(net, DATA,\n"
        "        optimizer=lambda m: torch.optim.SGD(other.parameters(), lr=0.1))\n",
        "",
        "parameters that are not the model's",
    ),
    "state outside": (
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.layer, self.calls "
        "= nn.Linear(4, 2), 0\n"
        "    def forward(self, x):\n        self.calls += self.training\n        return self.layer(x) * self.calls\n"
        "def workload():\n    return Workload(Net, DATA)\n",
        "",
        "a step that is executed again from its checkpoint comes to another",
    ),
    "draws of its own": (
        "import secrets\ndef loss(o, l):\n    return o.square().mean() * (1 + secrets.randbelow(1 << 20))\n"
        "def workload():\n    return Workload(net, DATA, loss=loss)\n",
        "",
        "draw from torch, numpy.random or random alone",
    ),
    "a file that is not named": (
        "import helper\ndef workload(): pass\n",
        "",
        "task.py, line 6: it raises ModuleNotFoundError: No module named 'helper'.",
    ),
    "a file that is missing": (
        "def workload(): pass\n",
        'needs = ["helpers.py"]',
        "there is no such file. Name files beside",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_code_is_said_with_its_place(tmp_path: Path, mistake: str) -> None:
    (tmp_path / "helper.py").write_text("")
    code, keys, words = MISTAKES[mistake]
    found = failure(tmp_path, code, keys)
    assert words in found
    assert "\n" not in found


def test_the_code_finds_what_it_needs_where_it_lies_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "parts" / "inner").mkdir(parents=True)
    (tmp_path / "parts" / "__pycache__").mkdir()
    (tmp_path / "parts" / "__pycache__" / "old.pyc").write_text("x")
    (tmp_path / "parts" / "inner" / "words.txt").write_text("four")
    (tmp_path / "helper.py").write_text("SIZE = 2\n")
    (tmp_path / "secret.txt").write_text("not named")
    (tmp_path / "task.py").write_text(
        HEAD + "from pathlib import Path\nimport helper\nHERE = Path(__file__).resolve().parent\n"
        "def workload(classes):\n"
        "    assert sorted(str(p.relative_to(HERE)) for p in HERE.rglob('*') if p.is_file()) == "
        "['helper.py', 'parts/inner/words.txt', 'task.py']\n"
        "    assert (HERE / 'parts/inner/words.txt').read_text() == 'four'\n"
        "    return Workload(lambda: nn.Linear(4, helper.SIZE), DATA)\n"
    )
    text = '[task]\nkind = "python"\nmodule = "task.py"\nneeds = ["helper.py", "parts"]\noptions = { classes = 2 }\n'
    program = load_program(parse_job(text + PROVIDERS, folder=tmp_path).task, Path())
    assert program.classes == 2
    other = tmp_path / "other"
    other.mkdir()
    (other / "helper.py").write_text("SIZE = 3\n")
    (other / "task.py").write_text(
        HEAD + "import helper\ndef workload():\n    return Workload(lambda: nn.Linear(4, helper.SIZE), DATA)\n"
    )
    text = '[task]\nkind = "python"\nmodule = "task.py"\nneeds = ["helper.py"]\n'
    assert load_program(parse_job(text + PROVIDERS, folder=other).task, Path()).classes == 3


def test_a_model_may_put_out_what_only_its_loss_understands(tmp_path: Path) -> None:
    (tmp_path / "task.py").write_text(
        HEAD
        + "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.layer = net()\n"
        "    def forward(self, x):\n        return {'scores': self.layer(x)}\n"
        "def loss(outputs, labels):\n    return nn.functional.cross_entropy(outputs['scores'], labels)\n"
        "def workload():\n    return Workload(Net, DATA, loss=loss)\n"
    )
    task = parse_job(f'[task]\nkind = "python"\nmodule = "task.py"\n{PROVIDERS}', folder=tmp_path).task
    tried(task)
    assert load_program(task, Path()).classes == 0


def test_what_the_code_prints_is_no_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "helper.py").write_text("print('imported')\n")
    (tmp_path / "task.py").write_text(
        HEAD
        + "import helper\nimport sys\nsys.stdout.write('library ')\nprint('begun')\n"
        + "def workload():\n    print('called')\n    return Workload(net, DATA)\n"
    )
    text = '[task]\nkind = "python"\nmodule = "task.py"\nneeds = ["helper.py"]\n'
    load_program(parse_job(text + PROVIDERS, folder=tmp_path).task, Path())
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.split() == ["imported", "library", "begun", "called"]
