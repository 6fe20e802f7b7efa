import jsonata from 'jsonata';
import { isName } from './paths.js';

/**
 * Most nodes of an expression that are evaluated for one record. A count and not a time, so that what becomes of a record
 * depends on the record alone and never on how busy the machine is.
 */
export const MAX_EXPRESSION_STEPS = 50_000;
/** Deepest nesting of evaluations. */
export const MAX_EXPRESSION_DEPTH = 500;
/** Longest sequence that an expression may make, elements. */
export const MAX_EXPRESSION_SEQUENCE = 10_000;

/** What an expression gave: a value as JSON has it (`null` for nothing), or why it gave none, without a value of the record. */
export type Evaluated =
  { readonly kind: 'value'; readonly value: unknown } | { readonly kind: 'failed'; readonly reason: string };

export type Evaluate = (input: unknown) => Promise<Evaluated>;

/** Where and why the text of an expression is none. `position`: index into it. */
export class ExpressionSyntaxError extends Error {
  override readonly name = 'ExpressionSyntaxError';

  constructor(
    message: string,
    readonly position: number,
  ) {
    super(message);
  }
}

const OPTIONS = { stack: MAX_EXPRESSION_DEPTH, sequence: MAX_EXPRESSION_SEQUENCE };
const ON_ENTRY = Symbol.for('jsonata.__evaluate_entry');

/** The frame of one evaluation, of which all its other frames are children. */
interface Base {
  steps?: number;
  timestamp: Date;
}

class TooManySteps extends Error {
  override readonly name = 'TooManySteps';
  readonly code = 'steps';
}

/** Runs before each node is evaluated. */
function countStep(_node: unknown, _input: unknown, environment: { readonly base: Base }): void {
  const { base } = environment;
  if (base.steps === undefined) {
    base.steps = 0;
    // $toMillis takes from here what a picture leaves out: a fixed day, since the result may not depend on the clock.
    base.timestamp = new Date(0);
  }
  base.steps += 1;
  if (base.steps > MAX_EXPRESSION_STEPS) throw new TooManySteps();
}

/** Parses the text of an expression. Errors: {@link ExpressionSyntaxError}. */
export function parseExpression(text: string): jsonata.Expression {
  try {
    return jsonata(text, OPTIONS);
  } catch (error) {
    const { message, position, token } = error as jsonata.JsonataError;
    // The parser stands behind the token that it stumbled on, or at the end
    const length = typeof token === 'string' && token !== '(end)' ? token.length : 0;
    const start = Math.max(0, (position ?? text.length) - length);
    throw new ExpressionSyntaxError(message, Math.min(start, text.length));
  }
}

/** Makes a function of an expression. Errors: {@link ExpressionSyntaxError}; what fails for one record is a value. */
export function compileExpression(text: string): Evaluate {
  const expression = parseExpression(text);
  expression.assign(ON_ENTRY as unknown as string, countStep);
  return async (input) => {
    try {
      return toPlain((await expression.evaluate(input)) as unknown);
    } catch (error) {
      return { kind: 'failed', reason: describeFailure(error, text.length) };
    }
  };
}

/** JSONata's codes in words. Its own messages are not used: they may hold values of the record. */
const REASONS: Readonly<Record<string, string>> = {
  steps: `it takes more than ${MAX_EXPRESSION_STEPS} steps`,
  D1001: 'a number is out of range',
  D1011: `it is nested more than ${MAX_EXPRESSION_DEPTH} deep`,
  D2014: 'a range is too long',
  D2015: `a sequence has more than ${MAX_EXPRESSION_SEQUENCE} elements`,
  D3030: 'a value is no number',
  D3137: '$error was called',
  D3141: '$assert does not hold',
  T0410: 'an argument of a function has the wrong type',
  T0411: 'what a function works on has the wrong type',
  T0412: 'an argument of a function must be a list of one type',
  T1006: 'what is called is no function',
  T2001: 'the left side of an operator is no number',
  T2002: 'the right side of an operator is no number',
  T2009: 'two values of different types are compared',
  T2010: 'what is compared is neither number nor text',
};

function describeFailure(error: unknown, length: number): string {
  const { code, position } = error as { readonly code?: unknown; readonly position?: unknown };
  const known = typeof code === 'string' ? code : 'unknown';
  const reason = REASONS[known] ?? 'it cannot be evaluated';
  const place = typeof position === 'number' ? `, near character ${Math.min(Math.max(position, 1), length)}` : '';
  return known === 'steps' ? reason : `${reason} (JSONata ${known}${place})`;
}

class NotPlain extends Error {
  override readonly name = 'NotPlain';
}

/** JSONata marks its arrays, and gives functions too: what goes on is plain. */
function toPlain(value: unknown): Evaluated {
  try {
    return { kind: 'value', value: plain(value) };
  } catch (error) {
    if (error instanceof NotPlain) return { kind: 'failed', reason: error.message };
    throw error;
  }
}

function plain(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map(plain);
  if (
    typeof value !== 'object' ||
    value instanceof RegExp ||
    '_jsonata_function' in value ||
    '_jsonata_lambda' in value
  ) {
    throw new NotPlain('it gives something that is no value');
  }
  const entries = Object.entries(value);
  if (!entries.every(([name]) => isName(name))) {
    throw new NotPlain('it gives an object with a name that is not letters, digits and underscores');
  }
  return Object.fromEntries(entries.map(([name, inner]) => [name, plain(inner)]));
}
