import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { topics } from '@libs/contracts';
import type { ServiceParts } from '@libs/service';
import { Accountant } from './accounting/accountant.js';
import { ConsoleModel } from './console.model.js';
import { MAX_KEPT } from './core/dead-letters.js';
import { pollHealth, type HealthSource } from './health-poller.js';
import { commitsOf, pollPositions } from './position-poller.js';
import { followTopic, type LogWatch, type TopicListener } from './topic-reader.js';

export const READER_PARTS = Symbol('reader parts');
export type ReaderParts = Pick<ServiceParts, 'log' | 'health' | 'logger' | 'metrics'> & {
  readonly healthSource: HealthSource;
};

/** How far back the console reads at its start: enough for the last hour of a busy sync, little enough to be read in seconds. Messages. */
const OUTCOMES_LOOKBACK = 200_000;
const STATUS_LOOKBACK = 20_000;
const COMMANDS_LOOKBACK = 1_000;

/** Keeps the model in step with the log and the other services, from start to stop. */
@Injectable()
export class ConsoleReader implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopping = new AbortController();
  private running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly model: ConsoleModel,
    @Inject(READER_PARTS) private readonly parts: ReaderParts,
  ) {}

  onApplicationBootstrap(): void {
    const { log, health, healthSource } = this.parts;
    const { signal } = this.stopping;
    const { model } = this;
    const watch: LogWatch = (reachable, detail) => {
      health.set('log', reachable, detail);
      model.log(reachable, detail);
    };
    const follow = <T>(listener: TopicListener<T>) => followTopic(log, listener, watch, signal);
    const all = [
      follow({
        topic: topics.outcomes,
        lookback: OUTCOMES_LOOKBACK,
        onStart: async ({ cut, expired }) => {
          if (cut || expired) model.outcomesCut(await commitsOf(log, 'batcher', topics.changes));
        },
        onFirstOfCut: (timeMs) => model.outcomesCompleteFrom(timeMs),
        onMessages: (messages) => model.outcomes(messages.map(({ value }) => value)),
      }),
      follow({
        topic: topics.status,
        lookback: STATUS_LOOKBACK,
        onStart: ({ cut, expired }) => {
          if (cut || expired) model.statusCut();
        },
        onMessages: (messages) => messages.forEach(({ value }) => model.status(value)),
      }),
      follow({
        topic: topics.commands,
        lookback: COMMANDS_LOOKBACK,
        onMessages: (messages) => messages.forEach(({ value, timestampMs }) => model.command(value, timestampMs)),
      }),
      follow({
        topic: topics.deadLetters,
        lookback: MAX_KEPT,
        onStart: ({ cut }) => {
          if (cut) model.deadLettersCut();
        },
        onMessages: (messages) => model.deadLetters(messages.map(({ value }) => value)),
      }),
      pollPositions(log, (sample) => model.sample(sample), watch, signal),
      new Accountant(this.parts, (account) => model.account(account)).run(watch, signal),
      pollHealth(healthSource, (services) => model.services(services), signal),
    ];
    for (const one of all) {
      one.catch((error: unknown) => health.fail(error));
    }
    this.running = Promise.allSettled(all);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }
}
