import type { UserVerdict } from './classify.js';
import { packUser } from './pack.js';

export const ada = packUser({
  userId: '003Kd00000AbCdEIAV',
  dataFields: { email: 'ada.byron@example.com', Orders: [{ total: 1 }, { total: 'x' }] },
});
export const bad = packUser({
  userId: '00QKd00000LmNoPIAV',
  dataFields: { email: 'not-an-email', when: '2026-11-24 08:15:30.000' },
});
export const grace = packUser({ email: 'Grace@Example.com', dataFields: { Company: { size: 7 } } });
export const sent = [ada, bad, grace];

export const answer = (status: number, body: unknown, headers: Record<string, string> = {}) => ({
  status,
  headers,
  text: typeof body === 'string' ? body : JSON.stringify(body),
  receivedAtMs: 0,
});

/** `w` written, `?` unclear, else the code without its owner. */
export const short = (users: readonly UserVerdict[]) =>
  users.map((user) =>
    user.kind === 'written' ? 'w' : user.kind === 'unclear' ? '?' : user.code.replace('iterable.', ''),
  );

/** Every documented list, empty. */
export const none = {
  invalidEmails: [],
  invalidUserIds: [],
  notFoundEmails: [],
  notFoundUserIds: [],
  invalidDataEmails: [],
  invalidDataUserIds: [],
  conflictEmails: [],
  conflictUserIds: [],
  forgottenEmails: [],
  forgottenUserIds: [],
};

export const HTML = '<html><body><h1>502 Bad Gateway</h1></body></html>';
