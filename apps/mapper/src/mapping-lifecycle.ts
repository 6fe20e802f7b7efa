import { SyncError } from '@libs/contracts';
import type { Health, Metrics } from '@libs/observability';
import { versionsOf, type LiveMappings, type SafetyStop } from '@libs/service';
import type { CompiledMappings } from './compiled-mappings.js';
import type { MappingStatus } from './mapping-status.js';
import type { ProfileSchemas } from './profile-schemas.js';

export interface LifecycleParts {
  readonly live: LiveMappings;
  readonly compiled: CompiledMappings;
  readonly status: MappingStatus;
  readonly schemas: Pick<ProfileSchemas, 'publish'>;
  readonly safety: Pick<SafetyStop, 'restart'>;
  readonly metrics: Pick<Metrics, 'mapperInfo'>;
  readonly health: Pick<Health, 'clear' | 'fail'>;
}

/** Hands each new set of mappings on to what works by it, in the step in which it comes into force. */
export class MappingLifecycle {
  private isClosed = false;

  constructor(private readonly parts: LifecycleParts) {
    const { live, compiled, health, safety } = parts;
    this.showVersions();
    live.onNews((news) => {
      if (news.kind !== 'applied') return;
      compiled.replace(live.inForce);
      this.showVersions();
      // A refusal was about the mapping of before: the next batch finds out whether it still holds
      for (const object of news.changed) health.clear(`mapping:${object}`);
      void this.publishSchemas();
      // What the mapping of before did says nothing of this one: what is held back is tried with it
      if (news.changed.length > 0) safety.restart();
    });
  }

  start(): void {
    this.parts.status.start();
    this.parts.live.start();
    void this.publishSchemas();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.parts.live.close();
    await this.parts.status.close();
  }

  /** Early, so that fields have their types before the first value comes; each batch makes sure of the schema that it names. */
  private async publishSchemas(): Promise<void> {
    const { live, compiled, schemas, health } = this.parts;
    for (const object of live.inForce.keys()) {
      try {
        const mapping = await compiled.of(object);
        if (mapping !== null) await schemas.publish([mapping.schema]);
      } catch (error) {
        // A failure of the world: the first batch meets it too, waits, and says so
        if (!(error instanceof SyncError) && !this.isClosed) health.fail(error);
      }
    }
  }

  private showVersions(): void {
    const { metrics, live } = this.parts;
    metrics.mapperInfo.reset(); // a version that is no longer in force has no series
    for (const [object, version] of Object.entries(versionsOf(live.inForce)))
      metrics.mapperInfo.set({ object, version }, 1);
  }
}
