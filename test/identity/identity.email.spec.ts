import { it } from 'vitest';
import { CASES, expectOneEnd, OPERATIONS } from './property.js';

it(
  `${CASES} cases of ${OPERATIONS} operations end the same in an email project, whatever the order`,
  { timeout: 600_000 },
  () => expectOneEnd('email'),
);
