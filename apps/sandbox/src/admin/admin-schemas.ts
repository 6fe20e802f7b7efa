import { z } from 'zod';
import { faultSystems } from '../faults.js';

const count = z.number().int().min(0).max(2_000_000).default(0);

/** `POST /seed`. */
export const seedRequest = z
  .strictObject({
    leads: count,
    contacts: count,
    accounts: count,
    seed: z.number().int().min(0).max(4_294_967_295).optional(),
  })
  .refine(
    (asked) => asked.leads + asked.contacts + asked.accounts > 0,
    'asks for no record: give leads, contacts or accounts',
  );
export type SeedRequest = z.infer<typeof seedRequest>;

/** `POST /clock`. A year is plenty. */
export const clockRequest = z.strictObject({
  advanceSeconds: z
    .number()
    .positive()
    .max(366 * 86_400),
});

/** `DELETE /faults?system=&kind=`. */
export const faultSelection = z.strictObject({ system: z.enum(faultSystems).optional(), kind: z.string().optional() });

const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true');

/** `GET /iterable/requests?…`. Reads are left out unless asked for: whoever looks would see himself. */
export const requestSelection = z.strictObject({
  after: z.coerce.number().int().min(0).optional(),
  since: z
    .union([z.coerce.number().int().min(0), z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))])
    .optional(),
  endpoint: z.string().min(1).optional(),
  email: z.string().min(1).optional(),
  userId: z.string().min(1).optional(),
  limit: z.coerce.number().int().min(1).max(100_000).optional(),
  reads: flag,
});
