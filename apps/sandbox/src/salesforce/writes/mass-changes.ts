import { setImmediate as nextTurn } from 'node:timers/promises';
import { SalesforceError } from '../errors.js';
import type { Org } from '../org.js';
import type { ObjectSchema } from '../schema/types.js';
import type { InputRecord } from './read-input.js';
import type { Author } from './transaction.js';
import type { WriteRequest } from './writer.js';

/** Many records in one transaction: the first ones of the object that can be changed so. */
export interface MassChange {
  readonly object: string;
  readonly kind: 'create' | 'update' | 'delete' | 'undelete';
  readonly count: number;
  /** What is written into each; for creations the whole record. */
  readonly set: InputRecord;
  /** A text field of `set` that gets a number in each record, so that no two changes are the same and none are merged. */
  readonly distinct?: string | undefined;
}

/** Many events soon after one another, as a bulk load makes them: one record each, 200 in a transaction. */
export interface Storm {
  readonly object: string;
  readonly events: number;
  /** How many records they are about, in turn; default: as many as there are, within memory. */
  readonly records?: number | undefined;
  /** Size of an event's payload in Avro, about; default: small. Bytes. */
  readonly eventBytes?: number | undefined;
}

const TRANSACTION = 200;
/** What the records of a storm may hold in long texts. Bytes. */
const STORM_BYTES = 512 * 1024 * 1024;
/** What an event weighs besides the long text. Bytes. */
const EVENT_OVERHEAD = 450;
const FILLERS = 8;

/** Makes the change; answers how many records it changed. Throws, and changes nothing, when one of them is refused. */
export function massChange(org: Org, object: ObjectSchema, asked: MassChange, author: Author): number {
  const { kind } = asked;
  const input = (n: number): InputRecord => {
    const { distinct } = asked;
    return distinct === undefined ? asked.set : { ...asked.set, [distinct]: numbered(asked.set[distinct], n) };
  };
  const requests: WriteRequest[] =
    kind === 'create'
      ? Array.from({ length: asked.count }, (_, n) => ({ kind, object, input: input(n) }))
      : org.store
          .firstIds(object, asked.count, kind === 'undelete')
          .map((id, n) => (kind === 'update' ? { kind, object, id, input: input(n) } : { kind, object, id }));
  for (const result of org.writer.many(requests, author, true)) if ('error' in result) throw result.error;
  return requests.length;
}

/** Makes the storm, letting others have their turn between transactions; ends early when `signal` is aborted. */
export async function storm(
  org: Org,
  object: ObjectSchema,
  asked: Storm,
  author: Author,
  signal: AbortSignal,
): Promise<{ events: number; records: number }> {
  const textBytes = Math.max(0, (asked.eventBytes ?? 0) - EVENT_OVERHEAD);
  const most = textBytes === 0 ? Infinity : Math.floor(STORM_BYTES / textBytes);
  if ((asked.records ?? 0) > most) {
    throw new SalesforceError(
      400,
      'STORAGE_LIMIT_EXCEEDED',
      `at most ${most} records can hold ${textBytes} bytes each`,
    );
  }
  const ids = org.store.firstIds(object, Math.min(asked.records ?? asked.events, most), false);
  if (ids.length === 0) throw new SalesforceError(400, 'NOT_FOUND', `there is no ${object.label} to change`);
  const short = textField(object, (length) => length <= 255);
  const long = textBytes === 0 ? null : textField(object, (length) => length > textBytes);
  const fillers = Array.from({ length: FILLERS }, (_, n) => String(n).repeat(textBytes));
  const perTransaction = Math.min(TRANSACTION, ids.length);
  let made = 0;
  while (made < asked.events && !signal.aborted) {
    const requests: WriteRequest[] = [];
    for (let n = made; n < Math.min(asked.events, made + perTransaction); n += 1) {
      // The long text changes each time that a record has its turn.
      const filler = long === null ? {} : { [long]: fillers[Math.floor(n / ids.length + n) % FILLERS] };
      const input = { [short]: `Storm ${org.events.tip}.${n}`, ...filler };
      requests.push({ kind: 'update', object, id: ids[n % ids.length] ?? '', input });
    }
    for (const result of org.writer.many(requests, author, true)) if ('error' in result) throw result.error;
    made += requests.length;
    await nextTurn();
  }
  return { events: made, records: ids.length };
}

/** The first field that a storm may write: a plain text that is no part of a name or an address. */
function textField(object: ObjectSchema, fits: (length: number) => boolean): string {
  const found = object.fields.find(
    ({ type, length, updateable, compound, name }) =>
      (type === 'string' || type === 'textarea') && updateable && compound === null && name !== 'Name' && fits(length),
  );
  if (found !== undefined) return found.name;
  throw new SalesforceError(400, 'INVALID_FIELD', `${object.name} has no text field for events of this size`);
}

function numbered(value: unknown, n: number): string {
  return typeof value === 'string' && value !== '' ? `${value} ${n + 1}` : String(n + 1);
}
