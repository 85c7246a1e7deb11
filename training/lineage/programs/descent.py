"""Minimising by first derivatives; what counts is a gradient.

The functions are sums of parabolas with the given curvatures. With `kinked` the slope of each has
two kinks, so that the function is convex and smooth but no parabola.
"""

from training.lineage.programs.operations import Operations


def slopes(curvatures: list[float], kinked: bool, x: list[float]) -> list[float]:
    """The gradient; the kinked one is that of Lessard, Recht and Packard (2016), section 4.6."""
    if not kinked:
        return [c * v for c, v in zip(curvatures, x, strict=True)]
    high = max(curvatures)
    return [high * v if v < 1 else v + high - 1 if v < 2 else high * v - high + 1 for v in x]


def gradient_descent(
    curvatures: list[float], kinked: bool, x: list[float], ops: Operations
) -> list[float]:
    """Step against the gradient, by the best constant step."""
    rate = 2 / (max(curvatures) + min(curvatures))
    for _ in range(3000):
        ops.count()
        gradient = slopes(curvatures, kinked, x)
        if sum(g * g for g in gradient) < 1e-12:
            break
        x = [v - rate * g for v, g in zip(x, gradient, strict=True)]
    return x


def heavy_ball(
    curvatures: list[float], kinked: bool, x: list[float], ops: Operations
) -> list[float]:
    """Keep a share of the last step, tuned for parabolas."""
    high, low = max(curvatures) ** 0.5, min(curvatures) ** 0.5
    rate, share = 4 / (high + low) ** 2, ((high - low) / (high + low)) ** 2
    before = x
    for _ in range(3000):
        ops.count()
        gradient = slopes(curvatures, kinked, x)
        if sum(g * g for g in gradient) < 1e-12:
            break
        moved = [
            v - rate * g + share * (v - b) for v, g, b in zip(x, gradient, before, strict=True)
        ]
        before, x = x, moved
    return x


def nesterov(curvatures: list[float], kinked: bool, x: list[float], ops: Operations) -> list[float]:
    """Take the gradient at the point where momentum leads, with momentum that grows."""
    rate, time, ahead = 1 / max(curvatures), 1.0, x
    for _ in range(3000):
        ops.count()
        gradient = slopes(curvatures, kinked, ahead)
        if sum(g * g for g in gradient) < 1e-12:
            break
        moved = [v - rate * g for v, g in zip(ahead, gradient, strict=True)]
        later = (1 + (1 + 4 * time * time) ** 0.5) / 2
        share = (time - 1) / later
        ahead = [m + share * (m - v) for m, v in zip(moved, x, strict=True)]
        x, time = moved, later
    return ahead


def restarted_nesterov(
    curvatures: list[float], kinked: bool, x: list[float], ops: Operations
) -> list[float]:
    """Forget the momentum whenever it leads uphill."""
    rate, time, ahead = 1 / max(curvatures), 1.0, x
    for _ in range(3000):
        ops.count()
        gradient = slopes(curvatures, kinked, ahead)
        if sum(g * g for g in gradient) < 1e-12:
            break
        moved = [v - rate * g for v, g in zip(ahead, gradient, strict=True)]
        uphill = sum(g * (m - v) for g, m, v in zip(gradient, moved, x, strict=True))
        if uphill > 0:
            time = 1.0
        later = (1 + (1 + 4 * time * time) ** 0.5) / 2
        share = (time - 1) / later
        ahead = [m + share * (m - v) for m, v in zip(moved, x, strict=True)]
        x, time = moved, later
    return ahead
