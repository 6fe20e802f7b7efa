import { z } from 'zod';

export const faultSystems = ['salesforce', 'iterable'] as const;

/**
 * A fault to inject, switched on by `POST /faults` and off by `DELETE /faults`. `kind` is one of the system's documented
 * kinds; `rate` is the share of matching requests it hits; `count` switches it off after so many hits; `match` limits it to
 * paths that contain the text.
 */
export const fault = z.strictObject({
  system: z.enum(faultSystems),
  kind: z.string().min(1),
  rate: z.number().min(0).max(1).default(1),
  count: z.number().int().positive().optional(),
  match: z.string().optional(),
  /** Whatever else the kind needs, e.g. `{delayMs: 30000}`. */
  options: z.record(z.string(), z.unknown()).default({}),
});
export type Fault = z.infer<typeof fault>;

/** The faults in force. The random source is seeded, so that a run can be repeated. */
export class Faults {
  private active: Array<Fault & { hits: number }> = [];

  constructor(private readonly random: () => number) {}

  add(added: Fault): void {
    this.active.push({ ...added, hits: 0 });
  }

  clear(system?: Fault['system'], kind?: string): void {
    this.active = this.active.filter(
      (one) => (system !== undefined && one.system !== system) || (kind !== undefined && one.kind !== kind),
    );
  }

  list(): ReadonlyArray<Fault & { readonly hits: number }> {
    return this.active;
  }

  /** Does a fault of this kind strike this request? Counts the hit. */
  strikes(system: Fault['system'], kind: string, path = ''): Fault | null {
    for (const one of this.active) {
      if (one.system !== system || one.kind !== kind) continue;
      if (one.match !== undefined && !path.includes(one.match)) continue;
      if (one.count !== undefined && one.hits >= one.count) continue;
      if (one.rate < 1 && this.random() >= one.rate) continue;
      one.hits += 1;
      return one;
    }
    return null;
  }
}
