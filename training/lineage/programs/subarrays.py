"""The largest sum of neighbouring items, 0 for none of them; what counts is an addition."""

from training.lineage.programs.operations import Operations


def all_sums(items: list[int], ops: Operations) -> int:
    """Add up every stretch anew."""
    best = 0
    for start in range(len(items)):
        for end in range(start, len(items)):
            total = 0
            for i in range(start, end + 1):
                ops.count()
                total += items[i]
            best = max(best, total)
    return best


def running_sums(items: list[int], ops: Operations) -> int:
    """Extend a stretch by one item with one addition."""
    best = 0
    for start in range(len(items)):
        total = 0
        for end in range(start, len(items)):
            ops.count()
            total += items[end]
            best = max(best, total)
    return best


def divide_in_halves(items: list[int], ops: Operations) -> int:
    """Solve both halves, and the stretches that cross the middle."""

    def solve(low: int, high: int) -> int:
        if high - low <= 1:
            return max(0, items[low]) if high > low else 0
        middle = (low + high) // 2
        left = right = total = 0
        for i in range(middle - 1, low - 1, -1):
            ops.count()
            total += items[i]
            left = max(left, total)
        total = 0
        for i in range(middle, high):
            ops.count()
            total += items[i]
            right = max(right, total)
        return max(solve(low, middle), solve(middle, high), left + right)

    return solve(0, len(items))


def kadane(items: list[int], ops: Operations) -> int:
    """Keep the best sum that ends here, and the best of all."""
    ending = best = 0
    for item in items:
        ops.count()
        ending = max(0, ending + item)
        best = max(best, ending)
    return best
