/**
 * The program that the processes of end-to-end tests run: the package that `scripts/test.js` has built once for all of them
 * (TEST_PRODUCT), else this checkout, which compiles itself and bundles its workflows at each start.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Has `bin/` and what belongs to it. */
export const PRODUCT = process.env['TEST_PRODUCT'] || fileURLToPath(new URL('../..', import.meta.url));
export const PROGRAM = join(PRODUCT, 'bin', 'money-enrichment.js');
