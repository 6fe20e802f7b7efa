import { z } from 'zod';
import { fault, type Fault } from '../faults.js';

/** What a kind of fault does and takes, as a person reads it. */
export interface FaultDescription {
  system: Fault['system'];
  kind: string;
  does: string;
  /** Option name to its default. */
  options: Record<string, string>;
}

/** The kinds of one system: how each reads and how its options are checked. */
export interface FaultCatalogEntry extends FaultDescription {
  /** Returns the options as they count, or throws `ZodError`. */
  check(options: Record<string, unknown>): Record<string, unknown>;
}

/** The kinds of a table whose options are zod schemas. */
export function fromSchemas(
  system: Fault['system'],
  kinds: Readonly<Record<string, { does: string; options: z.ZodObject }>>,
): FaultCatalogEntry[] {
  return Object.entries(kinds).map(([kind, { does, options }]) => ({
    system,
    kind,
    does,
    options: Object.fromEntries(
      Object.entries(options.shape).map(([name, schema]) => [
        name,
        `default ${JSON.stringify((schema as z.ZodType).parse(undefined))}`,
      ]),
    ),
    check: (given) => options.parse(given),
  }));
}

/** A fault that cannot be switched on: why, and what can. */
export class UnknownFaultError extends Error {
  override readonly name = 'UnknownFaultError';
  constructor(
    asked: Pick<Fault, 'system' | 'kind'>,
    readonly known: readonly string[],
  ) {
    super(`${asked.system} has no fault '${asked.kind}'; it knows ${known.join(', ')}`);
  }
}

/**
 * Reads a fault off the wire. Errors: `ZodError` for a wrong shape or option, {@link UnknownFaultError} for a kind that the
 * system does not have.
 */
export function readFault(catalog: readonly FaultCatalogEntry[], body: unknown): Fault {
  const asked = fault.parse(body);
  const ofSystem = catalog.filter((entry) => entry.system === asked.system);
  const entry = ofSystem.find((one) => one.kind === asked.kind);
  if (entry === undefined) {
    throw new UnknownFaultError(
      asked,
      ofSystem.map((one) => one.kind),
    );
  }
  try {
    return { ...asked, options: entry.check(asked.options) };
  } catch (error) {
    if (error instanceof z.ZodError) {
      throw new z.ZodError(error.issues.map((issue) => ({ ...issue, path: ['options', ...issue.path] })));
    }
    throw error;
  }
}
