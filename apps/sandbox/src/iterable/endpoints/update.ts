import { badJson, success } from '../answers.js';
import { complaints } from '../envelope-check.js';
import { isEmail, isUserId, normaliseEmail } from '../project/identifiers.js';
import type { JsonObject } from '../project/json.js';
import { findUser, refuse, toAnswer, unknown } from './find-user.js';
import type { Endpoint } from './endpoint.js';
import { prepare, tooManyFields, typesMismatched, userMembers, type ApiUser } from './user-data.js';

/** POST /api/users/update: one upsert, in the pipeline of single-user calls. */
export const update: Endpoint = {
  method: 'POST',
  path: 'users/update',
  handle(project, request) {
    const problems = complaints(request.body, { ...userMembers, createNewFields: 'boolean' });
    if (Object.keys(problems).length > 0) return badJson(request.path, problems);
    const user = request.body as ApiUser & { createNewFields?: boolean | null };
    const mark = project.fields.mark();
    const sizeBefore = project.fields.size;
    const prepared = prepare(project, user, {
      createNewFields: user.createNewFields,
      updateOnly: false,
      decimals: request.decimals,
    });
    const { write, admission } = prepared;
    const plan = project.plan(write.ids);
    const refused = !plan.ok
      ? toAnswer(plan.failure)
      : admission.mismatches.length > 0
        ? typesMismatched(admission.mismatches, project.switches)
        : admission.tooLong.length > 0
          ? refuse.badParams(`The value of ${admission.tooLong.join(', ')} is too long`)
          : tooManyFields(project, sizeBefore, [prepared]);
    if (refused) {
      project.fields.rollback(mark);
      project.counts.failed += 1;
      return refused;
    }
    project.counts.written += 1;
    project.single.run(() => project.applyLater(write));
    return success();
  },
};

/** POST /api/users/updateEmail: email-based projects only. */
export const updateEmail: Endpoint = {
  method: 'POST',
  path: 'users/updateEmail',
  handle(project, request) {
    const problems = complaints(request.body, {
      currentEmail: 'string',
      currentUserId: 'string',
      'newEmail!': 'string',
    });
    if (Object.keys(problems).length > 0) return badJson(request.path, problems);
    const body = request.body as JsonObject as { currentEmail?: string; currentUserId?: string; newEmail: string };
    if (project.projectType !== 'email') {
      return refuse.badParams(
        'updateEmail works in email-based projects; set dataFields.email with users/update instead',
      );
    }
    if (!isEmail(body.newEmail)) return refuse.invalidEmail(body.newEmail);
    const found = findUser(project, { email: body.currentEmail ?? undefined, userId: body.currentUserId ?? undefined });
    if (!found.ok) return found.answer;
    const newEmail = normaliseEmail(body.newEmail);
    if (project.isForgotten('email', newEmail)) return refuse.forgotten();
    const taken = project.byEmail(newEmail).length > 0;
    if (taken && project.switches.updateEmailLooksAt === 'destination') return refuse.emailExists(newEmail);
    const [slot, ...others] = found.slots;
    if (slot === undefined) return unknown(project, found);
    if (others.length > 0) return refuse.conflict(found.value);
    if (taken) return refuse.emailExists(newEmail);
    project.single.run(() => {
      const [at] = found.kind === 'email' ? project.byEmail(found.value) : project.byUserId(found.value);
      if (at === undefined || project.byEmail(newEmail).length > 0) return;
      const before = project.profiles.read(at);
      project.profiles.write(at, { ...before, email: newEmail, updatedAt: project.clock.now() }, before);
    });
    return success();
  },
};

/** DELETE /api/users/{email}: not for userID-based projects; asynchronous, so an unknown user is no error. */
export const deleteByEmail: Endpoint = {
  method: 'DELETE',
  path: 'users/{email}',
  handle(project, request) {
    const email = request.params['email'] ?? '';
    if (project.projectType === 'user-id') return refuse.badParams('A userID-based project deletes users by userId');
    if (!isEmail(email)) return refuse.invalidEmail(email);
    project.single.run(() => {
      for (const slot of project.byEmail(normaliseEmail(email))) project.profiles.delete(slot);
    });
    return success();
  },
};

/** DELETE /api/users/byUserId/{userId}: every user that shares the userId. */
export const deleteByUserId: Endpoint = {
  method: 'DELETE',
  path: 'users/byUserId/{userId}',
  handle(project, request) {
    const userId = request.params['userId'] ?? '';
    if (!isUserId(userId)) return refuse.invalidUserId(userId);
    project.single.run(() => {
      for (const slot of project.byUserId(userId)) project.profiles.delete(slot);
    });
    return success();
  },
};
