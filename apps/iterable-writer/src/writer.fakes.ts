import { topics, type Topic } from '@libs/contracts';
import { LogUnavailableError, type Claim, type LogRecord, type Outgoing, type Position } from '@libs/event-log';
import type { HttpAnswer, IterableApi } from '@libs/iterable';

/** Iterable by hand: each call waits until the test answers it. */
export class FakeIterable implements Pick<IterableApi, 'bulkUpdateUsers' | 'getFields'> {
  readonly calls: Array<{
    readonly emails: readonly string[];
    readonly states: readonly unknown[];
    aborted: boolean;
    ok(): void;
    answer(status: number, body: object): void;
  }> = [];

  bulkUpdateUsers(body: string, signal?: AbortSignal): Promise<HttpAnswer> {
    const { users } = JSON.parse(body) as { users: Array<{ email: string; dataFields: { State?: unknown } }> };
    return new Promise((resolve, reject) => {
      const text = JSON.stringify({ successCount: users.length, failCount: 0 });
      const call = {
        emails: users.map(({ email }) => email.replace('@x.io', '')),
        states: users.map(({ dataFields }) => dataFields.State),
        aborted: false,
        ok: () => resolve({ status: 200, headers: {}, text, receivedAtMs: Date.now() }),
        answer: (status: number, answer: object) =>
          resolve({ status, headers: {}, text: JSON.stringify(answer), receivedAtMs: Date.now() }),
      };
      signal?.addEventListener('abort', () => {
        call.aborted = true;
        reject(signal.reason as Error);
      });
      this.calls.push(call);
    });
  }

  getFields(): Promise<HttpAnswer> {
    return Promise.resolve({ status: 200, headers: {}, text: '{"fields":{}}', receivedAtMs: Date.now() });
  }

  get sent(): string[] {
    return this.calls.map(({ emails }) => emails.join(' '));
  }
}

/** A log by hand: appends are kept, and can be made to fail; appending and the identities topic can be made to be slow. */
export class FakeLog {
  readonly appended: Outgoing[] = [];
  readonly commits: number[] = [];
  failures = 0;
  readGate: Promise<void> = Promise.resolve();
  appendGate: Promise<void> = Promise.resolve();

  async append(messages: readonly Outgoing[]): Promise<readonly Position[]> {
    if (this.failures > 0) {
      this.failures -= 1;
      throw new LogUnavailableError('down');
    }
    await this.appendGate;
    this.appended.push(...messages);
    return messages.map(({ topic }, index) => ({
      topic: topic.name,
      partition: 0,
      offset: this.appended.length - messages.length + index,
    }));
  }

  /** Readers of the commands. */
  private readonly followers: Array<(command: object) => void> = [];

  async *read(
    topic: Topic,
    { untilEnd = false, signal }: { untilEnd?: boolean; signal?: AbortSignal },
  ): AsyncGenerator<LogRecord[]> {
    if (untilEnd) await this.readGate;
    else if (topic.name === topics.commands.name) {
      const given = await new Promise<object | null>((resolve) => {
        this.followers.push(resolve);
        signal?.addEventListener('abort', () => resolve(null));
      });
      if (given !== null) yield [{ partition: 0, offset: 0, value: JSON.stringify(given) } as LogRecord];
    } else await new Promise((resolve) => signal?.addEventListener('abort', resolve));
    yield [];
  }

  command(command: object): void {
    for (const follow of this.followers) follow(command);
  }

  offsets() {
    return Promise.resolve([]);
  }

  outcomes(): string[] {
    return this.appended.flatMap(({ topic, value }) =>
      topic.name === topics.outcomes.name ? [(value as { kind: string }).kind] : [],
    );
  }
}

export interface FakeClaim extends Claim {
  lose(): void;
  heartbeatMs: number;
}
