"""How long and how much memory it takes, measured in processes of their own.

Time is processor time, so that a busy machine does not fail what the code keeps; what a clock
says, `python -m benchmarks store` prints.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.store import Store
from benchmarks._verifying import measure
from benchmarks.store import ALL_LINEAR, SEVEN_BILLION, fill
from tests.adapters.hostile import CASES
from tests.adapters.making import Adapter, make_adapter, make_base

ROOT = Path(__file__).resolve().parents[2]


def test_hostile_files_end_in_half_a_second_and_200_megabytes(
    adapter: Adapter, tmp_path: Path
) -> None:
    directories = []
    for number, case in enumerate(CASES):
        directories.append(adapter.write(tmp_path / "cases" / str(number)))
        case.spoil(directories[-1], adapter)
    spent, peak_mb = measure(adapter.base, directories)
    slow = {
        case.name: one.processor_s
        for case, one in zip(CASES, spent, strict=True)
        if one.processor_s > 0.5
    }
    assert slow == {}
    assert all(one.findings > 0 for one in spent)
    assert peak_mb < 200


@pytest.mark.parametrize(("dtype", "rank"), [("float32", 16), ("bfloat16", 32)])
def test_an_adapter_of_160_megabytes_verifies_in_two_seconds(
    dtype: str, rank: int, tmp_path: Path
) -> None:
    base = make_base(tmp_path / "base", "LlamaForCausalLM", **SEVEN_BILLION)
    adapter = make_adapter(base, targets=ALL_LINEAR, rank=rank, dtype=dtype)
    directory = adapter.write(tmp_path / "adapter")
    assert (directory / "adapter_model.safetensors").stat().st_size > 159e6
    (spent,), peak_mb = measure(base, [directory])
    assert spent.findings == 0
    assert spent.processor_s < 2
    assert peak_mb < 200


def test_a_thousand_versions_list_in_half_a_second(
    store: Store, adapter: Adapter, tmp_path: Path
) -> None:
    source = adapter.write(tmp_path / "source")
    store.publish("tales", source, adapter.draft(), base_dir=adapter.base)
    fill(store, "tales", 1000)
    code = (
        "import sys, time; from adapters.cli import main\n"
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
