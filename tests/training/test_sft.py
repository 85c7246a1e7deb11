"""The command from rows to a published version, with a tiny random model."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from adapters import gate
from adapters.store import Store
from tests.training.tiny_base import write_recipe, write_sums
from training.sft import main

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.training


def settings(recipe: Path) -> dict[str, str]:
    loaded: dict[str, str] = yaml.safe_load(recipe.read_text(encoding="utf-8"))
    return loaded


Published = tuple[Store, Path, subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Published:
    """One run that the tests below look at: its store, its recipe and what it printed."""
    folder = tmp_path_factory.mktemp("published")
    rows = write_sums(folder / "rows.csv")
    held_out = write_sums(folder / "held-out.csv", start=7)
    recipe = write_recipe(folder, tiny_base, rows)
    command = [sys.executable, "-W", "error", "-m", "training.sft", "--recipe", str(recipe)]
    done = subprocess.run(
        [*command, "--eval-rows", str(held_out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Store(folder / "store"), recipe, done


def test_a_version_is_published_that_the_gate_accepts(
    published: Published, tiny_base: Path
) -> None:
    store, _, _ = published
    version = store.resolve("sums@1")
    assert gate.check(version.path, tiny_base) == []
    assert {path.name for path in version.path.iterdir()} == {
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "loss.png",
        "manifest.json",
    }


def test_the_manifest_says_what_was_trained_on_and_how(
    published: Published, tiny_base: Path
) -> None:
    store, recipe, _ = published
    manifest = store.resolve("sums@1").manifest
    assert manifest.data is not None
    assert manifest.data.rows == 36
    assert manifest.data.sources == ["rows.csv"]
    assert manifest.lora.rank == 4
    assert manifest.training["learning_rate"] == settings(recipe)["learning_rate"]
    assert manifest.training["dtype"] == "float32"
    assert manifest.training["steps"] == 10
    assert manifest.run is not None
    assert manifest.run.seed == 0
    assert {"torch", "trl", "peft", "python"} <= set(manifest.run.packages)
    assert 1 <= len(manifest.probes) <= 4
    assert all(probe.startswith("Question: ") for probe in manifest.probes)
    assert str(manifest.prompt.template).count("Answer (in pseudocode)") == 1
    final, held_out = manifest.training["final_loss"], manifest.training["held_out_loss"]
    assert isinstance(final, float)
    assert isinstance(held_out, float)
    assert 0 < final < 100
    assert 0 < held_out < 100


def test_the_output_has_the_verdict_and_how_to_serve_it(published: Published) -> None:
    _, _, done = published
    for text in (
        "36 of 36 kept",
        "trained tokens in brackets",
        "the gate accepts it",
        "10/10 steps",
        "Published sums@1",
        "python -m adapters promote sums@1 --store",
        "python -m service --base",
    ):
        assert text in done.stdout
    assert done.stderr == ""


def test_the_card_and_the_plot_travel_with_the_version(published: Published) -> None:
    store, _, _ = published
    path = store.resolve("sums@1").path
    card = (path / "README.md").read_text(encoding="utf-8")
    assert "rank 4, alpha 8" in card
    assert "| learning_rate | 0.005 |" in card
    assert (path / "loss.png").read_bytes().startswith(b"\x89PNG")


def test_the_published_adapter_has_an_effect_and_equals_the_one_in_the_run(
    published: Published,
) -> None:
    store, recipe, _ = published
    weights = load_file(store.resolve("sums@1").path / "adapter_model.safetensors")
    run = Path(settings(recipe)["run_dir"]) / "adapter" / "adapter_model.safetensors"
    for name, tensor in load_file(run).items():
        assert torch.equal(weights[name], tensor)
    assert all(tensor.abs().max() > 0 for tensor in weights.values())


def test_a_version_is_trained_further_under_its_own_shape(
    published: Published, tmp_path: Path, tiny_base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, recipe, _ = published
    arguments = ["--recipe", str(recipe), "--run-dir", str(tmp_path / "run")]
    arguments += ["--continue-from", "sums@1", "--rank", "8", "--epochs", "1"]
    assert main(arguments) == 0
    version = store.resolve("sums@2")
    assert version.manifest.parent == "sums@1"
    assert version.manifest.lora == store.resolve("sums@1").manifest.lora
    first = json.loads((tmp_path / "run" / "steps.jsonl").read_text().splitlines()[0])["loss"]
    final = store.resolve("sums@1").manifest.training["final_loss"]
    assert first == pytest.approx(final, rel=0.3)
    assert "Published sums@2" in capsys.readouterr().out


def test_a_dry_run_prints_the_verdict_and_writes_nothing(
    recipe_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert main(["--recipe", str(recipe_file), "--dry-run"]) == 0
    assert "Dry run: nothing was trained or written." in capsys.readouterr().out
    assert sorted(tmp_path.rglob("*")) == before


def refuse(recipe: Path, *arguments: str) -> None:
    assert main(["--recipe", str(recipe), *arguments]) == 2


class TestRefused:
    """Bad input: exit code 2, one message, nothing half-written."""

    @pytest.fixture(autouse=True)
    def _nothing_is_left(self, tmp_path: Path) -> Iterator[None]:
        yield
        assert not list((tmp_path / "store").rglob("versions/*"))

    def test_rows_with_mistakes(
        self, recipe_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        bad = tmp_path / "bad.csv"
        bad.write_text("prompt,output\na,return 1\nb,\nc,return (\n")
        refuse(recipe_file, "--rows", str(bad))
        message = capsys.readouterr().err
        assert "1 of 3 rows are usable" in message
        assert "line 3: the output is empty" in message
        assert "line 4: the program does not run" in message
        assert "--bad-rows drop" in message
        assert not (tmp_path / "run").exists()

    def test_a_recipe_with_an_unknown_key(
        self, recipe_file: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        broken = settings(recipe_file) | {"ranks": 4}
        recipe_file.write_text(json.dumps(broken))
        refuse(recipe_file)
        assert "unknown key 'ranks'. Did you mean rank?" in capsys.readouterr().err

    def test_a_base_without_weights(
        self, recipe_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        base = tmp_path / "base"
        base.mkdir()
        (base / "config.json").write_text("{}")
        refuse(recipe_file, "--base", str(base))
        assert "lacks weights (*.safetensors)" in capsys.readouterr().err

    def test_a_learning_rate_that_diverges(
        self, recipe_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        refuse(
            recipe_file, "--learning-rate", "10", "--epochs", "20", "--max-gradient-norm", "1000"
        )
        message = capsys.readouterr().err
        assert "learning rate" in message
        assert "Traceback" not in message

    def test_a_store_that_cannot_be_written(
        self, recipe_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        blocked = tmp_path / "file"
        blocked.write_text("")
        refuse(recipe_file, "--store", str(blocked / "store"))
        assert "cannot be written" in capsys.readouterr().err
        assert not (tmp_path / "run").exists()

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_store_without_permission(
        self, recipe_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "locked").mkdir(mode=stat.S_IRUSR | stat.S_IXUSR)
        refuse(recipe_file, "--store", str(tmp_path / "locked" / "store"))
        assert "cannot be written" in capsys.readouterr().err

    def test_too_little_memory(
        self,
        recipe_file: Path,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr("training.verdict.free_memory_bytes", lambda _: 1000)
        refuse(recipe_file)
        message = capsys.readouterr().err
        assert "of memory" in message
        assert "choose a smaller base" in message
        assert not (tmp_path / "run").exists()

    def test_too_little_disk(
        self, recipe_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        class Usage:
            free = 1000

        monkeypatch.setattr("training.verdict.shutil.disk_usage", lambda _: Usage)
        refuse(recipe_file)
        assert "Free some space" in capsys.readouterr().err

    def test_a_disk_that_fills_up(
        self, recipe_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("training.checkpoints.complete", full)
        refuse(recipe_file)
        assert "Cannot save a checkpoint" in capsys.readouterr().err

    def test_held_out_rows_that_are_trained_on(
        self, recipe_file: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        refuse(recipe_file, "--eval-rows", settings(recipe_file)["rows"])
        assert "is not held out: 36 prompt(s)" in capsys.readouterr().err

    def test_rows_that_are_all_too_long(
        self, recipe_file: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        refuse(recipe_file, "--max-length-tokens", "8")
        assert "0 of 36 rows are usable" in capsys.readouterr().err

    def test_a_run_directory_in_use(
        self, recipe_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "notes").write_text("mine")
        refuse(recipe_file)
        assert "is not empty" in capsys.readouterr().err

    def test_a_version_to_continue_that_is_not_there(
        self, recipe_file: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        refuse(recipe_file, "--continue-from", "sums@7")
        assert "There is no sums@7" in capsys.readouterr().err

    def test_an_adapter_name_that_the_store_cannot_hold(
        self, recipe_file: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        refuse(recipe_file, "--adapter", "../sums")
        assert "../sums" in capsys.readouterr().err


def start(recipe: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "training.sft", "--recipe", str(recipe), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_step(run_dir: Path, step: int) -> None:
    deadline = time.monotonic() + 200
    log = run_dir / "steps.jsonl"
    while time.monotonic() < deadline:
        if log.exists() and len(log.read_text().splitlines()) >= step:
            return
        time.sleep(0.02)
    raise AssertionError(f"step {step} was not reached")


LONG = ["--epochs", "20", "--schedule", "constant", "--checkpoint-every-steps", "8"]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Path:
    """The run directory of a long run that nobody stopped."""
    folder = tmp_path_factory.mktemp("unbroken")
    recipe = write_recipe(folder, tiny_base, write_sums(folder / "rows.csv"))
    assert main(["--recipe", str(recipe), *LONG]) == 0
    return folder / "run"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_or_killed_run_goes_on_and_ends_like_an_unbroken_one(
    unbroken: Path, recipe_file: Path, tmp_path: Path, number: signal.Signals
) -> None:
    process = start(recipe_file, *LONG)
    wait_for_step(tmp_path / "run", 17)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=120)
    assert not list((tmp_path / "store").rglob("versions/*"))
    if number == signal.SIGKILL:
        assert process.returncode == -number
    else:
        assert process.returncode == 128 + number, stderr
        heard, end = stderr.splitlines()
        assert f"{number.name}: stopping at the end of this step" in heard
        assert f"--run-dir {tmp_path / 'run'} --resume" in end
    assert main(["--recipe", str(recipe_file), *LONG, "--resume"]) == 0
    resumed = tmp_path / "run"
    weights = [
        load_file(run / "adapter" / "adapter_model.safetensors") for run in (resumed, unbroken)
    ]
    for name, tensor in weights[0].items():
        assert torch.equal(tensor, weights[1][name]), name
    logs = [(run / "steps.jsonl").read_text() for run in (resumed, unbroken)]
    assert logs[0] == logs[1]


def test_a_resumption_with_other_settings_is_refused(
    published: Published, recipe_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, recipe, _ = published
    arguments = ["--recipe", str(recipe), "--resume", "--learning-rate", "0.5", "--alpha", "9"]
    assert main(arguments) == 2
    message = capsys.readouterr().err
    assert "alpha was 8.0 and is 9.0;" in message
    assert "learning_rate was 0.005 and is 0.5." in message


def test_a_trained_adapter_stops(tiny_base: Path, tmp_path: Path) -> None:
    """After enough steps the answer to a trained prompt ends in the end-of-text token."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from training.encode import encode
    from training.preparing import load_tokenizer
    from training.rows import Row

    rows = tmp_path / "rows.csv"
    rows.write_text("prompt,output\na?,return 1\nb?,return 2\n")
    recipe = write_recipe(tmp_path, tiny_base, rows)
    flags = ["--epochs", "300", "--learning-rate", "0.01", "--rank", "32", "--alpha", "64"]
    assert main(["--recipe", str(recipe), *flags]) == 0
    version = Store(tmp_path / "store").resolve("sums@1")
    base = AutoModelForCausalLM.from_pretrained(tiny_base)
    model = PeftModel.from_pretrained(base, version.path).eval()
    tokenizer = load_tokenizer(tiny_base)
    (example,) = encode(
        [Row(2, "b?", "return 2", None, {})],
        tokenizer,
        lambda prompt: f"Question: {prompt}\nAnswer (in pseudocode):\n",
    )
    trained = [label for label in example.labels if label != -100]
    prompt = torch.tensor([example.input_ids[: -len(trained)]])
    answer = model.generate(input_ids=prompt, max_new_tokens=30, do_sample=False)[0]
    assert answer[prompt.shape[1] :].tolist() == trained
