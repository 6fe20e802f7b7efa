import { Controller } from '@nestjs/common';
import { topics, type RecordBatch } from '@libs/contracts';
import { OnBatch, type Batch } from '@libs/event-log';
import { Mapper } from './mapper.js';

/** Batches of ids in, users out. The lanes are read apart, so that a backfill never holds up a real-time batch. */
@Controller()
export class MapperHandler {
  constructor(private readonly mapper: Mapper) {}

  @OnBatch(topics.realtimeBatches)
  async realtime(batch: Batch<RecordBatch>): Promise<void> {
    await this.mapper.process(batch, 'realtime');
  }

  @OnBatch(topics.backfillBatches)
  async backfill(batch: Batch<RecordBatch>): Promise<void> {
    await this.mapper.process(batch, 'backfill');
  }
}
