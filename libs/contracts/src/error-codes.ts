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
    meaning: 'A message does not fit the schema of its topic.',
    remedy:
      'Something else wrote to the topic, or versions are mixed: see "origin" of the dead letter and the topic reference.',
  },
  'event-log.lease_lost': {
    meaning: 'Another instance has taken over the role of this one.',
    remedy: 'Nothing to do: the other instance goes on. If it happens again and again, raise KAFKA_SESSION_TIMEOUT_MS.',
  },
  'event-log.topic_mismatch': {
    meaning: 'A topic exists with other partitions than KAFKA_PARTITIONS asks for.',
    remedy: 'Set KAFKA_PARTITIONS to what exists, or drain the sync and make the topic anew.',
  },
  'event-log.unavailable': {
    meaning: 'The event log cannot be reached.',
    remedy: 'Check the brokers (KAFKA_BROKERS), or the disk of DATA_DIR; services go on by themselves when it is back.',
  },
};
