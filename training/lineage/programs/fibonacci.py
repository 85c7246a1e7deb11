"""One term of a linear recurrence: memoised recursion, table, matrix power, doubling.

What counts is an addition or multiplication of terms, whatever their length.
"""

from training.lineage.programs.operations import Operations


def plain_recursion(n: int, ops: Operations) -> int:
    """Follow the definition, computing the same terms again and again."""
    if n < 2:
        return n
    ops.count()
    return plain_recursion(n - 1, ops) + plain_recursion(n - 2, ops)


def memoised(n: int, ops: Operations) -> int:
    """Follow the definition, but look up what was computed before."""
    known: dict[int, int] = {0: 0, 1: 1}
    waiting = [n]
    while waiting:
        top = waiting[-1]
        ops.count()
        missing = [k for k in (top - 1, top - 2) if k not in known]
        if top in known:
            waiting.pop()
        elif missing:
            waiting.extend(missing)
        else:
            ops.count()
            known[top] = known[top - 1] + known[top - 2]
            waiting.pop()
    return known[n]


def two_variables(n: int, ops: Operations) -> int:
    """Keep the last two terms and step upwards."""
    this, following = 0, 1
    for _ in range(n):
        ops.count()
        this, following = following, this + following
    return this


def matrix_power(n: int, ops: Operations) -> int:
    """Raise the matrix of one step to the n-th power by squaring."""

    def times(p: list[int], q: list[int]) -> list[int]:
        ops.count(12)
        return [
            p[0] * q[0] + p[1] * q[2],
            p[0] * q[1] + p[1] * q[3],
            p[2] * q[0] + p[3] * q[2],
            p[2] * q[1] + p[3] * q[3],
        ]

    result, step = [1, 0, 0, 1], [1, 1, 1, 0]
    while n:
        if n % 2:
            result = times(result, step)
        n //= 2
        if n:
            step = times(step, step)
    return result[1]


def fast_doubling(n: int, ops: Operations) -> int:
    """Step from term k to term 2k by identities, one bit of n at a time."""
    this, following = 0, 1
    for position in range(n.bit_length() - 1, -1, -1):
        ops.count(6)
        even = this * (2 * following - this)
        odd = this * this + following * following
        this, following = even, odd
        if n >> position & 1:
            ops.count()
            this, following = following, this + following
    return this
