import type { Health } from '@libs/observability';

const CHECK = 'iterable-fields';

/** Types that differ are told by object. */
type NewsKind = 'list' | 'budget' | 'dropped' | 'schemas' | `types of ${string}`;

/** What somebody should know about the fields of the project, of several kinds at a time. The sync goes on all the same. */
export class FieldNews {
  private readonly kinds = new Map<NewsKind, string>();

  private held: string | null = null;

  constructor(private readonly health: Health) {
    health.set(CHECK, true);
  }

  /** Nothing is taken until it is over (Invariant 7); `null`: it is. */
  hold(text: string | null): void {
    this.held = text;
    this.show();
  }

  /** `null`: it is well again. Names fields, never values. */
  tell(kind: NewsKind, text: string | null): void {
    if (text === null) this.kinds.delete(kind);
    else this.kinds.set(kind, text);
    this.show();
  }

  private show(): void {
    if (this.held !== null) this.health.set(CHECK, false, this.held);
    else if (this.kinds.size === 0) this.health.set(CHECK, true);
    else this.health.warn(CHECK, [...this.kinds.values()].join(' '));
  }
}
