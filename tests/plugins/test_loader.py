"""Loading plugins in another process: what hangs there costs that process, and nobody waits for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from auditor.job.plugin_file import PluginFile
from auditor.plugins.loader import Descriptions, Subject

GOOD = "from auditor.plugins import Attack\nclass Good(Attack):\n    '''Does nothing.'''\n    name = 'good'\n"


@pytest.mark.usefixtures("warm")
def test_a_plugin_that_hangs_is_given_up_and_the_next_is_described() -> None:
    files = {"/x/hangs.py": "import time\ntime.sleep(600)\n", "/x/one.py": GOOD, "/x/two.py": GOOD}
    subjects = [Subject(file=PluginFile(path=path, source=text)) for path, text in files.items()]
    hangs, one, two = Descriptions(subjects, seconds=1.0)
    assert hangs.error == "plugin file /x/hangs.py took longer than 1 s while it was loaded."
    assert one.origin.name == two.origin.name == "good"
    assert one.documentation == "Does nothing."
    words = (
        "attack 'good' is provided by file /x/one.py (Good) and file /x/two.py (Good); give one of them another name."
    )
    assert one.error == two.error == words


@pytest.mark.usefixtures("warm")
def test_nobody_waits_for_the_process_when_nobody_wants_to_know() -> None:
    hangs = PluginFile(path="/x/hangs.py", source="import time\ntime.sleep(600)\n")
    descriptions = Descriptions([Subject(file=hangs)], seconds=600.0)
    descriptions.stop()
    assert list(descriptions) == []


def test_what_asks_imports_neither_torch_nor_plugins() -> None:
    script = (
        "import sys\nfrom auditor.plugins.loader import Descriptions, subjects_of\n"
        "assert len(subjects_of()) > 10\nDescriptions(subjects_of()).stop()\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('torch', 'auditor_plugins')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
