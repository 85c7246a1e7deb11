"""What a job asks of this machine and of its base model, checked before anything expensive."""

from basemodels.modules import read_config
from training.errors import RunRefused
from training.job import Job


def require_all(job: Job) -> None:
    """Check what a job asks for.

    Raises:
        RunRefused: Some of it is not here.
    """
    _require_optimizer(job)
    _require_trackers(job)
    _require_positions(job)


def _require_optimizer(job: Job) -> None:
    name = job.optimisation.optimizer
    if name != "adamw" and job.compute.device == "cpu":
        raise RunRefused(
            f"The optimizer {name} keeps its state in memory of a GPU, but the run is on the CPU; "
            "expected adamw there. Leave --optimizer out, or train on a GPU."
        )


def _require_trackers(job: Job) -> None:
    if not job.report_to:
        return
    # Looks for every tracker there is, which takes a moment.
    from transformers.integrations import (  # noqa: PLC0415
        get_available_reporting_integrations,
    )

    there = get_available_reporting_integrations()
    for name in job.report_to:
        if name not in there:
            raise RunRefused(
                f"The tracker {name!r} of report_to is not installed; installed are "
                f"{', '.join(there) or 'none'}. Install it, with `uv pip install {name}` for "
                "example, or leave it out."
            )


def _require_positions(job: Job) -> None:
    config = read_config(job.base_dir)
    known = config.get("max_position_embeddings") or config.get("n_positions")
    if not isinstance(known, int):
        return
    held_out = job.held_out.examples if job.held_out else []
    for example in [*job.examples, *held_out]:
        longest = max(len(each.input_ids) for each in example.singles)
        if longest > known:
            raise RunRefused(
                f"The row at line {example.line} has {longest} tokens, but the base model knows "
                f"{known} positions. Set --max-length-tokens {known} and --bad-rows drop, or "
                "shorten the row."
            )
