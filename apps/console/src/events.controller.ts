import { Controller, Get, Query, Res, UseGuards, type BeforeApplicationShutdown } from '@nestjs/common';
import type { Response } from 'express';
import { ConsoleModel } from './console.model.js';
import { eventsQuery } from './core/answers.js';
import { EventStream } from './event-stream.js';
import { TokenGuard } from './token.guard.js';

/** `GET /api/events`: server-sent events. */
@Controller('api/events')
@UseGuards(TokenGuard)
export class EventsController implements BeforeApplicationShutdown {
  private readonly streams = new Set<EventStream>();

  constructor(private readonly model: ConsoleModel) {}

  @Get()
  events(@Query() query: unknown, @Res() response: Response): void {
    const { types } = eventsQuery.parse(query);
    const stream = new EventStream(response, this.model, types);
    this.streams.add(stream);
    response.once('close', () => this.streams.delete(stream));
  }

  /** A server does not close while a stream is open. */
  beforeApplicationShutdown(): void {
    for (const stream of this.streams) stream.end();
  }
}
