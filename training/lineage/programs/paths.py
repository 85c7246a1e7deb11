"""Shortest distance between two cells of a grid; what counts is a queue step or an edge tried.

A grid is rows of the costs of entering a cell, at least 1; moves go to the four neighbours.
"""

from training.lineage.programs.operations import Operations


def bellman_ford(grid: list[list[int]], ops: Operations) -> int:
    """In every round, take the best of what the neighbours knew in the round before."""
    rows, columns = len(grid), len(grid[0])
    best = {(r, c): 10**9 for r in range(rows) for c in range(columns)}
    best[0, 0] = 0
    while True:
        before = dict(best)
        for (r, c), length in before.items():
            for y, x in ((r - 1, c), (r, c - 1), (r, c + 1), (r + 1, c)):
                if 0 <= y < rows and 0 <= x < columns:
                    ops.count()
                    if length + grid[y][x] < best[y, x]:
                        best[y, x] = length + grid[y][x]
        if best == before:
            return best[rows - 1, columns - 1]


def dijkstra_scan(grid: list[list[int]], ops: Operations) -> int:
    """Settle the nearest open cell, found by looking at all of them."""
    rows, columns = len(grid), len(grid[0])
    waiting, settled = {(0, 0): 0}, set()
    while True:
        here, distance = (-1, -1), 10**9
        for cell, length in waiting.items():
            ops.count()
            if length < distance:
                here, distance = cell, length
        if here == (rows - 1, columns - 1):
            return distance
        settled.add(here)
        del waiting[here]
        r, c = here
        for y, x in ((r - 1, c), (r, c - 1), (r, c + 1), (r + 1, c)):
            if 0 <= y < rows and 0 <= x < columns and (y, x) not in settled:
                ops.count()
                if distance + grid[y][x] < waiting.get((y, x), 10**9):
                    waiting[y, x] = distance + grid[y][x]


def dijkstra_heap(grid: list[list[int]], ops: Operations) -> int:
    """Keep the open cells in a binary heap."""
    rows, columns = len(grid), len(grid[0])
    heap, best = [(0, 0, 0)], {(0, 0): 0}
    while heap:
        top, moved = heap[0], heap.pop()
        if heap:
            hole = 0
            while (child := 2 * hole + 1) < len(heap):
                ops.count()
                if child + 1 < len(heap) and heap[child + 1] < heap[child]:
                    child += 1
                if moved <= heap[child]:
                    break
                heap[hole] = heap[child]
                hole = child
            heap[hole] = moved
        distance, r, c = top
        if (r, c) == (rows - 1, columns - 1):
            return distance
        if distance > best[r, c]:
            continue
        for y, x in ((r - 1, c), (r, c - 1), (r, c + 1), (r + 1, c)):
            if 0 <= y < rows and 0 <= x < columns:
                ops.count()
                length = distance + grid[y][x]
                if length < best.get((y, x), 10**9):
                    best[y, x] = length
                    heap.append((length, y, x))
                    hole = len(heap) - 1
                    while hole and heap[(hole - 1) // 2] > (length, y, x):
                        ops.count()
                        heap[hole] = heap[(hole - 1) // 2]
                        hole = (hole - 1) // 2
                    heap[hole] = (length, y, x)
    return -1


def a_star(grid: list[list[int]], ops: Operations) -> int:
    """Order the heap by the distance so far plus what must still come at least."""
    rows, columns = len(grid), len(grid[0])
    heap, best = [(rows + columns - 2, 0, 0, 0)], {(0, 0): 0}
    while heap:
        top, moved = heap[0], heap.pop()
        if heap:
            hole = 0
            while (child := 2 * hole + 1) < len(heap):
                ops.count()
                if child + 1 < len(heap) and heap[child + 1] < heap[child]:
                    child += 1
                if moved <= heap[child]:
                    break
                heap[hole] = heap[child]
                hole = child
            heap[hole] = moved
        _, back, r, c = top
        distance = -back
        if (r, c) == (rows - 1, columns - 1):
            return distance
        if distance > best[r, c]:
            continue
        for y, x in ((r - 1, c), (r, c - 1), (r, c + 1), (r + 1, c)):
            if 0 <= y < rows and 0 <= x < columns:
                ops.count()
                length = distance + grid[y][x]
                if length < best.get((y, x), 10**9):
                    best[y, x] = length
                    entry = (length + rows - 1 - y + columns - 1 - x, -length, y, x)
                    heap.append(entry)
                    hole = len(heap) - 1
                    while hole and heap[(hole - 1) // 2] > entry:
                        ops.count()
                        heap[hole] = heap[(hole - 1) // 2]
                        hole = (hole - 1) // 2
                    heap[hole] = entry
    return -1
