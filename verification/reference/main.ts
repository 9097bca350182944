/** `npm run reference`: docs/reference.md, out of the code. `-- --write`: into the page. */
import { writeFileSync } from 'node:fs';
import { REFERENCE_PAGE, referenceText } from './reference.ts';

const text = await referenceText();
if (process.argv.includes('--write')) writeFileSync(REFERENCE_PAGE, text);
else process.stdout.write(text);
