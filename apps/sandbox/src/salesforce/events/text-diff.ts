/** Texts shorter than this are sent whole. Source: Change Data Capture guide, large text fields. */
const LONG_TEXT = 1_000;

/**
 * A unified diff of two long texts: one hunk from the first line that differs to the last. Null when the text is short or the
 * patch would not be the shorter of the two.
 */
export function textDiff(before: string, after: string): string | null {
  if (before.length < LONG_TEXT || after.length < LONG_TEXT) return null;
  const [old, next] = [before.split('\n'), after.split('\n')];
  let start = 0;
  while (start < old.length && start < next.length && old[start] === next[start]) start += 1;
  let same = 0;
  while (same < Math.min(old.length, next.length) - start && old.at(-1 - same) === next.at(-1 - same)) same += 1;
  const removed = old.slice(start, old.length - same);
  const added = next.slice(start, next.length - same);
  const patch = [
    '--- ',
    '+++ ',
    `@@ -${start + 1},${removed.length} +${start + 1},${added.length} @@`,
    ...removed.map((line) => `-${line}`),
    ...added.map((line) => `+${line}`),
  ].join('\n');
  return patch.length < after.length / 2 ? patch : null;
}
