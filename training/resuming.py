"""Whether a run directory may be used: fresh for a new run, of the same run for a resumption."""

import json
from pathlib import Path

from pydantic import JsonValue

from training import checkpoints
from training.errors import RunRefused

RECIPE_FILE = "recipe.json"


def open_run_dir(run_dir: Path, settings: dict[str, JsonValue], *, resume: bool) -> None:
    """Create the directory of a new run, or check that a stopped run can go on in it.

    Args:
        run_dir: The directory.
        settings: Everything that decides the result of the run.
        resume: Whether an earlier run is to go on.

    Raises:
        RunRefused: It holds another run, none to resume, or cannot be written.
    """
    path = run_dir / RECIPE_FILE
    if resume:
        _require_same(path, settings)
        if checkpoints.latest(run_dir) is None:
            raise RunRefused(
                f"There is no complete checkpoint in {run_dir}, expected checkpoint-N from a "
                "stopped run. Start again without --resume, in another --run-dir."
            )
        return
    if run_dir.exists() and any(run_dir.iterdir()):
        raise RunRefused(
            f"The run directory {run_dir} is not empty. Expected a new one, so that no run is "
            "overwritten. Say --resume to go on with what is there, or choose another --run-dir."
        )
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise RunRefused(
            f"Cannot write to the run directory {run_dir}: {error.strerror}. Expected a directory "
            "of yours with some space. Choose another with --run-dir."
        ) from error


def _require_same(path: Path, settings: dict[str, JsonValue]) -> None:
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunRefused(
            f"Cannot resume: {path} cannot be read ({error}). Expected the directory that a "
            "stopped run printed. Check --run-dir."
        ) from error
    differing = [
        f"{key} was {before.get(key)!r} and is {settings.get(key)!r}"
        for key in sorted({*before, *settings})
        if before.get(key) != settings.get(key)
    ]
    if differing:
        raise RunRefused(
            f"Cannot resume the run in {path.parent}, since a resumed run must equal an unbroken "
            f"one: {'; '.join(differing)}. Use the same settings and rows, or start a new run."
        )
