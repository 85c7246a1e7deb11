"""Sorting a list of numbers; what counts is a comparison of two items."""

from training.lineage.programs.operations import Operations


def bubble_sort(items: list[int], ops: Operations) -> list[int]:
    """Exchange neighbours until a pass changes nothing."""
    items = items[:]
    end = len(items)
    while end > 1:
        last = 0
        for i in range(1, end):
            ops.count()
            if items[i - 1] > items[i]:
                items[i - 1], items[i] = items[i], items[i - 1]
                last = i
        end = last
    return items


def shellsort(items: list[int], ops: Operations) -> list[int]:
    """Sort by insertion over gaps that shrink to one."""
    items = items[:]
    gap = len(items) // 2
    while gap > 0:
        for i in range(gap, len(items)):
            moved, j = items[i], i
            while j >= gap:
                ops.count()
                if items[j - gap] <= moved:
                    break
                items[j] = items[j - gap]
                j -= gap
            items[j] = moved
        gap //= 2
    return items


def quicksort(items: list[int], ops: Operations) -> list[int]:
    """Split around the first item and sort both sides."""
    items = items[:]
    waiting = [(0, len(items) - 1)]
    while waiting:
        low, high = waiting.pop()
        if low >= high:
            continue
        pivot, border = items[low], low
        for i in range(low + 1, high + 1):
            ops.count()
            if items[i] < pivot:
                border += 1
                items[border], items[i] = items[i], items[border]
        items[low], items[border] = items[border], items[low]
        waiting.append((low, border - 1))
        waiting.append((border + 1, high))
    return items


def introsort(items: list[int], ops: Operations) -> list[int]:
    """Quicksort with a median of three, and heapsort where the recursion gets too deep."""
    items = items[:]

    def less(left: int, right: int) -> bool:
        ops.count()
        return left < right

    def sift(low: int, root: int, size: int) -> None:
        while (child := 2 * root + 1) < size:
            if child + 1 < size and less(items[low + child], items[low + child + 1]):
                child += 1
            if not less(items[low + root], items[low + child]):
                return
            items[low + root], items[low + child] = items[low + child], items[low + root]
            root = child

    def heapsort(low: int, high: int) -> None:
        size = high - low + 1
        for root in range(size // 2 - 1, -1, -1):
            sift(low, root, size)
        for end in range(size - 1, 0, -1):
            items[low], items[low + end] = items[low + end], items[low]
            sift(low, 0, end)

    waiting = [(0, len(items) - 1, 2 * len(items).bit_length())]
    while waiting:
        low, high, depth = waiting.pop()
        if low >= high:
            continue
        if depth == 0:
            heapsort(low, high)
            continue
        middle = (low + high) // 2
        for left, right in ((low, middle), (low, high), (middle, high)):
            if less(items[right], items[left]):
                items[left], items[right] = items[right], items[left]
        items[low], items[middle] = items[middle], items[low]
        pivot, border = items[low], low
        for i in range(low + 1, high + 1):
            if less(items[i], pivot):
                border += 1
                items[border], items[i] = items[i], items[border]
        items[low], items[border] = items[border], items[low]
        waiting.append((low, border - 1, depth - 1))
        waiting.append((border + 1, high, depth - 1))
    return items


def natural_merge_sort(items: list[int], ops: Operations) -> list[int]:
    """Find runs that are in order already, as Timsort does, and merge neighbours."""
    runs: list[list[int]] = []
    for item in items:
        if runs:
            ops.count()
        if runs and runs[-1][-1] <= item:
            runs[-1].append(item)
        else:
            runs.append([item])
    while len(runs) > 1:
        merged = []
        for pair in range(0, len(runs) - 1, 2):
            left, right, out, i, j = runs[pair], runs[pair + 1], [], 0, 0
            while i < len(left) and j < len(right):
                ops.count()
                if left[i] <= right[j]:
                    out.append(left[i])
                    i += 1
                else:
                    out.append(right[j])
                    j += 1
            merged.append(out + left[i:] + right[j:])
        if len(runs) % 2:
            merged.append(runs[-1])
        runs = merged
    return runs[0] if runs else []
