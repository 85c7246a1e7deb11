"""The loss of a run as a picture."""

from collections.abc import Sequence
from pathlib import Path

SMOOTHING_SHARE = 0.05


def plot_losses(
    losses: Sequence[float], path: Path, *, title: str, held_out: Sequence[tuple[int, float]]
) -> None:
    """Draw the loss per step, a running mean, and the loss on held-out rows if there is one.

    Args:
        losses: Mean loss per trained token, one a step.
        path: The PNG file.
        title: Over the plot.
        held_out: Step and loss of every evaluation on held-out rows.
    """
    # Half a second, and only at the end of a run.
    import matplotlib  # noqa: PLC0415

    matplotlib.use("Agg")
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    steps = range(1, len(losses) + 1)
    axes.plot(steps, losses, color="tab:blue", alpha=0.35, linewidth=1, label="step")
    axes.plot(steps, running_mean(losses), color="tab:blue", linewidth=2, label="running mean")
    if held_out:
        at, values = zip(*held_out, strict=True)
        label = f"held out {values[-1]:.3f}"
        axes.plot(at, values, color="tab:orange", linestyle="--", marker="o", label=label)
    axes.set_xlabel("optimizer step")
    axes.set_ylabel("loss per trained token (nats)")
    axes.set_ylim(bottom=0)
    axes.set_title(title)
    axes.grid(alpha=0.3)
    axes.legend()
    # Without the software's version and the time, so that equal runs give equal files.
    figure.savefig(path, dpi=110, metadata={"Software": None})


def running_mean(values: Sequence[float]) -> list[float]:
    """Mean of each value and those before it, over a twentieth of the run."""
    window = max(1, round(len(values) * SMOOTHING_SHARE))
    means = []
    for end in range(1, len(values) + 1):
        recent = values[max(0, end - window) : end]
        means.append(sum(recent) / len(recent))
    return means
