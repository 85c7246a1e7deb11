"""Serving a sequence of keys from a cache of fixed size; what counts is a miss.

A program returns for every request whether the key was in the cache.
"""

from training.lineage.programs.operations import Operations


def first_in_first_out(requests: list[int], capacity: int, ops: Operations) -> list[bool]:
    """Drop what came in first."""
    cache: dict[int, bool] = {}
    hits = []
    for key in requests:
        hits.append(key in cache)
        if key in cache:
            continue
        ops.count()
        if len(cache) == capacity:
            del cache[next(iter(cache))]
        cache[key] = True
    return hits


def least_recently_used(requests: list[int], capacity: int, ops: Operations) -> list[bool]:
    """Drop what was not asked for the longest time."""
    cache: dict[int, bool] = {}
    hits = []
    for key in requests:
        hits.append(key in cache)
        if key in cache:
            del cache[key]
        else:
            ops.count()
            if len(cache) == capacity:
                del cache[next(iter(cache))]
        cache[key] = True
    return hits


def two_queues(requests: list[int], capacity: int, ops: Operations) -> list[bool]:
    """Let a key into the main queue only when it is asked for again soon after it left."""
    most_new, most_remembered = max(1, capacity // 4), max(1, capacity // 2)
    new: dict[int, bool] = {}
    remembered: dict[int, bool] = {}
    main: dict[int, bool] = {}
    hits = []
    for key in requests:
        hits.append(key in new or key in main)
        if key in main:
            del main[key]
            main[key] = True
            continue
        if key in new:
            continue
        ops.count()
        if len(new) + len(main) >= capacity:
            if len(new) >= most_new or not main:
                old = next(iter(new))
                del new[old]
                remembered[old] = True
                if len(remembered) > most_remembered:
                    del remembered[next(iter(remembered))]
            else:
                del main[next(iter(main))]
        if key in remembered:
            del remembered[key]
            main[key] = True
        else:
            new[key] = True
    return hits


def adaptive_replacement(requests: list[int], capacity: int, ops: Operations) -> list[bool]:
    """Balance recent and frequent keys by which of the forgotten ones come back."""
    recent: dict[int, bool] = {}
    frequent: dict[int, bool] = {}
    was_recent: dict[int, bool] = {}
    was_frequent: dict[int, bool] = {}
    target, hits = 0, []

    def replace(from_frequent: bool) -> None:
        if recent and (len(recent) > target or (from_frequent and len(recent) == target)):
            old = next(iter(recent))
            del recent[old]
            was_recent[old] = True
        else:
            old = next(iter(frequent))
            del frequent[old]
            was_frequent[old] = True

    for key in requests:
        hits.append(key in recent or key in frequent)
        if key in recent or key in frequent:
            recent.pop(key, None)
            frequent.pop(key, None)
            frequent[key] = True
            continue
        ops.count()
        if key in was_recent:
            target = min(capacity, target + max(1, len(was_frequent) // len(was_recent)))
            replace(False)
            del was_recent[key]
            frequent[key] = True
            continue
        if key in was_frequent:
            target = max(0, target - max(1, len(was_recent) // len(was_frequent)))
            replace(True)
            del was_frequent[key]
            frequent[key] = True
            continue
        if len(recent) + len(was_recent) == capacity:
            if len(recent) < capacity:
                del was_recent[next(iter(was_recent))]
                replace(False)
            else:
                del recent[next(iter(recent))]
        elif len(recent) + len(frequent) >= capacity:
            total = len(recent) + len(frequent) + len(was_recent) + len(was_frequent)
            if total >= 2 * capacity:
                del was_frequent[next(iter(was_frequent))]
            replace(False)
        recent[key] = True
    return hits


def three_queues(requests: list[int], capacity: int, ops: Operations) -> list[bool]:
    """Let most keys leave by a small queue; second chances in the main one (S3-FIFO)."""
    small_size = max(1, capacity // 10)
    small: dict[int, int] = {}
    main: dict[int, int] = {}
    ghost: dict[int, bool] = {}
    hits = []
    for key in requests:
        hits.append(key in small or key in main)
        if key in small:
            small[key] = min(3, small[key] + 1)
            continue
        if key in main:
            main[key] = min(3, main[key] + 1)
            continue
        ops.count()
        while len(small) + len(main) >= capacity:
            if len(small) >= small_size or not main:
                old = next(iter(small))
                uses = small.pop(old)
                if uses > 1:
                    main[old] = 0
                    continue
                ghost[old] = True
                if len(ghost) > capacity:
                    del ghost[next(iter(ghost))]
            else:
                old = next(iter(main))
                uses = main.pop(old)
                if uses:
                    main[old] = uses - 1
        if key in ghost:
            del ghost[key]
            main[key] = 0
        else:
            small[key] = 0
    return hits
