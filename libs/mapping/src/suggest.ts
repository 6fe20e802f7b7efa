/**
 * Fewest insertions, deletions, replacements and swaps of neighbouring characters that turn one text into the other, no
 * place edited twice (optimal string alignment): how far a typing mistake is away.
 */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  const at = (cells: readonly number[], index: number) => cells[index] as number;
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = at(row, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next.push(
        Math.min(
          replaced,
          at(row, j) + 1,
          at(next, j - 1) + 1,
          swapped ? at(before, j - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    before = row;
    row = next;
  }
  return at(row, b.length);
}

/**
 * The known word that was probably meant, if one is near enough: letter case aside, at most one mistake in three
 * characters. The nearest wins, of equals the first.
 */
export function suggest(word: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance * 3 <= candidate.length)
    .toSorted((a, b) => a.distance - b.distance);
  return best?.candidate;
}
