/** `npm run tour`: the walk of one money record through the code. `-- --write`: into docs/tour.md, too. */
import { readFileSync, writeFileSync } from 'node:fs';
import { TOUR_PAGE, tour, tourText, withTour } from './tour.ts';

const text = tourText(await tour());
console.log(text);
if (process.argv.includes('--write')) writeFileSync(TOUR_PAGE, withTour(readFileSync(TOUR_PAGE, 'utf8'), text));
