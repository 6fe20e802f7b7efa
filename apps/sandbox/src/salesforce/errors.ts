/** One entry of an error body of the REST API. */
export interface ErrorEntry {
  readonly message: string;
  readonly errorCode: string;
  readonly fields?: readonly string[];
}

/**
 * A refusal in the REST API's own words: an HTTP status and an array of entries.
 * Source: facts/salesforce.md §4.4.
 */
export class SalesforceError extends Error {
  readonly entries: readonly ErrorEntry[];

  constructor(
    readonly status: number,
    readonly errorCode: string,
    message: string,
    readonly fields?: readonly string[],
  ) {
    super(message);
    this.entries = [fields === undefined ? { message, errorCode } : { message, errorCode, fields }];
  }
}

/** The person who drives the sandbox named an object, field or key that it does not have. */
export class UnknownNameError extends Error {}

export const notFound = () => new SalesforceError(404, 'NOT_FOUND', 'The requested resource does not exist');

export const invalidSession = () => new SalesforceError(401, 'INVALID_SESSION_ID', 'Session expired or invalid');

/** Refusal of an id that is not one: neither 15 nor 18 characters, or a wrong checksum. */
export const malformedId = (id: string) => new SalesforceError(400, 'MALFORMED_ID', `malformed id ${id}`);

/** Refusal of a whole request whose JSON does not have the expected shape. */
export const badJson = (message: string) => new SalesforceError(400, 'JSON_PARSER_ERROR', message);
