import { SyncError } from '@libs/contracts';
import type { DeadCode, RefusedCode, RetryCode } from './codes.js';
import type { IterableCallError } from './errors.js';
import type { HttpAnswer } from './http.js';
import { asObject, type Json } from './json.js';
import { apiCode, isUnknownUser, parseObject, userCode, worldVerdict, type WorldVerdict } from './world.js';

/** What the answer to a call that reads means. */
export type ReadVerdict =
  | { readonly kind: 'read'; readonly body: Json }
  /** What was asked for cannot be, e.g. a malformed address. */
  | { readonly kind: 'dead'; readonly code: DeadCode }
  | WorldVerdict;

/** Total. That there is no such user is read as an empty body, whether it comes as 200 `{}` or as an error; both occur. */
export function classifyReadAnswer(answer: HttpAnswer | IterableCallError): ReadVerdict {
  if (answer instanceof Error) return { kind: 'retry', code: answer.code };
  const body = parseObject(answer.text);
  if (answer.status >= 200 && answer.status < 300) {
    return body === null ? { kind: 'retry', code: 'iterable.unreadable_answer' } : { kind: 'read', body };
  }
  const world = worldVerdict(answer, body);
  if (world !== null) return world;
  const code = apiCode(body);
  return isUnknownUser(code) ? { kind: 'read', body: {} } : { kind: 'dead', code: userCode(answer.status, code) };
}

/** An answer that does not hold what was asked for. `retryable`: unless it is about the user named. */
export class UnusableAnswerError extends SyncError {
  override readonly retryable: boolean;

  constructor(
    readonly code: DeadCode | RefusedCode | RetryCode,
    retryable: boolean,
    override readonly retryAfterMs?: number,
  ) {
    super(`Iterable's answer holds nothing to read: ${code}`);
    this.retryable = retryable;
  }
}

/** A profile as Iterable shows it; `dataFields` repeats the identifiers and holds fields of Iterable's own. */
export interface Profile {
  readonly email?: string;
  readonly userId?: string;
  readonly dataFields: Json;
}

/** The profile of a `getUser`; `null`: no such user. Errors: `UnusableAnswerError`. Source: Iterable API docs, recorded answers. */
export function parseProfile(answer: HttpAnswer): Profile | null {
  return profileIn(bodyOf(answer));
}

/** The project's fields by name, nested ones by dotted path, with their types, of a `getFields`. Errors: `UnusableAnswerError`. */
export function parseFields(answer: HttpAnswer): ReadonlyMap<string, string> {
  const fields = asObject(bodyOf(answer)['fields']);
  if (fields === null) throw unreadable();
  return new Map(Object.entries(fields).flatMap(([name, type]) => (typeof type === 'string' ? [[name, type]] : [])));
}

/** A message channel: what a person can unsubscribe from as a whole. */
export interface Channel {
  readonly id: number;
  readonly name: string;
  /** `Marketing` or `Transactional`. */
  readonly channelType: string;
  /** `Email`, `Push`, `SMS`, … */
  readonly messageMedium: string;
}

/** Of a `listChannels`, in the order given. Errors: `UnusableAnswerError`. */
export function parseChannels(answer: HttpAnswer): readonly Channel[] {
  return channelsIn(bodyOf(answer));
}

/** A kind of message within a channel. */
export interface MessageType {
  readonly id: number;
  readonly name: string;
  readonly channelId: number;
}

/** Of a `listMessageTypes`, in the order given. Errors: `UnusableAnswerError`. */
export function parseMessageTypes(answer: HttpAnswer): readonly MessageType[] {
  return messageTypesIn(bodyOf(answer));
}

/** As {@link parseProfile}, of a body. */
export function profileIn(body: Json): Profile | null {
  const user = asObject(body['user']);
  if (user === null) {
    // Only a body without anything says that there is nobody; another one is an answer that we do not understand.
    if (Object.keys(body).length === 0) return null;
    throw unreadable();
  }
  const dataFields = asObject(user['dataFields']) ?? {};
  const email = user['email'] ?? dataFields['email'];
  const userId = user['userId'] ?? dataFields['userId'];
  return {
    ...(typeof email === 'string' ? { email } : {}),
    ...(typeof userId === 'string' ? { userId } : {}),
    dataFields,
  };
}

export function channelsIn(body: Json): readonly Channel[] {
  return objectsIn(body['channels']).map(({ id, name, channelType, messageMedium }) => {
    if (!isId(id) || typeof channelType !== 'string' || typeof messageMedium !== 'string') throw unreadable();
    return { id, name: typeof name === 'string' ? name : '', channelType, messageMedium };
  });
}

export function messageTypesIn(body: Json): readonly MessageType[] {
  return objectsIn(body['messageTypes']).map(({ id, name, channelId }) => {
    if (!isId(id) || !isId(channelId)) throw unreadable();
    return { id, name: typeof name === 'string' ? name : '', channelId };
  });
}

function bodyOf(answer: HttpAnswer): Json {
  const verdict = classifyReadAnswer(answer);
  if (verdict.kind === 'read') return verdict.body;
  const retryAfterMs = verdict.kind === 'retry' ? verdict.retryAfterMs : undefined;
  throw new UnusableAnswerError(verdict.code, verdict.kind !== 'dead', retryAfterMs);
}

function objectsIn(list: unknown): readonly Json[] {
  if (!Array.isArray(list)) throw unreadable();
  return list.map((item: unknown) => {
    const object = asObject(item);
    if (object === null) throw unreadable();
    return object;
  });
}

const isId = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value);
const unreadable = () => new UnusableAnswerError('iterable.unreadable_answer', true);
