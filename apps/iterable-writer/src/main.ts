import { runService } from '@libs/service';
import { iterableWriterService } from './iterable-writer.module.js';

await runService(iterableWriterService);
