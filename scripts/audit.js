/**
 * Asks the registry for known vulnerabilities of what is installed (`npm audit`). Fails for those of level high or critical.
 * A registry that does not answer such questions, as many mirrors do not, is no failure: it says so, and that nothing was audited.
 * With `--must-answer`, for a release, it is one. Other arguments are those of `npm audit`.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const FAILING = ['high', 'critical'];

const MUST_ANSWER = '--must-answer';
const given = process.argv.slice(2);

const { stdout, error } = spawnSync('npm', ['audit', '--json', ...given.filter((one) => one !== MUST_ANSWER)], {
  cwd: fileURLToPath(new URL('..', import.meta.url)),
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
});
const report = parse(stdout);
const counts = report?.metadata?.vulnerabilities;
if (counts === undefined) {
  const why = error?.message ?? report?.error?.code ?? report?.statusCode ?? 'no report';
  console.log(`NOT AUDITED: the registry gives no audit report (${why}). Run "npm run audit" where it does.`);
  process.exit(given.includes(MUST_ANSWER) ? 1 : 0);
}
for (const { name, severity, range, via } of Object.values(report.vulnerabilities ?? {})) {
  const titles = via.map((one) => (typeof one === 'string' ? `through ${one}` : `${one.title} ${one.url}`));
  console.log(`${severity}  ${name} ${range}: ${titles.join('; ')}`);
}
const failing = FAILING.reduce((sum, level) => sum + (counts[level] ?? 0), 0);
console.log(`audited: ${counts.total} vulnerabilities, ${failing} of them high or critical`);
process.exit(failing === 0 ? 0 : 1);

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
