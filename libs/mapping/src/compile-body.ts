import type { OptOut } from '@libs/contracts';
import { casts } from './cast-value.js';
import { compileLeaf, type Make, type Run } from './compile-leaf.js';
import { normalizeEmail } from './email.js';
import { compileExpression } from './expression.js';
import type { MappedRecord } from './mapped-record.js';
import type { Mapping } from './mapping.js';
import { expressionSources } from './mapping-sources.js';
import { reader, type SourceRecord } from './record-readers.js';

/** What the body of a row is made with, beside its mapping. */
export interface BodyParts {
  readonly fieldTypes: ReadonlyMap<string, string>;
  /** Targets that are always `null`. */
  readonly clear: readonly string[];
  readonly optOutOf: (record: SourceRecord) => OptOut | undefined;
}

export interface CompiledBody {
  apply(record: SourceRecord): MappedRecord | Promise<MappedRecord>;
  /** The targets of `IsDeleted` as they are when it is true; `null`: there are none. */
  readonly flagFields: Readonly<Record<string, unknown>> | null;
}

/** What makes one target, with the names on the way to it. */
interface Leaf {
  readonly path: readonly string[];
  readonly make: Make;
}

/** Turns what a mapping says of its targets into closures. */
export function compileBody(mapping: Mapping, { fieldTypes, clear, optOutOf }: BodyParts): CompiledBody {
  const leaves = leavesOf(mapping, fieldTypes);
  const readEmail = leaves.find(({ path }) => path[0] === 'email')?.make;
  const readUserId = leaves.find(({ path }) => path[0] === 'userId')?.make;
  const cleared = clear.map((target) => ({ path: target.split('.'), make: () => null }));
  const readDataFields = branch([...inside(leaves), ...inside(cleared)]);

  const finish = (run: Run): MappedRecord => {
    const { record, shortened } = run;
    const email = readEmail?.(run);
    const userId = text(readUserId?.(run));
    const dataFields = (readDataFields(run) ?? {}) as Record<string, unknown>;
    if (run.misfit !== null) {
      const { target, type } = run.misfit;
      return { kind: 'failed', code: 'mapping.type_mismatch', message: `the value for ${target} is no ${type}` };
    }
    const optOut = optOutOf(record);
    return {
      kind: 'user',
      email: email === undefined ? undefined : toEmail(email),
      userId,
      dataFields,
      ...(optOut === undefined ? undefined : { optOut }),
      ...(shortened.length === 0 ? undefined : { shortened }),
    };
  };

  const evaluate = compileExpressions(mapping);
  return {
    apply: (record) => {
      if (evaluate === null) return finish(startRun(record, []));
      return evaluate(record).then((found) => (Array.isArray(found) ? finish(startRun(record, found)) : found));
    },
    flagFields: flagFieldsOf(mapping, fieldTypes),
  };
}

function startRun(record: SourceRecord, results: readonly unknown[]): Run {
  return { record, results, shortened: [], misfit: null };
}

/** The results of the transforms in their order, or what became of the row instead. `null`: the mapping has no expression. */
function compileExpressions(mapping: Mapping): ((record: SourceRecord) => Promise<unknown[] | NotMapped>) | null {
  const { when, transform = new Map<string, string>() } = mapping;
  if (when === undefined && transform.size === 0) return null;
  const view = compileView(expressionSources(mapping));
  const holds = when === undefined ? null : compileExpression(when);
  const steps = [...transform].map(([target, expression]) => ({ target, evaluate: compileExpression(expression) }));
  return async (record) => {
    const input = view(record);
    if (holds !== null) {
      const condition = await holds(input);
      if (condition.kind === 'failed') return failed('when', condition.reason);
      if (condition.value !== true) return { kind: 'filtered' };
    }
    const results: unknown[] = [];
    for (const { target, evaluate } of steps) {
      const result = await evaluate(input);
      if (result.kind === 'failed') return failed(`transform of ${target}`, result.reason);
      results.push(result.value);
    }
    return results;
  };
}

