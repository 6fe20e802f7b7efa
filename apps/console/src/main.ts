import { runService } from '@libs/service';
import { consoleService } from './console.module.js';

await runService(consoleService);
