/** One thing that readiness depends on. */
export interface HealthCheck {
  readonly name: string;
  readonly ok: boolean;
  /** Something that a person should mend, although the service works: `ok` all the same. */
  readonly warning?: true;
  /** For a person: what is wrong, since when, what happens next. No personal data. */
  readonly detail?: string;
}

/**
 * What a service knows of its own health. `set` is called by whoever learns something; `live` turns false only for a
 * failure that a restart mends.
 */
export class Health {
  private readonly checks = new Map<string, HealthCheck>();
  private readonly included = new Map<string, Health>();
  private fatal: Error | null = null;
  private readonly onFatal: Array<(error: Error) => void> = [];

  /** Readiness starts false: name here what must first come true. */
  constructor(expected: readonly string[] = []) {
    for (const name of expected) this.set(name, false, 'not started yet');
  }

  set(name: string, ok: boolean, detail?: string): void {
    this.checks.set(name, detail === undefined ? { name, ok } : { name, ok, detail });
  }

  /** The check holds, but someone should look: readiness stays as it is. Ends with the next `set`. */
  warn(name: string, detail: string): void {
    this.checks.set(name, { name, ok: true, warning: true, detail });
  }

  /** What the check was about is there no more. */
  clear(name: string): void {
    this.checks.delete(name);
  }

  /** Makes another service's health part of this one, its checks named `<name>/<check>`: for several services in one process. */
  include(name: string, other: Health): void {
    this.included.set(name, other);
    other.whenFatal((error) => this.fail(error));
  }

  /** A bug or a bad setting: the process must stop (style guide §6). */
  fail(thrown: unknown): void {
    if (this.fatal !== null) return;
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    this.fatal = error;
    for (const listener of this.onFatal) listener(error);
  }

  /** Calls back when {@link fail} is called, at once if it was. */
  whenFatal(listener: (error: Error) => void): void {
    this.onFatal.push(listener);
    if (this.fatal !== null) listener(this.fatal);
  }

  get live(): boolean {
    return this.fatal === null;
  }

  get ready(): boolean {
    return this.live && this.allChecks().every((check) => check.ok);
  }

  report(): { readonly live: boolean; readonly ready: boolean; readonly checks: readonly HealthCheck[] } {
    return { live: this.live, ready: this.ready, checks: this.allChecks() };
  }

  private allChecks(): HealthCheck[] {
    const others = [...this.included].flatMap(([name, other]) =>
      other.allChecks().map((check) => ({ ...check, name: `${name}/${check.name}` })),
    );
    return [...this.checks.values(), ...others];
  }
}
