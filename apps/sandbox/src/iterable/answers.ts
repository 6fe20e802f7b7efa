import type { Json } from './project/json.js';

/** What goes back over HTTP. */
export interface Answer {
  status: number;
  body: Json;
  /** Sent instead of the body, as the servers before the real API do. */
  html?: string;
  headers?: Record<string, string>;
}

/** Codes of the envelope. Source: facts/iterable.md §1.4. */
export type ApiCode =
  | 'Success'
  | 'BadApiKey'
  | 'BadJsonBody'
  | 'BadParams'
  | 'BatchTooLarge'
  | 'EmailAlreadyExists'
  | 'ExternalKeyConflict'
  | 'Forbidden'
  | 'ForgottenUserError'
  | 'GenericError'
  | 'InvalidEmailAddressError'
  | 'InvalidUserIdError'
  | 'NotFound'
  | 'RateLimitExceeded'
  | 'RequestFieldsTypesMismatched'
  | 'UniqueFieldsLimitExceeded'
  | 'UnknownEmailError'
  | 'UnknownUserIdError'
  | 'error.users.noUserWithIdExists';

export function json(body: Json): Answer {
  return { status: 200, body };
}

export function envelope(status: number, code: ApiCode, msg: string, params: Json = null): Answer {
  return { status, body: { msg, code, params } };
}

/** The body of a single-user write that worked. */
export const success = (): Answer => envelope(200, 'Success', '');

export function html(status: number, title: string): Answer {
  const page = `<html>\r\n<head><title>${title}</title></head>\r\n<body><h1>${title}</h1></body>\r\n</html>\r\n`;
  return { status, body: null, html: page };
}

/** A wrongly typed envelope: JSON path → complaint. */
export function badJson(path: string, problems: Record<string, string>): Answer {
  return envelope(400, 'BadJsonBody', `[${path}] Invalid JSON body`, problems);
}
