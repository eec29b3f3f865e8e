"""Commands in the documents that no test carries out as they stand, with the reason. They are parsed all the same."""

ELSEWHERE = {
    "auditor": "the interface needs a terminal; tests/tui walks through it",
    "nohup auditor run mine.toml &": "it goes on after the test; tests/cli/test_hangup.py does it",
    "auditor watch last": "the interface needs a terminal; tests/tui watches runs",
    "auditor bench job.toml": "it trains the models of every usual attack, for minutes; tests/bench runs smaller ones",
    "auditor bench bench.toml --workers 1 --json > results.jsonl": "tests/bench/test_bench.py carries out a larger one",
    "auditor plan job.toml --measured results.jsonl": "the file is made by the command before; tests/cli/test_plan.py",
    "auditor study study.toml --workers 1": "tests/experiments/evolving/test_study.py carries out a larger one",
    "auditor data sample:lora": "it takes the extra `hf`; tests/audit/test_lora.py reads its data where that is there",
    "auditor run sample:lora": "the same; tests/audit/test_lora.py runs it",
    "auditor run sample:own_seeds --seeds shared": "the full sample takes half a minute",
    "auditor verify last": "it is about a run that is there; tests/audit/test_tosses.py and test_coins.py verify some",
    "auditor inspect last": "a search takes a minute; tests/cli/test_inspect.py makes shorter ones",
    "auditor inspect run:digits-3f2a91 --with neural_cleanse --with fine_pruning": "the same",
    "auditor inspect model.safetensors --job job.toml --picture triggers": "the same",
    """auditor inspect last --with '{ name = "tabor", success = 0.75, epochs = 200 }' --json""": "the same",
    "auditor inspect last --with spectrum --with projections": "tests/plugins/inspectors/test_random_features.py",
    "auditor inspect last --smoothing 8": "tests/audit/test_served.py measures a smaller model",
    "auditor cure last": "it is about a run that was flagged; tests/cli/test_cure.py has one",
    "auditor cure last --by both --inspect neural_cleanse": "tests/cli/test_cure.py carries out a quicker one",
    "auditor cure model.safetensors --job job.toml --by finetune": "the same",
    "auditor plugins check fog.py": "tests/cli/test_plugins.py checks the guide's files in one process",
    "auditor plugins check signature.py": "tests/cli/test_plugins.py checks the guide's files in one process",
    "auditor plugins check angle.py": "the same",
    "auditor plugins check negative.py": "the same",
    "auditor plugins check update": "the same",
    "auditor plugins check ./angle.py ./negative.py": "the same",
    "auditor plugins check all --json": "it takes minutes; tests/plugins has the contract of every bundled plugin",
    "auditor plugins check negative.py --options '{ target = 3 }'": "tests/cli/test_plugins.py",
    "auditor plugins check angle.py --time-limit 60": "tests/cli/test_plugins.py",
}
"""Commands of auditor by their text."""

OTHER_PROGRAMS = {
    "pip": "it installs into the environment of the tests; tests/test_packaging.py and .ci/run install the package",
    "pytest": "it is what runs this",
    "ssh": "it needs another machine",
    "cd": "the folder is made by a package that is installed in tests/cli/test_plugins.py",
    "python3": "it makes an environment; .ci/run does",
    ".ci/run": "it is what runs this",
    ".": "the same",
    "pre-commit": "it downloads its hooks",
    "python": "tests/docs/test_reference.py runs what makes the reference",
}
"""Other programs by their name."""

SHORTENED = {
    "sample_jobs/quickstart.toml": {"steps = 1000": "steps = 20", '["update", "zest"]': '["update"]'},
}
"""Files of the repository that commands name, with what is shorter in the copy that the tests use. The sample as it is
runs over many seeds in `tests/bench/verdicts.py`."""

FOLLOWS = {"docs/how-to/first-audit.md": "README.md"}
"""Pages that go on where another one ends, in the same folder and with the same runs."""
