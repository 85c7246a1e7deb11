// A diff of words: which words of one text are not, in this order, in another.

// Beyond this the table of the comparison grows too large to be worth its seconds.
const MAX_WORDS = 2000;

/** Words with the blanks before them; Chinese characters stand alone. */
export function words(text) {
  return text.match(/\s*(?:\p{Script=Han}|[^\s\p{Script=Han}]+)|\s+$/gu) ?? [];
}

/** Runs of `text` as `{ text, same }`, by the longest common subsequence with `other`. */
export function differences(other, text) {
  const before = words(other).slice(0, MAX_WORDS);
  const all = words(text);
  const after = all.slice(0, MAX_WORDS);
  const same = new Array(all.length).fill(false);
  for (const place of common(before.map((word) => word.trim()), after.map((word) => word.trim()))) same[place] = true;
  const runs = [];
  all.forEach((word, place) => {
    const last = runs.at(-1);
    if (last && last.same === same[place]) last.text += word;
    else runs.push({ text: word, same: same[place] });
  });
  return { runs, same: same.filter(Boolean).length, of: all.length };
}

/** Places in `after` of a longest common subsequence. */
function common(before, after) {
  const width = after.length + 1;
  const lengths = new Uint16Array((before.length + 1) * width);
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      lengths[i * width + j] = before[i] === after[j]
        ? lengths[(i + 1) * width + j + 1] + 1
        : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
    }
  }
  const places = [];
  for (let i = 0, j = 0; i < before.length && j < after.length;) {
    if (before[i] === after[j]) {
      places.push(j);
      i += 1;
      j += 1;
    } else if (lengths[(i + 1) * width + j] >= lengths[i * width + j + 1]) i += 1;
    else j += 1;
  }
  return places;
}
