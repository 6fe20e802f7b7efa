import { SalesforceError } from '../errors.js';
import type { ObjectSchema } from '../schema/types.js';
import type { StoredRecord } from '../store/values.js';
import type { Transaction } from './transaction.js';

/** Three records at most become one. Source: facts/salesforce.md §1.7. */
const MOST_LOSERS = 2;

/**
 * Merges records of one object: what refers to a loser refers to the winner from now on, without an event; the losers are
 * deleted and point at the winner, which only `queryAll` shows; the winner is updated with `values`. One transaction.
 */
export function mergeRecords(
  transaction: Transaction,
  object: ObjectSchema,
  winnerId: string,
  loserIds: readonly string[],
  values: StoredRecord,
): void {
  if (!object.fields.some((one) => one.name === 'MasterRecordId')) {
    throw new SalesforceError(400, 'INVALID_TYPE_FOR_OPERATION', `entity type ${object.label} does not support merge`);
  }
  const winner = transaction.alive(object, winnerId);
  const losers = loserIds.map((id) => String(transaction.alive(object, id)['Id']));
  const master = String(winner['Id']);
  const distinct = new Set([master, ...losers]);
  if (losers.length === 0 || losers.length > MOST_LOSERS || distinct.size !== losers.length + 1) {
    throw new SalesforceError(400, 'INVALID_ARGUMENT_TYPE', `a merge takes 1 to ${MOST_LOSERS} other records`);
  }
  for (const loser of losers) {
    reparent(transaction, object, loser, master);
    transaction.remove(object, loser, { MasterRecordId: master });
  }
  transaction.update(object, transaction.existing(object, master), values);
}

/** Every reference to a loser moves, also that of a lead converted into it. */
function reparent(transaction: Transaction, object: ObjectSchema, from: string, to: string): void {
  const { store } = transaction;
  for (const child of store.schema.all()) {
    for (const field of child.fields) {
      if (!field.referenceTo.includes(object.name) || field.name === 'MasterRecordId') continue;
      for (const id of store.idsWhere(child, field.name, from)) {
        // A winner that hung on a loser would hang on itself.
        transaction.updateSilently(child, id, { [field.name]: id === to ? null : to });
      }
    }
  }
}
