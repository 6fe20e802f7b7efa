export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

/** Whole numbers written with a fraction or an exponent (`1000.0`, `1e3`): holder → keys. See {@link parseJson}. */
export type Decimals = WeakMap<object, Set<string>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Finds a candidate cheaply; one inside a string only costs the slower parse. */
const WHOLE_DECIMAL = /[:,[\s]-?\d+(?:\.0+|(?:\.\d+)?[eE][+-]?\d+)\s*[,}\]]/;

/**
 * Parses a body and remembers which whole numbers were written as decimals. JavaScript reads `1000.0` as 1000, yet the text
 * decides whether a field becomes a long or a double (facts/iterable.md §4, the JS number trap).
 * Errors: `SyntaxError` for text that is not JSON.
 */
export function parseJson(text: string): { value: Json; decimals: Decimals | null } {
  if (!WHOLE_DECIMAL.test(text)) return { value: JSON.parse(text) as Json, decimals: null };
  const decimals: Decimals = new WeakMap();
  const reviver = function (this: object, key: string, value: Json, context?: { source?: string }): Json {
    if (typeof value === 'number' && Number.isInteger(value) && /[.eE]/.test(context?.source ?? '')) {
      const keys = decimals.get(this) ?? new Set();
      decimals.set(this, keys.add(key));
    }
    return value;
  };
  return { value: JSON.parse(text, reviver) as Json, decimals };
}
