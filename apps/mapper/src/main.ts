import { runService } from '@libs/service';
import { mapperService } from './mapper.module.js';

await runService(mapperService);
