/** Who ran which command: in the file that is configured, and nowhere else. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { AUDITED } from '../../src/cli/audit.ts';
import { COMMANDS } from '../../src/cli/commands.ts';
import { program } from './program.ts';

const USER = '0A7F5C36-6d0c-4f6e-9a52-0f8f1d3b2c11';

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'audit-'));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
}

const linesOf = (file: string): Record<string, unknown>[] =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test('every audited command is there, by its first word', () => {
  const names = COMMANDS.map(({ name }) => name);
  for (const words of AUDITED.keys()) assert.ok(names.includes(words.split(' ')[0]!), words);
});

test('a line before the command and one after it, with who, what and how it ended; the file is for its owner', async (t) => {
  const file = join(folder(t), 'audit.ndjson');
  const out = join(folder(t), 'events.ndjson');
  const { code, stderr } = await program(['generate', '--users', '1', '--events', '1', '--out', out], {
    ENRICHMENT_AUDIT_FILE: file,
  });
  assert.equal(code, 0, stderr);
  const [begin, end] = linesOf(file);
  assert.deepEqual(
    [begin!['event'], begin!['who'], begin!['command'], begin!['does'], begin!['appId']],
    ['begin', userInfo().username, 'generate', 'writes', 'money-enrichment'],
  );
  assert.deepEqual(begin!['what'], { users: 1, events: 1, out });
  assert.match(String(begin!['at']), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual([end!['audit'], end!['event'], end!['exitCode']], [begin!['audit'], 'end', 0]);
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('a user is named as the workflow is, also by a hash; a failure is told', async (t) => {
  const file = join(folder(t), 'audit.ndjson');
  const run = (env: NodeJS.ProcessEnv = {}): ReturnType<typeof program> =>
    program(['state', USER], { ENRICHMENT_AUDIT_FILE: file, ...env });
  assert.equal((await run()).code, 2);
  await run({ ENRICHMENT_USER_ID_HASH_KEY: 'k'.repeat(32) });
  const [plain, ended, hashed] = linesOf(file);
  assert.deepEqual(plain!['what'], { userId: `money-enrichment/${USER.toLowerCase()}` });
  assert.equal(ended!['exitCode'], 2);
  const { userId } = hashed!['what'] as { readonly userId: string };
  assert.match(userId, /^money-enrichment\/[0-9a-f]{64}$/);
});

test('without the variable nothing is written; where it cannot be, the command does not run', async (t) => {
  const out = join(folder(t), 'events.ndjson');
  const { code, stderr } = await program(['generate', '--users', '1', '--events', '1', '--out', out], {
    ENRICHMENT_AUDIT_FILE: '/dev/null/audit',
  });
  assert.equal(code, 2);
  assert.match(stderr, /^money-enrichment: ENRICHMENT_AUDIT_FILE="\/dev\/null\/audit": cannot be written/);
  assert.throws(() => statSync(out), /ENOENT/);
});

test('what only checks is not audited', async (t) => {
  const file = join(folder(t), 'audit.ndjson');
  await program(['cost', '--users', '10', '--events-per-second', '1'], { ENRICHMENT_AUDIT_FILE: file });
  assert.throws(() => statSync(file), /ENOENT/);
});
