import { injectedFailure, isStruck } from '../../apps/sandbox/src/iterable/index.js';

/** A fault of the simulated Iterable, as its admin port takes it. */
export interface FaultSetting {
  readonly kind: string;
  /** Share of the requests that it hits. */
  readonly rate: number;
  /** It ends after so many hits. */
  readonly count?: number;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** Users of each request that are refused by themselves, always the same ones, spread over every documented list. */
const PARTIAL_SHARE = 0.03;
const PARTIAL = { list: 'every', share: PARTIAL_SHARE, sticky: true } as const;

/** What goes on all the time, outage or not. `mismatchShare`: of the users, those that make Iterable refuse whole requests. */
export function lastingFaults(mismatchShare: number): FaultSetting[] {
  return [
    { kind: 'partial-failures', rate: 1, options: PARTIAL },
    { kind: 'type-mismatch', rate: 1, options: { share: mismatchShare } },
  ];
}

/** What makes requests fail now and then: a tenth with a 5xx, answers that are lost after the write, and ones that never come. */
export const passingFaults: readonly FaultSetting[] = [
  { kind: 'http-500', rate: 0.034 },
  { kind: 'http-502-html', rate: 0.034 },
  { kind: 'http-503-html', rate: 0.034 },
  { kind: 'reset-after-apply', rate: 0.03 },
  { kind: 'hang', rate: 0.003, options: { applied: false } },
  { kind: 'hang', rate: 0.003, options: { applied: true } },
];

/** Every second request is answered 429, whatever the bucket says. */
export const stormFault = (hints: boolean): FaultSetting => ({
  kind: 'rate-limit-storm',
  rate: 0.5,
  options: { hints },
});

/** Nothing gets through: half of the requests find no server, the others a proxy that says so. */
export const outageFaults: readonly FaultSetting[] = [
  { kind: 'disconnect', rate: 0.5 },
  { kind: 'http-503-html', rate: 1 },
];

/** Dead-letter code by the list that names a user, as Iterable documents the lists; by hand, not by the product's table. */
const codeByList: Readonly<Record<string, string>> = {
  invalidEmails: 'iterable.invalid_email',
  invalidUserIds: 'iterable.invalid_user_id',
  notFoundEmails: 'iterable.unknown_user',
  notFoundUserIds: 'iterable.unknown_user',
  invalidDataEmails: 'iterable.invalid_data',
  invalidDataUserIds: 'iterable.invalid_data',
  conflictEmails: 'iterable.identity_conflict',
  conflictUserIds: 'iterable.identity_conflict',
  forgottenEmails: 'iterable.forgotten',
  forgottenUserIds: 'iterable.forgotten',
};

/** The code that a user of this address ends with under {@link lastingFaults}; `null`: it is taken. */
export function codeOfStruck(email: string, mismatchShare: number): string | null {
  const ids = { email };
  // The request is refused before anybody in it is looked at
  if (isStruck(ids, { kind: 'type-mismatch', share: mismatchShare })) return 'iterable.field_type_mismatch';
  const failure = injectedFailure(ids, PARTIAL, () => 1);
  if (failure === null) return null;
  const code = codeByList[failure.list];
  if (code === undefined) throw new Error(`no code is known for the list ${failure.list}`);
  return code;
}
