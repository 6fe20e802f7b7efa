import type { Health, Metrics } from '@libs/observability';
import { versionsOf, type LiveMappings } from '@libs/service';
import type { CompiledMappings } from './compiled-mappings.js';
import type { MappingStatus } from './mapping-status.js';

export interface LifecycleParts {
  readonly live: LiveMappings;
  readonly compiled: CompiledMappings;
  readonly status: MappingStatus;
  readonly metrics: Pick<Metrics, 'mapperInfo'>;
  readonly health: Pick<Health, 'clear'>;
}

/** Hands each new set of mappings on to what works by it, in the step in which it comes into force. */
export class MappingLifecycle {
  constructor(private readonly parts: LifecycleParts) {
    const { live, compiled, health } = parts;
    this.showVersions();
    live.onNews((news) => {
      if (news.kind !== 'applied') return;
      compiled.replace(live.inForce);
      this.showVersions();
      // A refusal was about the mapping of before: the next batch finds out whether it still holds
      for (const object of news.changed) health.clear(`mapping:${object}`);
    });
  }

  start(): void {
    this.parts.status.start();
    this.parts.live.start();
  }

  async close(): Promise<void> {
    await this.parts.live.close();
    await this.parts.status.close();
  }

  private showVersions(): void {
    const { metrics, live } = this.parts;
    metrics.mapperInfo.reset(); // a version that is no longer in force has no series
    for (const [object, version] of Object.entries(versionsOf(live.inForce)))
      metrics.mapperInfo.set({ object, version }, 1);
  }
}
