import { Body, Controller, HttpCode, Inject, Post, UseGuards } from '@nestjs/common';
import { SyncError } from '@libs/contracts';
import { identifier, MAX_IDS_PER_QUERY } from '@libs/salesforce';
import type { ApiAnswers } from './api.routes.js';
import type { ConsoleSettings } from './console.config.js';
import { ConsoleModel } from './console.model.js';
import { costOf, isCostly, type Ceilings } from './core/mapping-plan.js';
import { mappingPlanRequest, type PlannedObject } from './core/plan-answers.js';
import { MAPPING_SOURCES, type MappingSources } from './mapping-sources.js';
import { TokenGuard } from './token.guard.js';

export const CEILINGS = Symbol('ceilings');

/** Ids that a backfill reads at a time. Source: facts/salesforce.md §4.1. */
const IDS_PER_PAGE = 2_000;

export function ceilingsOf(
  settings: Pick<ConsoleSettings, 'ITERABLE_USERS_PER_REQUEST' | 'ITERABLE_REQUESTS_PER_SECOND'>,
): Ceilings {
  return {
    usersPerRequest: settings.ITERABLE_USERS_PER_REQUEST,
    requestsPerSecond: settings.ITERABLE_REQUESTS_PER_SECOND,
    idsPerPage: IDS_PER_PAGE,
    recordsPerQuery: MAX_IDS_PER_QUERY,
  };
}

/** Which objects need a backfill after a change of their mapping, and what it costs. */
@Controller('api/mappings/plan')
@UseGuards(TokenGuard)
export class MappingPlanController {
  constructor(
    private readonly model: ConsoleModel,
    @Inject(MAPPING_SOURCES) private readonly sources: Pick<MappingSources, 'salesforce'>,
    @Inject(CEILINGS) private readonly ceilings: Ceilings,
  ) {}

  @Post()
  @HttpCode(200)
  async plan(@Body() body: unknown): Promise<ApiAnswers['planMappings']> {
    const { versions = null } = mappingPlanRequest.parse(body ?? {});
    const planned = this.model.planMappings(versions);
    const objects = await Promise.all(
      planned.map(async (one) => ({ ...one, ...(isCostly(one) && (await this.costOf(one.object))) })),
    );
    return { objects };
  }

  /** An org that cannot be asked is no reason to say nothing. */
  private async costOf(object: string): Promise<Pick<PlannedObject, 'cost' | 'costUnknown'>> {
    try {
      const { totalSize } = await this.sources.salesforce.query(`SELECT COUNT() FROM ${identifier(object)}`);
      return { cost: costOf(totalSize, this.ceilings) };
    } catch (error) {
      if (error instanceof SyncError) return { costUnknown: error.message };
      throw error;
    }
  }
}
