import { randomUUID } from 'node:crypto';
import {
  All,
  Body,
  Controller,
  Get,
  Header,
  HttpCode,
  Inject,
  NotFoundException,
  Param,
  Post,
  Query,
  Req,
  UseGuards,
} from '@nestjs/common';
import { BACKFILL_TARGET, topics } from '@libs/contracts';
import type { EventLog } from '@libs/event-log';
import type { Request } from 'express';
import { ConsoleModel } from './console.model.js';
import { backfillRequest, flowQuery } from './core/answers.js';
import type { ApiAnswers } from './api.routes.js';
import { TokenGuard } from './token.guard.js';

export const LOG = Symbol('event log');

/** The console's HTTP API. Every route is described in ./api.routes.ts. */
@Controller('api')
@UseGuards(TokenGuard)
export class ApiController {
  constructor(
    private readonly model: ConsoleModel,
    @Inject(LOG) private readonly log: Pick<EventLog, 'append'>,
  ) {}

  @Get('health')
  @Header('cache-control', 'no-store')
  health(): ApiAnswers['health'] {
    return this.model.health();
  }

  @Get('flow')
  @Header('cache-control', 'no-store')
  flow(@Query() query: unknown): ApiAnswers['flow'] {
    return this.model.flow(flowQuery.parse(query).minutes);
  }

  @Get('backfills')
  @Header('cache-control', 'no-store')
  backfills(): ApiAnswers['listBackfills'] {
    return { backfills: this.model.backfills() };
  }

  /** The command is durable when this answers; whether it is accepted is told on the status topic. */
  @Post('backfills')
  @HttpCode(202)
  async startBackfill(@Body() body: unknown): Promise<ApiAnswers['startBackfill']> {
    const { id = randomUUID(), ...data } = backfillRequest.parse(body ?? {});
    const command = { id, type: 'backfill.start', data, by: 'console' };
    await this.log.append([{ topic: topics.commands, key: BACKFILL_TARGET, value: command }]);
    return { id };
  }

  @Get('backfills/:id')
  @Header('cache-control', 'no-store')
  backfill(@Param('id') id: string): ApiAnswers['getBackfill'] {
    const job = this.model.backfill(id);
    if (job === null) throw new NotFoundException(`No backfill ${id}. GET /api/backfills lists the known ones.`);
    return job;
  }

  @All('*path')
  unknown(@Req() { method, path }: Request): never {
    throw new NotFoundException(`No route ${method} ${path}. docs/reference/openapi.yaml lists every route.`);
  }
}
