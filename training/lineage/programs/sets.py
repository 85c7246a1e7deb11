"""Merging sets and asking whether two items are together; what counts is a pointer followed or set.

A program takes the number of items and pairs: each is merged, and the answer says whether its two
items were together before.
"""

from training.lineage.programs.operations import Operations


def labels(size: int, pairs: list[list[int]], ops: Operations) -> list[bool]:
    """Give every item the label of its set, and relabel on every merge."""
    label = list(range(size))
    together = []
    for left, right in pairs:
        ops.count(2)
        old, new = label[left], label[right]
        together.append(old == new)
        if old != new:
            for item in range(size):
                ops.count()
                if label[item] == old:
                    label[item] = new
    return together


def parent_trees(size: int, pairs: list[list[int]], ops: Operations) -> list[bool]:
    """Point from item to parent; a merge sets one pointer."""
    parent = list(range(size))
    together = []
    for left, right in pairs:
        while parent[left] != left:
            ops.count()
            left = parent[left]
        while parent[right] != right:
            ops.count()
            right = parent[right]
        together.append(left == right)
        if left != right:
            ops.count()
            parent[left] = right
    return together


def weighted_union(size: int, pairs: list[list[int]], ops: Operations) -> list[bool]:
    """Hang the smaller tree under the larger."""
    parent, weight = list(range(size)), [1] * size
    together = []
    for left, right in pairs:
        while parent[left] != left:
            ops.count()
            left = parent[left]
        while parent[right] != right:
            ops.count()
            right = parent[right]
        together.append(left == right)
        if left != right:
            if weight[left] > weight[right]:
                left, right = right, left
            ops.count()
            parent[left] = right
            weight[right] += weight[left]
    return together


def path_compression(size: int, pairs: list[list[int]], ops: Operations) -> list[bool]:
    """After a walk to the root, point everything on the way at the root."""
    parent, weight = list(range(size)), [1] * size

    def root_of(item: int) -> int:
        root = item
        while parent[root] != root:
            ops.count()
            root = parent[root]
        while parent[item] != root:
            ops.count()
            parent[item], item = root, parent[item]
        return root

    together = []
    for first, second in pairs:
        left, right = root_of(first), root_of(second)
        together.append(left == right)
        if left != right:
            if weight[left] > weight[right]:
                left, right = right, left
            ops.count()
            parent[left] = right
            weight[right] += weight[left]
    return together


def path_halving(size: int, pairs: list[list[int]], ops: Operations) -> list[bool]:
    """On the one walk to the root, let every other item skip its parent."""
    parent, weight = list(range(size)), [1] * size

    def root_of(item: int) -> int:
        while parent[item] != item:
            ops.count()
            above = parent[parent[item]]
            parent[item] = above
            item = above
        return item

    together = []
    for first, second in pairs:
        left, right = root_of(first), root_of(second)
        together.append(left == right)
        if left != right:
            if weight[left] > weight[right]:
                left, right = right, left
            ops.count()
            parent[left] = right
            weight[right] += weight[left]
    return together
