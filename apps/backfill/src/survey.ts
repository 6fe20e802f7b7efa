import type { Cursor } from '@libs/contracts';
import type { EventLog } from '@libs/event-log';
import { InvalidConditionError, parseCondition, SalesforceQueryError, type SalesforceClient } from '@libs/salesforce';
import type { JobPlan } from './core/plan-job.js';
import { MAX_REDRIVE_RECORDS, surveyLetters } from './letter-pages.js';
import { countRows } from './pages.js';

/** What of a plan is part of the job's durable state. */
type Scope = Pick<Cursor, 'object' | 'where' | 'sinceMs' | 'hole' | 'fanOut' | 'ids' | 'redrive'>;

/** What a plan comes to: how many records, and what the job is about, for a person; or why it cannot be done. */
export type Survey =
  | { readonly ok: true; readonly scope: Scope; readonly total: number; readonly words: Record<string, unknown> }
  | { readonly ok: false; readonly reason: string };

type Plan<K extends JobPlan['kind']> = Extract<JobPlan, { kind: K }>;

export interface SurveyParts {
  readonly log: Pick<EventLog, 'read' | 'offsets'>;
  readonly salesforce: SalesforceClient;
}

/** Asks those about a plan who know best: the org, the dead letters. Errors: a failure of the world, to be tried again. */
export function surveyJob(plan: JobPlan, parts: SurveyParts, signal: AbortSignal): Promise<Survey> | Survey {
  if (plan.kind === 'object') return surveyObject(plan, parts.salesforce, signal);
  if (plan.kind === 'redrive') return surveyRedrive(plan, parts.log, signal);
  const total = plan.ids.length;
  return { ok: true, scope: { ids: [...plan.ids] }, total, words: { ids: total } };
}

/** Has the condition parsed, and the org asked, which knows its fields. */
async function surveyObject(
  { object, where, sinceMs, hole, fanOut }: Plan<'object'>,
  salesforce: SalesforceClient,
  signal: AbortSignal,
): Promise<Survey> {
  try {
    const parsed = where === undefined ? undefined : parseCondition(object, where);
    const scope = { object, where: parsed, sinceMs, hole, fanOut };
    const shown = fanOut && { from: fanOut.from, through: fanOut.through, records: fanOut.ids.length };
    const words = { object, where: parsed, sinceMs, hole, ...(shown !== undefined && { fanOut: shown }) };
    return { ok: true, scope, total: await countRows(salesforce, scope, signal), words };
  } catch (error) {
    if (error instanceof InvalidConditionError) return { ok: false, reason: `data.where: ${error.message}` };
    if (error instanceof SalesforceQueryError) return { ok: false, reason: `Salesforce refuses it: ${error.message}` };
    throw error;
  }
}

async function surveyRedrive(
  { selection }: Plan<'redrive'>,
  log: SurveyParts['log'],
  signal: AbortSignal,
): Promise<Survey> {
  const { letters, records, noRecord, until } = await surveyLetters(log, selection, signal);
  if (records > MAX_REDRIVE_RECORDS) {
    const most = MAX_REDRIVE_RECORDS.toLocaleString('en-US');
    return {
      ok: false,
      reason: `data: more than ${most} records match; redrive them in parts, by objects, from or to`,
    };
  }
  const { codes, objects, ids, fromMs, toMs } = selection;
  const shown = { codes, objects, ...(ids !== undefined && { ids: ids.length }), fromMs, toMs, letters, noRecord };
  const [ofCodes, ofObjects, ofIds] = [codes, objects, ids].map((given) => given && [...given]);
  const redrive = { codes: ofCodes, objects: ofObjects, ids: ofIds, fromMs, toMs, until, at: {}, noRecord };
  return { ok: true, scope: { redrive }, total: records, words: { redrive: shown } };
}
