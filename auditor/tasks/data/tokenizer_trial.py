"""Trying a tokenizer out on the sentences that it is for, in a process that may not take long, and not much memory.

A tokenizer file holds regular expressions that can take for ever on the wrong sentence, and steps that make a sentence
grow without end; whether they do cannot be seen in the file. What was tried here takes no more elsewhere.

The process runs this file by itself, so that it imports nothing but the library. It reads the limits as one line of
JSON, the tokenizer, and a line of JSON for each batch of sentences, and writes what is wrong.
"""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence

BATCH_SENTENCES = 10_000
BATCH_CHARACTERS = 1 << 20
"""What is encoded at once, to bound the memory that the library's objects take."""

BASE_SECONDS = 4
BYTES_A_SECOND = 100_000
"""A tenth of what slow tokenizers get through."""

FILE_BYTES_A_SECOND = 1_000_000
BASE_MEMORY = 768 << 20
MEMORY_A_FILE_BYTE = 30


def batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """The sentences in portions of bounded size."""
    batch: list[str] = []
    size = 0
    for text in texts:
        batch.append(text)
        size += len(text)
        if len(batch) == BATCH_SENTENCES or size >= BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def try_out(definition: str, texts: Sequence[str]) -> str | None:
    """Encode sentences with a tokenizer in a separate process; returns what is wrong, as a sentence, or None.

    Args:
        definition: the tokenizer, as the text of a file of the library.
        texts: all that it will be used on.
    """
    size, written = len(definition), sum(len(text.encode()) for text in texts)
    seconds = BASE_SECONDS + size // FILE_BYTES_A_SECOND + written // BYTES_A_SECOND
    memory = BASE_MEMORY + MEMORY_A_FILE_BYTE * size
    process = subprocess.Popen(
        [sys.executable, "-I", __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"TOKENIZERS_PARALLELISM": "false"},  # its time is counted over all threads
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        try:
            for line in ({"seconds": seconds, "memory": memory}, definition, *batches(texts)):
                process.stdin.write(json.dumps(line).encode() + b"\n")
            process.stdin.close()
            answer = process.stdout.read().decode(errors="replace").strip()
        except BrokenPipeError:  # it ended; how says what is wrong
            answer = ""
        except BaseException:
            process.kill()
            raise
        code = process.wait()
    if code == 0:
        return None
    if code == -signal.SIGXCPU:
        return (
            f"it takes more than {seconds} s for the sentences of this job, as some regular expressions do; "
            "use another tokenizer."
        )
    if answer:
        return answer
    return f"it ends its process or takes more than {memory >> 20:,} MB of memory; use another tokenizer."


def main() -> int:
    """Try it; returns the exit code."""
    limits = json.loads(sys.stdin.buffer.readline())
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (limits["seconds"], limits["seconds"] + 1))
    if sys.platform == "linux":  # elsewhere it is not heeded, or cannot be set
        resource.setrlimit(resource.RLIMIT_AS, (limits["memory"], limits["memory"]))
    wrong = "not a file of the library tokenizers: {}"
    try:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_str(json.loads(sys.stdin.buffer.readline()))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        wrong = "it cannot encode the sentences of this job: {}; use another tokenizer."
        for line in sys.stdin.buffer:
            tokenizer.encode_batch(json.loads(line), add_special_tokens=False)
    except MemoryError:
        return 1
    except BaseException as error:  # the library raises plain exceptions, and worse ones where it panics
        sys.stdout.write(wrong.format(str(error)[:300]))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
