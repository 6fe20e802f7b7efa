import type { Answer } from '../answers.js';
import type { FaultOptions, IterableFaultKind } from '../fault-kinds.js';
import type { Decimals, Json } from '../project/json.js';
import type { IterableProject } from '../project/project.js';

/** A request whose key, rate, size and JSON were found good. */
export interface ApiRequest {
  /** `/api/users/bulkUpdate`, as errors quote it. */
  path: string;
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  /** null for a request without a body. */
  body: Json;
  decimals: Decimals | null;
  keyType: 'ServerSide' | 'ClientSide';
  /** From 0 to 1, seeded. */
  random(): number;
  /** Does a fault strike? Asked by endpoints for the faults that are about their work. */
  strike<K extends IterableFaultKind>(kind: K): FaultOptions<K> | null;
}

export interface Endpoint {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below /api/, with `{name}` for a parameter. */
  path: string;
  handle(project: IterableProject, request: ApiRequest): Answer;
}
