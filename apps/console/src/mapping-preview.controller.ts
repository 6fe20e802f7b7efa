import { Body, Controller, Header, HttpCode, Inject, Post, UseGuards } from '@nestjs/common';
import type { ApiAnswers } from './api.routes.js';
import { previewRequest } from './core/preview-answers.js';
import { MAPPING_SOURCES, type MappingSources } from './mapping-sources.js';
import { previewRecords } from './preview-records.js';
import { TokenGuard } from './token.guard.js';

/** What a mapping does to records of the org, without a write. The answers hold personal data: for whoever has the token, and for no log. */
@Controller('api/mappings')
@UseGuards(TokenGuard)
export class MappingPreviewController {
  constructor(@Inject(MAPPING_SOURCES) private readonly sources: MappingSources) {}

  @Post('preview')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  async preview(@Body() body: unknown): Promise<ApiAnswers['previewMapping']> {
    return previewRecords(previewRequest.parse(body ?? {}), this.sources);
  }
}
