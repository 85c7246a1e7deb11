"""Finding a key in a sorted list; what counts is a probe, a look at one item."""

from training.lineage.programs.operations import Operations


def sequential_search(items: list[int], key: int, ops: Operations) -> int:
    """Look at one item after the other."""
    for i in range(len(items)):
        ops.count()
        if items[i] >= key:
            return i if items[i] == key else -1
    return -1


def binary_search(items: list[int], key: int, ops: Operations) -> int:
    """Halve the interval that can hold the key."""
    low, high = 0, len(items) - 1
    while low <= high:
        middle = (low + high) // 2
        ops.count()
        if items[middle] == key:
            return middle
        if items[middle] < key:
            low = middle + 1
        else:
            high = middle - 1
    return -1


def interpolation_search(items: list[int], key: int, ops: Operations) -> int:
    """Probe where the key should lie if the values were evenly spread."""
    if not items:
        return -1
    low, high = 0, len(items) - 1
    ops.count(2)
    at_low, at_high = items[low], items[high]
    while low <= high and at_low <= key <= at_high:
        span = at_high - at_low
        guess = low + ((key - at_low) * (high - low) // span if span else 0)
        ops.count()
        value = items[guess]
        if value == key:
            return guess
        if value < key:
            low, at_low = guess + 1, value + 1
        else:
            high, at_high = guess - 1, value - 1
    return -1


def exponential_search(items: list[int], key: int, ops: Operations) -> int:
    """Double a bound until it passes the key, then search below it by halves."""
    bound = 1
    while bound < len(items):
        ops.count()
        if items[bound] >= key:
            break
        bound *= 2
    low, high = bound // 2, min(bound, len(items) - 1)
    while low <= high:
        middle = (low + high) // 2
        ops.count()
        if items[middle] == key:
            return middle
        if items[middle] < key:
            low = middle + 1
        else:
            high = middle - 1
    return -1
