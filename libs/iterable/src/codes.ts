/**
 * Why a user cannot be written, with what a person should do. The codes are public, never renamed; the texts hold no
 * values of the user.
 */
export const deadReasons = {
  'iterable.invalid_email': 'Iterable refuses the email address: correct it at the source, then redrive.',
  'iterable.invalid_user_id': 'Iterable refuses the user id: it must be 1 to 52 printable ASCII characters.',
  'iterable.unknown_user': 'Iterable knows no user with this identifier and may not create one.',
  'iterable.invalid_data':
    'A value in dataFields does not fit its field in Iterable: correct the value or the mapping.',
  'iterable.identity_conflict': 'The email or user id belongs to another profile: merge the profiles, then redrive.',
  'iterable.forgotten': 'The user was forgotten (GDPR): Iterable never takes data for this identifier again.',
  'iterable.field_type_mismatch':
    "A value has another type than its field in Iterable, fixed by the field's first value: correct the mapping.",
  'iterable.malformed_user': 'Iterable cannot read the user in the request body: correct the mapping.',
  'iterable.bad_request': 'Iterable refuses every request that holds this user.',
  'iterable.user_too_large': 'The user alone is larger than a request may be: map less or truncate long values.',
  'iterable.unknown_failure': 'Iterable reports the user as failed for a reason that this version does not know.',
  'iterable.unaccounted': 'Iterable counts the user neither as updated nor as failed.',
  'iterable.unknown_subscription':
    'The opt-out names a channel or message type that the project does not have: correct the mapping, then redrive.',
} as const satisfies Record<`iterable.${string}`, string>;

export type DeadCode = keyof typeof deadReasons;

/** Why nothing can be written until somebody acts. Not about a user: nothing is dead-lettered (Invariant 7). */
export const refusedReasons = {
  'iterable.access_refused':
    'Iterable refuses the API key: it is wrong, disabled, of another data centre, or may not write users.',
  'iterable.wrong_address': 'ITERABLE_BASE_URL does not lead to the Iterable API.',
  'iterable.field_limit_reached':
    "The project's number of user fields is used up: remove fields or have the limit raised.",
} as const satisfies Record<`iterable.${string}`, string>;

export type RefusedCode = keyof typeof refusedReasons;

/** Why the same request is to be sent again later. */
export type RetryCode =
  | 'iterable.rate_limited'
  | 'iterable.unavailable'
  | 'iterable.unreachable'
  | 'iterable.timeout'
  | 'iterable.unreadable_answer';
