import { topics } from '@libs/contracts';
import type { EventLog } from '@libs/event-log';
import type { IdentifiedSchema } from '@libs/mapping';

/**
 * Publishes what types the mappings mean their fields to have, so that whoever reads an update finds the schema that it names.
 * Each once while the process lives; the topic is compacted, so that the next process saying it again adds nothing.
 */
export class ProfileSchemas {
  private readonly published = new Map<string, Promise<unknown>>();

  constructor(private readonly log: Pick<EventLog, 'append'>) {}

  /** Resolves when all of them are durable. Errors: those of the log; then the next call tries again. */
  async publish(schemas: readonly IdentifiedSchema[]): Promise<void> {
    await Promise.all(schemas.map((schema) => this.once(schema)));
  }

  private once({ id, value }: IdentifiedSchema): Promise<unknown> {
    const known = this.published.get(id);
    if (known !== undefined) return known;
    const publishing = this.log.append([{ topic: topics.schemas, key: id, value }]).catch((error: unknown) => {
      this.published.delete(id);
      throw error;
    });
    this.published.set(id, publishing);
    return publishing;
  }
}
