import {
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
  UseGuards,
} from '@nestjs/common';
import { suggest } from '@libs/mapping';
import { SalesforceQueryError } from '@libs/salesforce';
import type { ApiAnswers } from './api.routes.js';
import { checkMappingFiles } from './check-mapping-files.js';
import { checkStructure } from './core/check-structure.js';
import { listFields, type ListedShape } from './core/list-fields.js';
import { checkRequest, fieldsQuery } from './core/mapping-answers.js';
import { MAPPING_SOURCES, type MappingSources } from './mapping-sources.js';
import { TokenGuard } from './token.guard.js';

/** API name of an object: what may stand in a describe. */
const OBJECT = /^[A-Za-z][A-Za-z0-9_]{0,79}$/;

/** What is known of mappings before they ship: mistakes, and what can be mapped. Asks the org and the project; reads only. */
@Controller('api/mappings')
@UseGuards(TokenGuard)
export class MappingCheckController {
  constructor(@Inject(MAPPING_SOURCES) private readonly sources: MappingSources) {}

  @Post('check')
  @HttpCode(200)
  async check(@Body() body: unknown): Promise<ApiAnswers['checkMappings']> {
    const { files = this.sources.files() } = checkRequest.parse(body ?? {});
    return checkMappingFiles(files, this.sources);
  }

  @Get('fields/:object')
  @Header('cache-control', 'no-store')
  async fields(@Param('object') object: string, @Query() query: unknown): Promise<ApiAnswers['mappableFields']> {
    const { depth } = fieldsQuery.parse(query);
    // Broken files tell nothing; the check says what is wrong with them.
    const mapping = checkStructure(this.sources.files(), this.sources.directory).mappings.get(object);
    const shapes = new Map<string, ListedShape>([[object, await this.shapeOf(object)]]);
    for (;;) {
      const listed = listFields(object, depth, shapes, mapping);
      if (!('missing' in listed)) return listed;
      const described = await Promise.all(listed.missing.map((name) => this.parentOf(name)));
      for (const shape of described) shapes.set(shape.name, shape);
    }
  }

  private async shapeOf(object: string): Promise<ListedShape> {
    try {
      if (OBJECT.test(object)) return await this.sources.salesforce.describe(object);
    } catch (error) {
      if (!(error instanceof SalesforceQueryError)) throw error;
    }
    const meant = suggest(object, await this.sources.salesforce.listObjects());
    throw new NotFoundException(
      `The org shows no object ${object} to the integration user${meant === undefined ? '' : `; did you mean "${meant}"?`}`,
    );
  }

  /** A parent that the user may not see has no fields for us. */
  private async parentOf(name: string): Promise<ListedShape> {
    try {
      return await this.sources.salesforce.describe(name);
    } catch (error) {
      if (error instanceof SalesforceQueryError) return { name, label: name, fields: [] };
      throw error;
    }
  }
}
