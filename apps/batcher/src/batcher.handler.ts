import { Controller, Inject, type BeforeApplicationShutdown } from '@nestjs/common';
import { topics, type RecordChange } from '@libs/contracts';
import { OnBatch, type Batch, type EventLogServer } from '@libs/event-log';
import { Windows } from './windows.js';

export const SERVER = Symbol('event-log server');

/** Changes in, windows out. At shutdown the open windows are closed early, so that nothing is read twice. */
@Controller()
export class BatcherHandler implements BeforeApplicationShutdown {
  constructor(
    private readonly windows: Windows,
    @Inject(SERVER) private readonly server: EventLogServer,
  ) {}

  @OnBatch(topics.changes, { commit: 'by-handler' })
  async take(batch: Batch<RecordChange>): Promise<void> {
    await this.windows.take(batch);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.server.stopReading();
    await this.windows.flushAll();
  }
}
