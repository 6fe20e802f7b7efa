/** What a code means to a person, and what to do about it. */
export interface ErrorCode {
  /** In plain language, as one sentence. */
  readonly meaning: string;
  readonly remedy: string;
}

/**
 * Every error and reason code that can reach a person: in dead letters, outcomes, status messages, metrics and answers.
 * `<owner>.<reason>`, never renamed. The reference page and the console's explanations come from here; a test keeps it equal
 * to the codes that the tree uses.
 */
export const errorCodes: Readonly<Record<string, ErrorCode>> = {
  'console.bad_request': {
    meaning: 'The request to the console is not understood.',
    remedy: 'Correct what the message names; docs/reference/openapi.yaml shows every request.',
  },
  'console.internal': {
    meaning: 'The console failed while answering.',
    remedy: "Look for the same time in the console's log; please report it.",
  },
  'console.not_found': {
    meaning: 'There is no such thing at this address.',
    remedy: 'Check the address or id; docs/reference/openapi.yaml lists every route.',
  },
  'console.unauthorized': {
    meaning: 'The request carries no token, or a wrong one.',
    remedy:
      'Send "Authorization: Bearer <token>": the value of CONSOLE_TOKEN, else of the file console-token in DATA_DIR.',
  },
  'event-log.invalid_message': {
    meaning: 'The sync made a message that does not fit its topic.',
    remedy: 'It is a bug or a value beyond all limits: see the message, and please report it.',
  },
  'event-log.lease_lost': {
    meaning: 'Another instance has taken over the role of this one.',
    remedy: 'Nothing: the other instance goes on. If it happens again and again, raise KAFKA_SESSION_TIMEOUT_MS.',
  },
  'event-log.malformed_message': {
    meaning: 'A message is no JSON, or does not fit the schema of its topic.',
    remedy: 'Something else wrote to the topic, or versions are mixed: see "origin" and the topic reference.',
  },
  'event-log.topic_mismatch': {
    meaning: 'A topic exists with other partitions than KAFKA_PARTITIONS asks for.',
    remedy: 'Set KAFKA_PARTITIONS to what exists, or drain the sync and make the topic anew.',
  },
  'event-log.unavailable': {
    meaning: 'The event log cannot be reached.',
    remedy: 'Check the brokers (KAFKA_BROKERS), or the disk of DATA_DIR; services go on by themselves when it is back.',
  },
  'mapping.invalid_email': {
    meaning: 'The email of the record is no address that Iterable would take.',
    remedy: 'Correct it in Salesforce: the change is then picked up.',
  },
  'mapping.invalid_user_id': {
    meaning: 'The user id of the record is none that Iterable would take.',
    remedy: 'Correct it in Salesforce or map another field: 1 to 52 printable ASCII characters.',
  },
  'mapping.no_email': {
    meaning: 'The record has no email address, and the project identifies users by email.',
    remedy: 'Nothing, or fill in the email in Salesforce: the change is then picked up.',
  },
  'salesforce.access_refused': {
    meaning: 'Salesforce refuses the credential, the user or the org.',
    remedy:
      "Check SALESFORCE_* and that the integration user may use the API; the service's log names Salesforce's own reason.",
  },
  'salesforce.limit_exceeded': {
    meaning: "The org's allowance of API calls is used up.",
    remedy: 'Wait, or have the allowance raised; find out what else uses it under Setup, System Overview.',
  },
  'salesforce.query_expired': {
    meaning: 'The result of a query was given up by Salesforce before all of it was read.',
    remedy: 'Nothing: the query begins anew.',
  },
  'salesforce.query_refused': {
    meaning: 'Salesforce refuses a query: an unknown or hidden field, an unknown object, or a wrong condition.',
    remedy: 'Correct the mapping or the condition, or give the integration user read access to the field.',
  },
  'salesforce.query_too_large': {
    meaning: 'A query is too long or too slow for Salesforce.',
    remedy: 'Nothing: it is asked again in smaller parts. If it stays, map fewer fields.',
  },
  'salesforce.session_refused': {
    meaning: 'Salesforce refuses the session, also a new one.',
    remedy: 'Check the connected app and its policies: session length, IP restrictions.',
  },
  'salesforce.timeout': {
    meaning: 'Salesforce did not answer in time.',
    remedy: 'Nothing, if it passes: the sync tries again. Otherwise the query may be too slow for the org.',
  },
  'salesforce.unavailable': {
    meaning: 'Salesforce cannot be reached, or answers that it cannot answer now.',
    remedy: 'Nothing, if it passes: the sync tries again. Otherwise see status.salesforce.com and the network.',
  },
};
