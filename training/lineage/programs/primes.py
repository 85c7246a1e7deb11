"""All primes up to a limit; what counts is a division or a number crossed out."""

from training.lineage.programs.operations import Operations


def eratosthenes(limit: int, ops: Operations) -> list[int]:
    """Cross out the multiples of every prime, from its square on."""
    composite = [False] * (limit + 1)
    found = []
    for number in range(2, limit + 1):
        if composite[number]:
            continue
        found.append(number)
        for multiple in range(number * number, limit + 1, number):
            ops.count()
            composite[multiple] = True
    return found


def linear_sieve(limit: int, ops: Operations) -> list[int]:
    """Cross out every composite once, by its least prime factor."""
    composite = [False] * (limit + 1)
    found: list[int] = []
    for number in range(2, limit + 1):
        if not composite[number]:
            found.append(number)
        for prime in found:
            if number * prime > limit:
                break
            ops.count()
            composite[number * prime] = True
            if number % prime == 0:
                break
    return found


def wheel_sieve(limit: int, ops: Operations) -> list[int]:
    """Roll a growing wheel of numbers coprime to the first primes, and strike its multiples."""
    found: list[int] = []
    wheel, length, prime = [1], 1, 2
    while prime * prime <= limit:
        if length < limit:
            longest = min(length * prime, limit)
            start = 0
            while True:
                number = wheel[start] + length
                if number > longest:
                    break
                ops.count()
                wheel.append(number)
                start += 1
            length = longest
        at_most, struck = length // prime, set()
        for number in wheel:
            if number > at_most:
                break
            ops.count()
            struck.add(number * prime)
        wheel = [number for number in wheel if number not in struck]
        found.append(prime)
        prime = wheel[1] if len(wheel) > 1 else length + 1
    if length < limit:
        start = 0
        while wheel[start] + length <= limit:
            ops.count()
            wheel.append(wheel[start] + length)
            start += 1
    return [number for number in found + wheel[1:] if number <= limit]