type NotMapped = Exclude<MappedRecord, { readonly kind: 'user' }>;

function failed(what: string, reason: string): NotMapped {
  return { kind: 'failed', code: 'mapping.expression_failed', message: `${what}: ${reason}` };
}

/**
 * The part of a row that expressions see: what they read, without what is empty. To JSONata an empty value is the word "null"
 * in a text and an error in a function; what is not there is neither.
 */
function compileView(sources: readonly string[]): (record: SourceRecord) => unknown {
  const view = branch(
    sources.map((source) => {
      const read = reader(source);
      return { path: source.split('.'), make: ({ record }: Run) => present(read(record)) };
    }),
  );
  return (record) => view(startRun(record, [])) ?? {};
}

/** Empty becomes absent; an object is copied, so that no expression gets hold of the row. */
function present(value: unknown): unknown {
  if (value === null || value === '') return undefined;
  return typeof value === 'object' ? structuredClone(value) : value;
}

function leavesOf(mapping: Mapping, fieldTypes: ReadonlyMap<string, string>): Leaf[] {
  const { fields, transform, constants, types, values, onNull } = mapping;
  const leaf = (target: string, read: Make, describeType?: string): Leaf => ({
    path: target.split('.'),
    make: compileLeaf(read, {
      target,
      describeType,
      values: values?.get(target),
      type: types?.get(target),
      onNull:
        onNull?.targets.get(target) ?? (target.startsWith('dataFields.') ? onNull?.default : undefined) ?? 'clear',
    }),
  });
  return [
    ...fields.map(({ source, target }) => {
      const read = reader(source);
      return leaf(target, ({ record }) => read(record), fieldTypes.get(source));
    }),
    ...[...(transform?.keys() ?? [])].map((target, index) => leaf(target, ({ results }) => results[index])),
    ...[...(constants ?? [])].map(([target, given]) => {
      const type = types?.get(target);
      const value = type === undefined || given === null ? given : casts[type](given);
      return { path: target.split('.'), make: () => value };
    }),
  ];
}

function flagFieldsOf(mapping: Mapping, fieldTypes: ReadonlyMap<string, string>): Record<string, unknown> | null {
  const fields = mapping.fields.filter(({ source }) => source === 'IsDeleted');
  const made = branch(inside(leavesOf({ ...mapping, fields, transform: undefined, constants: undefined }, fieldTypes)));
  return (made(startRun({ IsDeleted: true }, [])) as Record<string, unknown> | undefined) ?? null;
}

/** The leaves of the profile fields, by their names inside dataFields. */
function inside(leaves: readonly Leaf[]): Leaf[] {
  return leaves.filter(({ path }) => path[0] === 'dataFields').map(({ path, make }) => ({ path: path.slice(1), make }));
}

function toEmail(value: unknown): string | null {
  const email = normalizeEmail(text(value) ?? '');
  return email === '' ? null : email;
}

/** An identity is a text: a number or boolean of Salesforce is written out, anything else is none. */
function text(value: unknown): string | undefined {
  if (typeof value === 'string' && value !== '') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** Builds one object of the body, with the objects inside it; `undefined` when the row has nothing for it. */
function branch(leaves: readonly Leaf[]): Make {
  const byName = Map.groupBy(leaves, ({ path }) => path[0] as string);
  const names = [...byName.keys()];
  const makers = [...byName.values()].map((found): Make => {
    const [leaf] = found;
    if (leaf?.path.length === 1) return leaf.make;
    return branch(found.map(({ path, make }) => ({ path: path.slice(1), make })));
  });
  // Every record comes through here: a counted loop makes no pair and no iterator
  return (run) => {
    const made: Record<string, unknown> = {};
    let filled = false;
    for (let index = 0; index < makers.length; index += 1) {
      const value = (makers[index] as Make)(run);
      if (value === undefined) continue;
      made[names[index] as string] = value;
      filled = true;
    }
    return filled ? made : undefined;
  };
}
