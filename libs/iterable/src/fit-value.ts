import { toDateForm } from './date-forms.js';

export type Fit = { readonly ok: true; readonly value: unknown } | { readonly ok: false };

const NO: Fit = { ok: false };

/** Numbers as JSON writes them, without an exponent: what loses its look, like the zeros of a postcode, is no number. */
const DECIMAL = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;
/** A decimal of so many digits comes out of a double as it went in, whatever its value. Source: IEEE 754, DBL_DIG. */
const EXACT_DIGITS = 15;

const CONVERSIONS: Readonly<Record<string, (value: string | number | boolean) => Fit>> = {
  string: (value) => yes(String(value)),
  long: (value) => {
    const number = typeof value === 'string' && String(Number(value)) === value ? Number(value) : value;
    return Number.isSafeInteger(number) ? yes(number) : NO;
  },
  double: (value) => {
    if (typeof value === 'string') return isExact(value) ? yes(Number(value)) : NO;
    return typeof value === 'number' ? yes(value) : NO;
  },
  boolean: (value) => {
    if (value === 'true' || value === 'false') return yes(value === 'true');
    return typeof value === 'boolean' ? yes(value) : NO;
  },
  date: (value) => {
    // Not a number: seconds and milliseconds since 1970 look alike.
    const text = typeof value === 'string' ? toDateForm(value) : null;
    return text === null ? NO : yes(text);
  },
};

/**
 * Converts a JSON value to a type of Iterable's fields where nothing is lost by it; one that has the type stays as it is. `to`:
 * the type's name as users/getFields gives it. `null` removes a field, whatever its type, and stays; an array fits when each
 * element does. Objects fit nothing, nor does anything fit a type that is not named here. Total.
 * Source of the types and of the forms of dates: Iterable support, 208183076.
 */
export function fitValue(value: unknown, to: string): Fit {
  if (value === null) return yes(null);
  const convert = Object.hasOwn(CONVERSIONS, to) ? CONVERSIONS[to] : undefined;
  return convert === undefined ? NO : fit(value, convert);
}

function fit(value: unknown, convert: (value: string | number | boolean) => Fit): Fit {
  if (value === null) return yes(null); // in an array
  if (Array.isArray(value)) {
    const elements = value.map((element: unknown) => fit(element, convert));
    return elements.every((element) => element.ok) ? yes(elements.map((element) => element.value)) : NO;
  }
  if (typeof value === 'number') return Number.isFinite(value) ? convert(value) : NO;
  return typeof value === 'string' || typeof value === 'boolean' ? convert(value) : NO;
}

function yes(value: unknown): Fit {
  return { ok: true, value };
}

/** Does a text come back when the number that it is is written out? Zeros at the end of a fraction say nothing. */
function isExact(text: string): boolean {
  if (!DECIMAL.test(text)) return false;
  const plain = text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  const digits = plain.replace(/^-?(?:0\.)?0*/, '').replace('.', '').length;
  return digits <= EXACT_DIGITS || String(Number(plain)) === plain;
}
