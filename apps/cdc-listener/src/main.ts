import { runService } from '@libs/service';
import { cdcListenerService } from './cdc-listener.module.js';

await runService(cdcListenerService);
