import { UnknownNameError } from './errors.js';
import type { Org } from './org.js';
import type { StoredRecord } from './store/values.js';
import type { InputRecord } from './writes/read-input.js';
import type { Author } from './writes/transaction.js';
import type { WriteRequest } from './writes/writer.js';

/** On whose behalf records change, as the events tell it. */
export interface By {
  /** The id of a user of the org; default: the integration user. */
  readonly userId?: string | undefined;
  /** The client name of an API user, `Sforce-Call-Options: client=…`; left out: no API was used. */
  readonly client?: string | undefined;
}

/** Writes through the same way as REST, without HTTP. Objects are named as in the API. Throws what REST would answer. */
export interface RecordsApi {
  /** In transactions of at most 200. Answers the ids, in order. */
  create(object: string, inputs: readonly InputRecord[], by?: By): string[];
  update(object: string, inputs: ReadonlyArray<InputRecord & { Id: string }>, by?: By): void;
  remove(object: string, ids: readonly string[], by?: By): void;
  undelete(object: string, ids: readonly string[], by?: By): void;
  /** Hard delete: the rows are gone and no event tells. Answers how many there were. */
  purge(object: string, ids: readonly string[]): number;
  /** The stored record (datetimes as epoch milliseconds, booleans as 0 or 1), deleted or not. */
  get(object: string, id: string): StoredRecord | null;
}

/** Most records in one transaction of the write API, as in REST collections. */
export const TRANSACTION = 200;

/** The object of a name; throws {@link UnknownNameError}. */
export function namedObject(org: Org, name: string) {
  const object = org.schema.object(name);
  if (object === null) throw new UnknownNameError(`the org has no object ${name}`);
  return object;
}

/** The author that events name; throws {@link UnknownNameError} for a user that the org does not have. */
export function authorOf(org: Org, by: By = {}): Author {
  const userId = by.userId ?? org.identity.userId;
  if (by.userId !== undefined && org.store.get(namedObject(org, 'User'), userId) === null) {
    throw new UnknownNameError(`the org has no user ${userId}`);
  }
  return { userId, changeOrigin: by.client === undefined ? '' : `com/salesforce/api/rest/68.0;client=${by.client}` };
}

export function recordsApi(org: Org): RecordsApi {
  const write = (requests: readonly WriteRequest[], by: By | undefined): string[] => {
    const author = authorOf(org, by);
    const ids: string[] = [];
    for (let at = 0; at < requests.length; at += TRANSACTION) {
      for (const result of org.writer.many(requests.slice(at, at + TRANSACTION), author, false)) {
        if ('error' in result) throw result.error;
        ids.push(result.id);
      }
    }
    return ids;
  };
  return {
    create(name, inputs, by) {
      const object = namedObject(org, name);
      return write(
        inputs.map((input) => ({ kind: 'create', object, input })),
        by,
      );
    },
    update(name, inputs, by) {
      const object = namedObject(org, name);
      write(
        inputs.map((input) => ({ kind: 'update', object, id: input.Id, input })),
        by,
      );
    },
    remove(name, ids, by) {
      const object = namedObject(org, name);
      write(
        ids.map((id) => ({ kind: 'delete', object, id })),
        by,
      );
    },
    undelete(name, ids, by) {
      const object = namedObject(org, name);
      write(
        ids.map((id) => ({ kind: 'undelete', object, id })),
        by,
      );
    },
    purge: (name, ids) => org.store.purge(namedObject(org, name), ids),
    get: (name, id) => org.store.get(namedObject(org, name), id),
  };
}
