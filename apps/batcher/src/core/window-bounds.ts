/** The clock-aligned window that holds an instant. Epoch milliseconds; `end` is the first instant after it. */
export function windowOf(nowMs: number, windowMs: number): { readonly start: number; readonly end: number } {
  const start = Math.floor(nowMs / windowMs) * windowMs;
  return { start, end: start + windowMs };
}
