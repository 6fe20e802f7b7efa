import { Controller, Get, Header, UseGuards } from '@nestjs/common';
import type { ApiAnswers } from '../api.routes.js';
import { ConsoleModel } from '../console.model.js';
import { TokenGuard } from '../token.guard.js';

/** What became of every change. Described in ../api.routes.ts. */
@Controller('api')
@UseGuards(TokenGuard)
export class AccountingController {
  constructor(private readonly model: ConsoleModel) {}

  @Get('accounting')
  @Header('cache-control', 'no-store')
  accounting(): ApiAnswers['accounting'] {
    return this.model.accounting();
  }
}
