import { badJson, envelope, json, type Answer } from '../answers.js';
import { complaints } from '../envelope-check.js';
import { failureLists, keyFailure, type Failure } from '../project/identity.js';
import type { JsonObject } from '../project/json.js';
import type { IterableProject } from '../project/project.js';
import { injectedFailure, isStruck } from './bulk-faults.js';
import type { ApiRequest, Endpoint } from './endpoint.js';
import { prepare, tooManyFields, typesMismatched, userMembers, type ApiUser, type Prepared } from './user-data.js';

interface BulkBody {
  users: ApiUser[];
  createNewFields?: boolean | null;
  updateOnly?: boolean | null;
}

/** What a bulk request came to, before it is spelled as a response. */
interface Tally {
  success: number;
  failed: Array<{ list: string; value: string }>;
  created: Set<string>;
  filtered: Set<string>;
  noOpEmails: Set<string>;
  noOpUserIds: Set<string>;
}

/** POST /api/users/bulkUpdate. Source: facts/iterable.md §1. */
export const bulkUpdate: Endpoint = {
  method: 'POST',
  path: 'users/bulkUpdate',
  handle(project, request) {
    const problems = complaints(request.body, {
      'users!': { each: userMembers },
      createNewFields: 'boolean',
      updateOnly: 'boolean',
    });
    if (Object.keys(problems).length > 0) return badJson(request.path, problems);
    const body = request.body as unknown as BulkBody;
    const refused = tooManyUsers(project, request, body.users.length);
    if (refused) return refused;

    const mark = project.fields.mark();
    const sizeBefore = project.fields.size;
    const wholeRequest = project.switches.mismatchMode === 'whole-request';
    const prepared = body.users.map((user) => {
      const before = project.fields.mark();
      const one = prepare(project, user, {
        createNewFields: body.createNewFields,
        updateOnly: body.updateOnly ?? false,
        decimals: request.decimals,
      });
      if (!wholeRequest && one.admission.mismatches.length > 0) project.fields.rollback(before);
      return one;
    });
    const mismatches = wholeRequest ? prepared.flatMap((one) => one.admission.mismatches) : [];
    const whole =
      injectedMismatch(project, request, prepared) ??
      (mismatches.length > 0
        ? typesMismatched(mismatches, project.switches)
        : tooManyFields(project, sizeBefore, prepared));
    if (whole) {
      project.fields.rollback(mark); // a refused request fixes no type
      return whole;
    }
    return respond(project, write(project, request, prepared));
  },
};

function tooManyUsers(project: IterableProject, request: ApiRequest, users: number): Answer | null {
  const cap = project.switches.maxUsersPerRequest;
  const fault = request.strike('batch-too-large');
  const most = Math.min(cap ?? Infinity, fault?.maxUsers ?? Infinity);
  return users > most ? envelope(400, 'BatchTooLarge', `A request may hold at most ${most} users`) : null;
}

function injectedMismatch(project: IterableProject, request: ApiRequest, prepared: readonly Prepared[]): Answer | null {
  const fault = request.strike('type-mismatch');
  const bad = fault && prepared.find((one) => isStruck(one.write.ids, { kind: 'type-mismatch', ...fault }));
  if (!bad) return null;
  return typesMismatched(
    [
      {
        path: fault.field,
        expectedType: fault.expectedType,
        incomingTypes: ['string', 'keyword'],
        offendingValue: bad.write.fields[fault.field] ?? '2026-11-24 08:15:30.000',
      },
    ],
    project.switches,
  );
}

function write(project: IterableProject, request: ApiRequest, prepared: readonly Prepared[]): Tally {
  const tally: Tally = {
    success: 0,
    failed: [],
    created: new Set(),
    filtered: new Set(),
    noOpEmails: new Set(),
    noOpUserIds: new Set(),
  };
  const injected = request.strike('partial-failures');
  const later: Prepared[] = [];
  // Taken once: the first write of an immediate pipeline must not change how the rest of this request is treated.
  const immediate = project.bulk.immediate;
  const inOrder = project.switches.duplicateUsers === 'reordered' ? prepared.toReversed() : prepared;
  for (const one of inOrder) {
    const { ids } = one.write;
    const failure = (injected && injectedFailure(ids, injected, () => request.random())) ?? dataFailure(project, one);
    const plan = failure === null ? project.plan(ids) : null;
    if (plan === null || !plan.ok) {
      tally.failed.push(failure ?? (plan as { failure: Failure }).failure);
      continue;
    }
    tally.success += 1;
    for (const name of one.admission.created) tally.created.add(name);
    for (const name of one.admission.filtered) tally.filtered.add(name);
    if (!immediate) later.push(one);
    else if (!project.apply(one.write, plan.target)) {
      if (ids.email !== undefined) tally.noOpEmails.add(ids.email);
      else if (ids.userId !== undefined) tally.noOpUserIds.add(ids.userId);
    }
  }
  if (later.length > 0) {
    project.bulk.run(() => {
      for (const one of later) project.applyLater(one.write);
    });
  }
  return tally;
}

/** Data that this user cannot be stored with, though the request as a whole is good. */
function dataFailure(project: IterableProject, { write: { ids }, admission }: Prepared): Failure | null {
  const bad = admission.mismatches.length > 0 || admission.tooLong.length > 0;
  return bad ? keyFailure(ids, project.projectType, 'invalidData') : null;
}

function respond(project: IterableProject, tally: Tally): Answer {
  const { failureListCase, noOpLists } = project.switches;
  project.counts.written += tally.success;
  project.counts.failed += tally.failed.length;
  const failedUpdates: Record<string, string[]> = Object.fromEntries(failureLists.map((list) => [list, []]));
  for (const { list, value } of tally.failed) {
    const shown = list.endsWith('Emails') && failureListCase === 'lower-case' ? value.toLowerCase() : value;
    (failedUpdates[list] ??= []).push(shown);
  }
  const noOps: JsonObject =
    noOpLists === 'absent' ? {} : { noOpEmails: [...tally.noOpEmails], noOpUserIds: [...tally.noOpUserIds] };
  const body: JsonObject = {
    successCount: tally.success,
    failCount: tally.failed.length,
    invalidEmails: failedUpdates['invalidEmails'] ?? [],
    invalidUserIds: failedUpdates['invalidUserIds'] ?? [],
    filteredOutFields: [...tally.filtered],
    createdFields: [...tally.created],
    ...noOps,
    failedUpdates,
  };
  return json(body);
}
