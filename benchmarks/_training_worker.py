"""One training of a benchmark in a process of its own: ours, or the shortest script TRL allows.

Prints one line of JSON: CPU seconds of the training loop, mean loss of the last quarter, peak bytes.
"""

import json
import resource
import sys
import time
from pathlib import Path

RATE, RANK, BATCH_ROWS = 5e-4, 16, 8


def main() -> None:
    """Train as `ours` or `trl` on a base and a CSV, with results in a new directory."""
    kind, base, rows, out = sys.argv[1], *map(Path, sys.argv[2:])
    losses, seconds = (ours if kind == "ours" else shortest)(base, rows, out)
    last = losses[-max(1, len(losses) // 4) :]
    print(  # noqa: T201 - the result
        json.dumps(
            {
                "cpu_s": seconds,
                "loss": sum(last) / len(last),
                "steps": len(losses),
                "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            }
        )
    )


def ours(base: Path, rows: Path, out: Path) -> tuple[list[float], float]:
    """`python -m training.sft` with the same rank, rate and rows a step."""
    from training.sft import main as sft  # noqa: PLC0415 - in the process of this kind only
    from training.trainer import RowTrainer  # noqa: PLC0415

    spent: list[float] = []
    loop = RowTrainer.train

    def timed(trainer: RowTrainer, **options: object) -> None:
        started = time.process_time()
        loop(trainer, **options)
        spent.append(time.process_time() - started)

    RowTrainer.train = timed

    arguments = {
        "base": base, "rows": rows, "adapter": "ours", "store": out / "store",
        "run-dir": out / "run", "rank": RANK, "alpha": 2 * RANK, "learning-rate": RATE,
        "task": "pseudocode", "batch-rows": BATCH_ROWS, "schedule": "linear", "warmup-fraction": 0,
    }  # fmt: skip
    stdout, sys.stdout = sys.stdout, sys.stderr
    code = sft([part for name, value in arguments.items() for part in (f"--{name}", str(value))])
    sys.stdout = stdout
    if code != 0:
        raise SystemExit(code)
    lines = (out / "run" / "steps.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["loss"] for line in lines], spent[0]


def shortest(base: Path, rows: Path, out: Path) -> tuple[list[float], float]:
    """What TRL's documentation shows, on a CPU: a dataset, a LoRA, a trainer."""
    from datasets import load_dataset  # noqa: PLC0415 - in the process of this kind only
    from peft import LoraConfig  # noqa: PLC0415
    from trl import SFTConfig, SFTTrainer  # noqa: PLC0415

    dataset = load_dataset("csv", data_files=str(rows), split="train", cache_dir=str(out / "cache"))
    trainer = SFTTrainer(
        model=str(base),
        train_dataset=dataset.rename_column("output", "completion"),
        peft_config=LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules="all-linear"),
        args=SFTConfig(
            output_dir=str(out / "run"), per_device_train_batch_size=BATCH_ROWS,
            num_train_epochs=1, learning_rate=RATE, logging_steps=1, use_cpu=True, bf16=False,
            report_to="none", save_strategy="no", disable_tqdm=True,
        ),
    )  # fmt: skip
    started = time.process_time()
    trainer.train()
    seconds = time.process_time() - started
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry], seconds


if __name__ == "__main__":
    main()
