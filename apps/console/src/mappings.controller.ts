import { randomUUID } from 'node:crypto';
import { Body, Controller, Get, Header, HttpCode, Inject, Post, UseGuards } from '@nestjs/common';
import { MAPPING_TARGET, topics } from '@libs/contracts';
import type { EventLog } from '@libs/event-log';
import type { MappingFile } from '@libs/mapping';
import { LOG } from './api.controller.js';
import type { ApiAnswers } from './api.routes.js';
import { ConsoleModel } from './console.model.js';
import { listMappings } from './core/mapping-list.js';
import { MAPPING_SOURCES, NotConfiguredError, type MappingSources } from './mapping-sources.js';
import { reloadRequest, type MappingAnswer } from './core/answers.js';
import { TokenGuard } from './token.guard.js';

/** Longest wait for the mapper's answer: less than the CLI waits for ours. Milliseconds. */
const ANSWER_MS = 10_000;

/** The mappings in force, and the command that has their files looked at now. */
@Controller('api/mappings')
@UseGuards(TokenGuard)
export class MappingsController {
  constructor(
    private readonly model: ConsoleModel,
    @Inject(LOG) private readonly log: Pick<EventLog, 'append'>,
    @Inject(MAPPING_SOURCES) private readonly sources: Pick<MappingSources, 'files'>,
  ) {}

  @Get()
  @Header('cache-control', 'no-store')
  mappings(): ApiAnswers['mappings'] {
    return listMappings(this.model.mappings(), this.files(), this.model.planMappings(null));
  }

  /** A console may be without the files: it knows less then. */
  private files(): readonly MappingFile[] {
    try {
      return this.sources.files();
    } catch (error) {
      if (error instanceof NotConfiguredError) return [];
      throw error;
    }
  }

  @Post('reload')
  @HttpCode(200)
  async reload(@Body() body: unknown): Promise<ApiAnswers['reloadMappings']> {
    const { id = randomUUID() } = reloadRequest.parse(body ?? {});
    const command = { id, type: 'mapping.reload', data: {}, by: 'console' };
    await this.log.append([{ topic: topics.commands, key: MAPPING_TARGET, value: command }]);
    return (await this.answerTo(id)) ?? { id, state: 'sent' };
  }

  /** The answer of now, or of before: an id is answered once. `null`: none within the wait. */
  private answerTo(id: string): Promise<MappingAnswer | null> {
    return new Promise((resolve) => {
      const end = (answer: MappingAnswer | null) => {
        clearTimeout(timer);
        unsubscribe();
        resolve(answer);
      };
      const look = () => {
        const answer = this.model.mappingAnswer(id);
        if (answer !== null) end(answer);
      };
      const timer = setTimeout(() => end(null), ANSWER_MS);
      const unsubscribe = this.model.subscribe({ onStatus: look, onOutcomes: () => undefined });
      look();
    });
  }
}
