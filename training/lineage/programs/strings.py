"""Finding all places of a pattern in a text; what counts is a look at a character of the text."""

from training.lineage.programs.operations import Operations


def naive_match(text: str, pattern: str, ops: Operations) -> list[int]:
    """Compare the pattern at every place, from its beginning."""
    found = []
    for start in range(len(text) - len(pattern) + 1):
        j = 0
        while j < len(pattern):
            ops.count()
            if text[start + j] != pattern[j]:
                break
            j += 1
        if j == len(pattern):
            found.append(start)
    return found


def knuth_morris_pratt(text: str, pattern: str, ops: Operations) -> list[int]:
    """Never look back in the text: after a mismatch fall back in the pattern."""
    border, k = [0] * len(pattern), 0
    for i in range(1, len(pattern)):
        while k and pattern[i] != pattern[k]:
            k = border[k - 1]
        k += pattern[i] == pattern[k]
        border[i] = k
    found, j = [], 0
    for i in range(len(text)):
        ops.count()
        letter = text[i]
        while j and letter != pattern[j]:
            j = border[j - 1]
        j += letter == pattern[j]
        if j == len(pattern):
            found.append(i - j + 1)
            j = border[j - 1]
    return found


def boyer_moore(text: str, pattern: str, ops: Operations) -> list[int]:
    """Compare from the right and shift by the bad character or the good suffix."""
    size = len(pattern)
    last = {letter: i for i, letter in enumerate(pattern)}
    shift, border = [0] * (size + 1), [0] * (size + 1)
    i, j = size, size + 1
    border[i] = j
    while i > 0:
        while j <= size and pattern[i - 1] != pattern[j - 1]:
            if shift[j] == 0:
                shift[j] = j - i
            j = border[j]
        i, j = i - 1, j - 1
        border[i] = j
    for i in range(size + 1):
        if shift[i] == 0:
            shift[i] = j
        if i == j:
            j = border[j]
    found, start = [], 0
    while start <= len(text) - size:
        j = size - 1
        while j >= 0:
            ops.count()
            if text[start + j] != pattern[j]:
                break
            j -= 1
        if j < 0:
            found.append(start)
            start += shift[0]
        else:
            start += max(shift[j + 1], j - last.get(text[start + j], -1))
    return found


def horspool(text: str, pattern: str, ops: Operations) -> list[int]:
    """Shift by the character under the pattern's last place alone."""
    size = len(pattern)
    shift = {letter: size - 1 - i for i, letter in enumerate(pattern[:-1])}
    found, start = [], 0
    while start <= len(text) - size:
        ops.count()
        letter = text[start + size - 1]
        if letter == pattern[-1]:
            j = 0
            while j < size - 1:
                ops.count()
                if text[start + j] != pattern[j]:
                    break
                j += 1
            if j == size - 1:
                found.append(start)
        start += shift.get(letter, size)
    return found


def backward_nondeterministic(text: str, pattern: str, ops: Operations) -> list[int]:
    """Read the window backwards as long as what was read is part of the pattern, in one word."""
    size = len(pattern)
    places: dict[str, int] = {}
    for i, letter in enumerate(pattern):
        places[letter] = places.get(letter, 0) | 1 << (size - 1 - i)
    top, found, start = 1 << (size - 1), [], 0
    while start <= len(text) - size:
        state, j, shift = (1 << size) - 1, size, size
        while state:
            ops.count()
            state &= places.get(text[start + j - 1], 0)
            j -= 1
            if state & top:
                if j > 0:
                    shift = j
                else:
                    found.append(start)
                    break
            state = state << 1 & (1 << size) - 1
        start += shift
    return found
