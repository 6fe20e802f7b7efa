import { Controller, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { topics, type Command, type RecordBatch } from '@libs/contracts';
import { OnBatch, type Batch } from '@libs/event-log';
import { SafetyStop } from '@libs/service';
import { LaneGate } from './lane-gate.js';
import { MappingCommands } from './mapping-commands.js';
import { MappingLifecycle } from './mapping-lifecycle.js';
import { Mapper } from './mapper.js';

/** Batches of ids in, users out. The lanes are read apart, so that a backfill never holds up a real-time batch. */
@Controller()
export class MapperHandler implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    private readonly mapper: Mapper,
    private readonly commands: MappingCommands,
    private readonly mappings: MappingLifecycle,
    private readonly safety: SafetyStop,
    private readonly gate: LaneGate,
  ) {}

  onApplicationBootstrap(): void {
    this.safety.start();
    this.mappings.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.gate.close(); // a batch that waits behind the safety stop would wait for ever
    await Promise.all([this.safety.close(), this.mappings.close()]);
  }

  @OnBatch(topics.realtimeBatches)
  async realtime(batch: Batch<RecordBatch>): Promise<void> {
    await this.mapper.process(batch, 'realtime');
  }

  @OnBatch(topics.backfillBatches)
  async backfill(batch: Batch<RecordBatch>): Promise<void> {
    await this.mapper.process(batch, 'backfill');
  }

  @OnBatch(topics.commands)
  async onCommands(batch: Batch<Command>): Promise<void> {
    for (const { value } of batch.records) await this.commands.take(value, batch.claim);
  }
}
