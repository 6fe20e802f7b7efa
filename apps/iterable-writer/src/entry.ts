import type { Lane, UserMessage, Version } from '@libs/contracts';
import type { Delivered } from '@libs/event-log';
import { IDENTIFIERS_BYTES, normalEmail } from '@libs/iterable';
import type { MessageRef } from './core/decide.js';
import { lockOf } from './core/decision.js';
import type { Holding } from './holding.js';

/** A message in our hands: the fields as text for the request, and what is needed to decide and to account for it. */
export interface Entry {
  readonly message: MessageRef;
  /** JSON of `dataFields`; `{}` where there are none, empty when it is written. */
  fields: string;
  /** About what it takes in a request. */
  readonly bytes: number;
  readonly version: Version;
  readonly lane: Lane;
  /** Its record and the identifiers that it names: while one of them is locked, there is nothing to decide. */
  readonly keys: readonly string[];
  readonly holding: Holding;
  readonly offset: number;
  readonly takenAtMs: number;
  /** Requests that it was part of. */
  attempts: number;
  /** Not looked at before: something about its profile must settle first. Epoch milliseconds. */
  notBeforeMs: number;
}

/** Makes the JSON of `dataFields`, which it may modify; by the schema of that id. */
export type Encode = (dataFields: Record<string, unknown>, schema: string | undefined) => string;

/** Takes a message in hand. */
export function toEntry(
  { value, offset }: Delivered<UserMessage>,
  {
    holding,
    lane,
    nowMs,
    encode,
  }: { readonly holding: Holding; readonly lane: Lane; readonly nowMs: number; readonly encode: Encode },
): Entry {
  const fields = value.kind === 'update' ? encode(value.dataFields, value.schema) : '{}';
  const message = refOf(value);
  return {
    message,
    fields,
    bytes: Buffer.byteLength(fields) + IDENTIFIERS_BYTES,
    version: message.version,
    lane,
    keys: keysOf(message),
    holding,
    offset,
    takenAtMs: nowMs,
    attempts: 0,
    notBeforeMs: 0,
  };
}

function refOf(value: UserMessage): MessageRef {
  if (value.kind !== 'update') return value;
  const { dataFields: _profile, email, ...message } = value;
  if (email === undefined || email === null) return { ...message, email };
  const address = normalEmail(email);
  return { ...message, email: address === '' ? null : address };
}

function keysOf(message: MessageRef): string[] {
  const keys = [lockOf.record(message.recordId)];
  if (message.kind !== 'update') return keys;
  if (typeof message.email === 'string') keys.push(lockOf.email(message.email));
  if (message.userId !== undefined) keys.push(lockOf.profile({ userId: message.userId }));
  return keys;
}
