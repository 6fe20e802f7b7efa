import { randomUUID } from 'node:crypto';
import { Body, Controller, Get, Header, HttpCode, Inject, Post, Query, UseGuards } from '@nestjs/common';
import { DEAD_LETTERS_TARGET, topics, type Command } from '@libs/contracts';
import type { EventLog } from '@libs/event-log';
import { LOG } from './api.controller.js';
import type { ApiAnswers } from './api.routes.js';
import { ConsoleModel } from './console.model.js';
import { continueRequest, deadLettersQuery, redriveRequest } from './core/answers.js';
import { toSelection } from './core/dead-letters.js';
import { TokenGuard } from './token.guard.js';

/** What could not be processed, and the commands about it. */
@Controller('api/dead-letters')
@UseGuards(TokenGuard)
export class DeadLettersController {
  constructor(
    private readonly model: ConsoleModel,
    @Inject(LOG) private readonly log: Pick<EventLog, 'append'>,
  ) {}

  @Get()
  @Header('cache-control', 'no-store')
  list(@Query() query: unknown): ApiAnswers['listDeadLetters'] {
    const { limit, ...asked } = deadLettersQuery.parse(query);
    return this.model.deadLetterGroups(toSelection(asked), limit);
  }

  /** The command is durable when this answers; whether it is accepted is told on the status topic. */
  @Post('redrive')
  @HttpCode(202)
  async redrive(@Body() body: unknown): Promise<ApiAnswers['redriveDeadLetters']> {
    const { id = randomUUID(), ...data } = redriveRequest.parse(body ?? {});
    const { codes: code, objects: object, ids, from, to } = data;
    const { total, records, complete } = this.model.deadLetterGroups(toSelection({ code, object, id: ids, from, to }));
    await this.send({ id, type: 'dead-letters.redrive', data });
    return { id, matching: { letters: total, records, complete } };
  }

  /** Whoever is stopped takes the command from the topic. */
  @Post('continue')
  @HttpCode(202)
  async continue(@Body() body: unknown): Promise<ApiAnswers['continueAfterStop']> {
    const { id = randomUUID(), minutes } = continueRequest.parse(body ?? {});
    await this.send({ id, type: 'dead-letters.continue', data: { minutes } });
    return { id, minutes };
  }

  private async send(command: Command): Promise<void> {
    await this.log.append([{ topic: topics.commands, key: DEAD_LETTERS_TARGET, value: { ...command, by: 'console' } }]);
  }
}
