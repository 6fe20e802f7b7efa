import { Controller, Inject, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { topics, type UserMessage } from '@libs/contracts';
import { OnBatch, type Batch, type EventLogServer } from '@libs/event-log';
import { Writer } from './writer.js';

export const SERVER = Symbol('event-log server');

/** Updates of both lanes in. At shutdown the requests on their way are finished and committed. */
@Controller()
export class IterableWriterHandler implements OnModuleInit, BeforeApplicationShutdown {
  constructor(
    private readonly writer: Writer,
    @Inject(SERVER) private readonly server: EventLogServer,
  ) {}

  onModuleInit(): void {
    this.writer.start();
  }

  @OnBatch(topics.realtimeUpdates, { commit: 'by-handler' })
  async takeRealtime(batch: Batch<UserMessage>): Promise<void> {
    await this.writer.take(batch, 'realtime');
  }

  @OnBatch(topics.backfillUpdates, { commit: 'by-handler' })
  async takeBackfill(batch: Batch<UserMessage>): Promise<void> {
    await this.writer.take(batch, 'backfill');
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.writer.stopTaking();
    await this.server.stopReading();
    await this.writer.finish();
  }
}
