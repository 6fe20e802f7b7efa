import type { ChangeStream, ChannelEvent, StreamEnd } from '@libs/salesforce';

/** A stream that its user may also give up, with a reason of its own. */
export class EndableStream implements ChangeStream {
  private given: StreamEnd | null = null;

  constructor(private readonly stream: ChangeStream) {}

  get end(): StreamEnd | null {
    return this.given ?? this.stream.end;
  }

  get worked(): boolean {
    return this.stream.worked;
  }

  next(max: number): Promise<readonly ChannelEvent[] | null> {
    return this.stream.next(max);
  }

  close(): Promise<void> {
    return this.stream.close();
  }

  /** What it received and nobody took is dropped: it comes again, or its stretch is known to be a hole. */
  giveUp(end: StreamEnd): void {
    this.given ??= end;
    void this.stream.close();
  }
}

/** A stream that ended before it began, for a supervision that is about to end. */
export const NO_STREAM: ChangeStream = {
  end: null,
  worked: false,
  next: async () => null,
  close: async () => undefined,
};
