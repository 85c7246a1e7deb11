"""The k-th smallest item, counted from 0; what counts is a comparison of two items."""

from training.lineage.programs.operations import Operations


def selection_by_minima(items: list[int], k: int, ops: Operations) -> int:
    """Bring the smallest of the rest to the front, k + 1 times."""
    items = items[:]
    for start in range(k + 1):
        least = start
        for i in range(start + 1, len(items)):
            ops.count()
            if items[i] < items[least]:
                least = i
        items[start], items[least] = items[least], items[start]
    return items[k]


def quickselect(items: list[int], k: int, ops: Operations) -> int:
    """Split around the first item and go on in the side that holds the place."""
    while True:
        pivot = items[0]
        below, above = [], []
        for item in items[1:]:
            ops.count()
            if item < pivot:
                below.append(item)
            else:
                above.append(item)
        if k < len(below):
            items = below
        elif k == len(below):
            return pivot
        else:
            k -= len(below) + 1
            items = above


def median_of_medians(items: list[int], k: int, ops: Operations) -> int:
    """Split around the median of the medians of fives, so that no side is too long."""

    def sorted_five(five: list[int]) -> list[int]:
        five = five[:]
        for i in range(1, len(five)):
            j = i
            while j > 0:
                ops.count()
                if five[j - 1] <= five[j]:
                    break
                five[j - 1], five[j] = five[j], five[j - 1]
                j -= 1
        return five

    def select(values: list[int], place: int) -> int:
        if len(values) <= 5:
            return sorted_five(values)[place]
        medians = []
        for start in range(0, len(values), 5):
            five = sorted_five(values[start : start + 5])
            medians.append(five[len(five) // 2])
        pivot = select(medians, len(medians) // 2)
        below, same, above = [], 0, []
        for value in values:
            ops.count()
            if value < pivot:
                below.append(value)
            elif value > pivot:
                above.append(value)
            else:
                same += 1
        if place < len(below):
            return select(below, place)
        if place < len(below) + same:
            return pivot
        return select(above, place - len(below) - same)

    return select(items, k)


def floyd_rivest(items: list[int], k: int, ops: Operations) -> int:
    """Take two bounds from a sample, so that few items lie between them."""
    items = items[:]

    def select(low: int, high: int, place: int) -> None:
        while high > low:
            if high - low > 600:
                size = high - low + 1
                log = 0.6931 * size.bit_length()
                gap = 0.5 * 2.718 ** (2 * log / 3)
                spread = 0.5 * (log * gap * (size - gap) / size) ** 0.5
                if place - low < size / 2:
                    spread = -spread
                middle = place - low + 1
                left = max(low, int(place - middle * gap / size + spread))
                right = min(high, int(place + (size - middle) * gap / size + spread))
                select(left, right, place)
            pivot, i, j = items[place], low, high
            items[low], items[place] = items[place], items[low]
            ops.count()
            if items[high] > pivot:
                items[low], items[high] = items[high], items[low]
            while i < j:
                items[i], items[j] = items[j], items[i]
                i, j = i + 1, j - 1
                while items[i] < pivot:
                    ops.count()
                    i += 1
                while items[j] > pivot:
                    ops.count()
                    j -= 1
                ops.count(2)
            if items[low] == pivot:
                items[low], items[j] = items[j], items[low]
            else:
                j += 1
                items[j], items[high] = items[high], items[j]
            if j <= place:
                low = j + 1
            if place <= j:
                high = j - 1

    select(0, len(items) - 1, k)
    return items[k]
