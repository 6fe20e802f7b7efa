import { runService } from '@libs/service';
import { batcherService } from './batcher.module.js';

await runService(batcherService);
