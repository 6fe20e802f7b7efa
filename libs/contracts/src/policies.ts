/** What becomes of the profile of a record that was deleted or merged in Salesforce, when no other record has it. */
export const deletePolicies = ['ignore', 'flag', 'unsubscribe', 'delete', 'forget'] as const;
export type DeletePolicy = (typeof deletePolicies)[number];

/** What an opt-out in Salesforce does in Iterable. */
export const optOutPolicies = ['unsubscribe', 'ignore'] as const;
export type OptOutPolicy = (typeof optOutPolicies)[number];

/** What becomes of a profile field that the project does not have. */
export const newFieldPolicies = ['project', 'create', 'drop'] as const;
export type NewFieldPolicy = (typeof newFieldPolicies)[number];

/** Unique profile fields of an Iterable project, nested ones counted by their leaves; Iterable may raise it. Source: facts/iterable.md §4, field count. */
export const MAX_PROFILE_FIELDS = 1_000;
