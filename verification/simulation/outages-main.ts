/** `npm run simulate:outages -- [--days N]`: each outage for so many days of simulated time; prints what grew. Exits with 1 if one is not exact. */
import { OUTAGES, runOutage } from './outages.ts';
import { commandLine } from '../../test/support/command-line.ts';

const USAGE = 'npm run simulate:outages -- [--days N]';
const { values } = commandLine(USAGE, { options: { days: { type: 'string', default: '7' } } });
for (const outage of OUTAGES) {
  const began = performance.now();
  const { half, end, recovery, problems } = await runOutage(outage, Number(values.days) * 86_400_000);
  console.log(
    `${outage}, ${values.days} days: longest history ${half.events} events at the half, ${end.events} at the end; largest ${half.bytes} and ${end.bytes} bytes; ` +
      `all out ${Math.round(recovery / 1_000)} s after its end; ${end.steps} steps, ${Math.round((performance.now() - began) / 1_000)} s`,
  );
  for (const problem of problems.slice(0, 20)) console.log(`  ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
}
