"""How long and how much memory it takes, measured in processes of their own.

Time is processor time, so that a busy machine does not fail what the code keeps.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from adapters import records
from adapters.store import Store
from tests.adapters.hostile import CASES
from tests.adapters.making import Adapter, make_adapter, make_base

ROOT = Path(__file__).resolve().parents[2]
MEASURE = """
import json, resource, sys
from pathlib import Path
from adapters import gate
base, *directories = map(Path, sys.argv[1:])
spent = []
for directory in directories:
    before = resource.getrusage(resource.RUSAGE_SELF)
    found = gate.check(directory, base)
    after = resource.getrusage(resource.RUSAGE_SELF)
    spent.append((len(found), after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
status = Path("/proc/self/status").read_text()
peak_kb = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
print(json.dumps({"spent": spent, "megabytes": peak_kb / 1024}))
"""


def measure(base: Path, *directories: Path) -> tuple[list[tuple[int, float]], float]:
    """Findings and seconds per directory, and the peak memory of the process in megabytes."""
    result = subprocess.run(
        [sys.executable, "-c", MEASURE, str(base), *map(str, directories)],
        cwd=ROOT,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    report = json.loads(result.stdout)
    return report["spent"], report["megabytes"]


def test_hostile_files_end_in_half_a_second_and_200_megabytes(
    adapter: Adapter, tmp_path: Path
) -> None:
    directories = []
    for number, case in enumerate(CASES):
        directories.append(adapter.write(tmp_path / "cases" / str(number)))
        case.spoil(directories[-1], adapter)
    spent, megabytes = measure(adapter.base, *directories)
    slow = {CASES[n].name: seconds for n, (_, seconds) in enumerate(spent) if seconds > 0.5}
    assert slow == {}
    assert all(count > 0 for count, _ in spent)
    assert megabytes < 200


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_an_adapter_of_160_megabytes_verifies_in_two_seconds(dtype: str, tmp_path: Path) -> None:
    """Rank 16 on all layers of a 7B model has 160 MB in float32."""
    base = make_base(
        tmp_path / "base",
        hidden_size=4096,
        intermediate_size=11008,
        num_hidden_layers=32,
        num_attention_heads=32,
        num_key_value_heads=32,
    )
    targets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    rank = 16 if dtype == "float32" else 32
    adapter = make_adapter(base, targets=targets, rank=rank, dtype=dtype)
    directory = adapter.write(tmp_path / "adapter")
    assert (directory / "adapter_model.safetensors").stat().st_size > 159e6
    spent, megabytes = measure(base, directory)
    assert [count for count, _ in spent] == [0]
    assert spent[0][1] < 2
    assert megabytes < 200


def test_a_thousand_versions_list_in_half_a_second(
    store: Store, adapter: Adapter, tmp_path: Path
) -> None:
    source = adapter.write(tmp_path / "source")
    first = store.publish("tales", source, adapter.draft(), base_dir=adapter.base)
    home = store.home("tales")
    state = records.load(home)
    for number in range(2, 1001):
        shutil.copytree(first.path, home.version(number))
        document = json.loads((first.path / "manifest.json").read_text()) | {"version": number}
        raw = json.dumps(document).encode()
        (home.version(number) / "manifest.json").write_bytes(raw)
        state.manifests[number] = hashlib.sha256(raw).hexdigest()
    records.save(home, state)
    code = (
        "import sys, time; from pathlib import Path; from adapters.cli import main\n"
        "began = time.process_time(); main(['list', '--json', '--store', sys.argv[1]])\n"
        "print(time.process_time() - began, file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(store.root)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(json.loads(result.stdout)) == 1000
    assert float(result.stderr) < 0.5
