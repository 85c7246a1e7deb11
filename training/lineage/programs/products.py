"""The product of two whole numbers given as digits; what counts is a product of two digits."""

from training.lineage.programs.operations import Operations


def schoolbook(left: list[int], right: list[int], ops: Operations) -> list[int]:
    """Multiply every digit by every digit and add by place, without carrying."""
    out = [0] * (len(left) + len(right) - 1)
    for i in range(len(left)):
        for j in range(len(right)):
            ops.count()
            out[i + j] += left[i] * right[j]
    return out


def karatsuba(left: list[int], right: list[int], ops: Operations) -> list[int]:
    """Three products of halves instead of four."""
    size = len(left)
    if size == 1:
        ops.count()
        return [left[0] * right[0]]
    half = size // 2
    low = karatsuba(left[:half], right[:half], ops)
    high = karatsuba(left[half:], right[half:], ops)
    a = [x + y for x, y in zip(left[half:], left[:half] + [0] * (size % 2), strict=True)]
    b = [x + y for x, y in zip(right[half:], right[:half] + [0] * (size % 2), strict=True)]
    middle = karatsuba(a, b, ops)
    out = [0] * (2 * size - 1)
    for i, value in enumerate(low):
        out[i] += value
        middle[i] -= value
    for i, value in enumerate(high):
        out[i + 2 * half] += value
        middle[i] -= value
    for i, value in enumerate(middle):
        if value:
            out[i + half] += value
    return out


def toom_three(left: list[int], right: list[int], ops: Operations) -> list[int]:
    """Five products of thirds instead of nine: evaluate, multiply, interpolate."""
    size = len(left)
    if size <= 2:
        out = [0] * (2 * size - 1)
        for i in range(size):
            for j in range(size):
                ops.count()
                out[i + j] += left[i] * right[j]
        return out
    third = (size + 2) // 3
    padding = [0] * (3 * third - size)
    values = []
    for digits in (left + padding, right + padding):
        c0, c1, c2 = digits[:third], digits[third : 2 * third], digits[2 * third :]
        triples = list(zip(c0, c1, c2, strict=True))
        values.append(
            [
                c0,
                [x + y + z for x, y, z in triples],
                [x - y + z for x, y, z in triples],
                [x - 2 * y + 4 * z for x, y, z in triples],
                c2,
            ]
        )
    at0, at1, at_1, at_2, at_inf = [toom_three(p, q, ops) for p, q in zip(*values, strict=True)]
    out = [0] * (6 * third)
    for i in range(2 * third - 1):
        r3 = (at_2[i] - at1[i]) // 3
        r1 = (at1[i] - at_1[i]) // 2
        r2 = at_1[i] - at0[i]
        r3 = (r2 - r3) // 2 + 2 * at_inf[i]
        r2 += r1 - at_inf[i]
        r1 -= r3
        for place, value in enumerate((at0[i], r1, r2, r3, at_inf[i])):
            out[i + place * third] += value
    return out[: 2 * size - 1]


def number_transform(left: list[int], right: list[int], ops: Operations) -> list[int]:
    """Transform both modulo a prime, multiply point by point, transform back."""
    prime, root = 998244353, 3
    size = 1
    while size < len(left) + len(right) - 1:
        size *= 2

    def transform(values: list[int], unit: int) -> list[int]:
        if len(values) == 1:
            return values
        even = transform(values[::2], unit * unit % prime)
        odd = transform(values[1::2], unit * unit % prime)
        half, factor = len(even), 1
        out = [0] * len(values)
        for i in range(half):
            ops.count()
            turned = factor * odd[i] % prime
            out[i], out[i + half] = (even[i] + turned) % prime, (even[i] - turned) % prime
            factor = factor * unit % prime
        return out

    def power(base: int, exponent: int) -> int:
        result = 1
        while exponent:
            if exponent % 2:
                result = result * base % prime
            base, exponent = base * base % prime, exponent // 2
        return result

    unit = power(root, (prime - 1) // size)
    a = transform(left + [0] * (size - len(left)), unit)
    b = transform(right + [0] * (size - len(right)), unit)
    ops.count(size)
    product = [x * y % prime for x, y in zip(a, b, strict=True)]
    back = transform(product, power(unit, prime - 2))
    scale = power(size, prime - 2)
    return [value * scale % prime for value in back[: len(left) + len(right) - 1]]
