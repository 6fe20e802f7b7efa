/** How an Iterable project knows its users; fixed at the project's creation. Source: facts/iterable.md §3. */
export const projectTypes = ['email', 'user-id', 'hybrid'] as const;
export type ProjectType = (typeof projectTypes)[number];
