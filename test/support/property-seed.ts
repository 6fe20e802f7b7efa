import * as fc from 'fast-check';

/**
 * The cases of every property are the same in each run, so that what fails is somebody's change. Others are looked for by
 * `PROPERTY_SEED=<number>`: what they find is a defect to be mended, with the seed in the message.
 */
const DEFAULT_SEED = 20_261_124;

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env['PROPERTY_SEED'] ?? DEFAULT_SEED) });
