import { loadSettings } from '@libs/config';
import { sandboxSettings } from './sandbox.config.js';
import { serve } from './serve.js';

await serve(() => loadSettings('sandbox', sandboxSettings));
