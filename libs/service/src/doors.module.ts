import { Controller, Get, Header, HttpStatus, Inject, Module, Res, type DynamicModule } from '@nestjs/common';
import type { Health, HealthCheck, Metrics } from '@libs/observability';
import type { Response } from 'express';

const DOORS = Symbol('doors');

interface Doors {
  readonly name: string;
  readonly health: Health;
  readonly metrics: Metrics;
}

/** `/metrics`, `/health/live`, `/health/ready`: as Prometheus and Kubernetes ask for them. */
@Controller()
class DoorsController {
  constructor(@Inject(DOORS) private readonly doors: Doors) {}

  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  async metrics(): Promise<string> {
    const { name, health, metrics } = this.doors;
    metrics.ready.set({ app: name }, health.ready ? 1 : 0);
    return metrics.registry.metrics();
  }

  @Get('health/live')
  live(@Res() response: Response): void {
    this.answer(response, this.doors.health.live);
  }

  @Get('health/ready')
  ready(@Res() response: Response): void {
    this.answer(response, this.doors.health.ready);
  }

  private answer(response: Response, ok: boolean): void {
    const checks: readonly HealthCheck[] = this.doors.health.report().checks;
    response
      .status(ok ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE)
      .json({ app: this.doors.name, status: ok ? 'ok' : 'unavailable', checks });
  }
}

/** A service's module with the HTTP doors beside it. */
@Module({})
export class DoorsModule {
  static around(name: string, service: DynamicModule, parts: Omit<Doors, 'name'>): DynamicModule {
    return {
      module: DoorsModule,
      imports: [service],
      controllers: [DoorsController],
      providers: [{ provide: DOORS, useValue: { name, health: parts.health, metrics: parts.metrics } satisfies Doors }],
    };
  }
}
