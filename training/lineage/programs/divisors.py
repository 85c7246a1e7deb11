"""Greatest common divisor; what counts is one operation on the full-length numbers."""

from training.lineage.programs.operations import Operations


def repeated_subtraction(a: int, b: int, ops: Operations) -> int:
    """Take the smaller from the larger until they are equal."""
    while a and b:
        ops.count()
        if a >= b:
            a -= b
        else:
            b -= a
    return a or b


def euclid_remainders(a: int, b: int, ops: Operations) -> int:
    """Replace the larger by its remainder."""
    while b:
        ops.count()
        a, b = b, a % b
    return a


def least_remainders(a: int, b: int, ops: Operations) -> int:
    """Choose the remainder, above or below, that is smaller in size."""
    while b:
        ops.count()
        rest = a % b
        if 2 * rest > b:
            rest = b - rest
        a, b = b, rest
    return a


def lehmer(a: int, b: int, ops: Operations) -> int:
    """Run many quotients on the leading digits alone and apply them to the numbers at once."""
    if a < b:
        a, b = b, a
    while b >> 60:
        shift = a.bit_length() - 60
        x, y = a >> shift, b >> shift
        p, q, r, s = 1, 0, 0, 1
        while y + r and y + s:
            quotient = (x + p) // (y + r)
            if quotient != (x + q) // (y + s):
                break
            p, r = r, p - quotient * r
            q, s = s, q - quotient * s
            x, y = y, x - quotient * y
        if q == 0:
            ops.count()
            a, b = b, a % b
        else:
            ops.count(4)
            a, b = p * a + q * b, r * a + s * b
    while b:
        a, b = b, a % b
    return a
