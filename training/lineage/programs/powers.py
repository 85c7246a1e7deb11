"""A power modulo a number; what counts is a multiplication with its reduction."""

from training.lineage.programs.operations import Operations


def repeated_multiplication(base: int, exponent: int, modulus: int, ops: Operations) -> int:
    """Multiply by the base once for every unit of the exponent."""
    result = 1 % modulus
    for _ in range(exponent):
        ops.count()
        result = result * base % modulus
    return result


def square_and_multiply(base: int, exponent: int, modulus: int, ops: Operations) -> int:
    """Square for every bit of the exponent, multiply for every bit that is one."""
    result = 1 % modulus
    started = False
    for position in range(exponent.bit_length() - 1, -1, -1):
        if started:
            ops.count()
            result = result * result % modulus
        if exponent >> position & 1:
            if started:
                ops.count()
            result = result * base % modulus
            started = True
    return result


def window_power(base: int, exponent: int, modulus: int, ops: Operations) -> int:
    """Take four bits of the exponent at a time, with the fifteen small powers at hand."""
    table = [1 % modulus, base % modulus]
    for _ in range(14):
        ops.count()
        table.append(table[-1] * base % modulus)
    digits = []
    while exponent:
        digits.append(exponent & 15)
        exponent >>= 4
    if not digits:
        return 1 % modulus
    result = table[digits[-1]]
    for digit in digits[-2::-1]:
        for _ in range(4):
            ops.count()
            result = result * result % modulus
        if digit:
            ops.count()
            result = result * table[digit] % modulus
    return result


def sliding_window_power(base: int, exponent: int, modulus: int, ops: Operations) -> int:
    """Let windows begin and end in a one, so that only odd powers are kept."""
    if exponent == 0:
        return 1 % modulus
    square = base * base % modulus
    ops.count()
    odd = [base % modulus]
    for _ in range(7):
        ops.count()
        odd.append(odd[-1] * square % modulus)
    result, started, position = 1, False, exponent.bit_length() - 1
    while position >= 0:
        if not exponent >> position & 1:
            ops.count()
            result = result * result % modulus
            position -= 1
            continue
        low = max(0, position - 3)
        while not exponent >> low & 1:
            low += 1
        width = position - low + 1
        value = exponent >> low & (1 << width) - 1
        if started:
            for _ in range(width):
                ops.count()
                result = result * result % modulus
            ops.count()
        result = result * odd[value // 2] % modulus
        started = True
        position = low - 1
    return result % modulus
