import { runService } from '@libs/service';
import { backfillService } from './backfill.module.js';

await runService(backfillService);
