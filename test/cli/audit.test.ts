/** Who ran which command: in the file that is configured, and nowhere else. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { AUDITED, auditOf, operator } from '../../src/cli/audit.ts';
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

/** They read no personal data for anybody, and write nothing of others; the codec server has lines of its own. */
const NOT_AUDITED = ['demo', 'dev', 'bridge', 'worker', 'codec-server', 'cost', 'doctor', 'completion'];

test('every command is audited, or one of those that need not be', async () => {
  const loaded = await Promise.all(COMMANDS.map(async ({ name, load }) => ({ name, command: await load() })));
  const all = loaded.flatMap(({ name, command }) => [
    name,
    ...command.commands.map((below) => `${name} ${below.name()}`),
  ]);
  assert.deepEqual([...AUDITED.keys(), ...NOT_AUDITED].sort(), all.sort());
});

test('each decoding of the codec server is a line, whatever the level of the log; without one nothing is decoded', (t) => {
  const file = join(folder(t), 'audit.ndjson');
  auditOf('codec-server', { ENRICHMENT_AUDIT_FILE: file })!({ event: 'decode', namespace: 'payments', payloads: 2 });
  const [line] = linesOf(file);
  assert.deepEqual(
    [line!['service'], line!['event'], line!['namespace'], line!['payloads'], line!['pid']],
    ['codec-server', 'decode', 'payments', 2, process.pid],
  );
  assert.equal(auditOf('codec-server', {}), undefined);
  assert.throws(() => auditOf('codec-server', { ENRICHMENT_AUDIT_FILE: '/dev/null/audit' })!({}), /cannot be written/);
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

test('who it is says the variable where the account does not, as in a container', async (t) => {
  const file = join(folder(t), 'audit.ndjson');
  const out = join(folder(t), 'events.ndjson');
  const generate = ['generate', '--users', '1', '--events', '1', '--out', out];
  const env = { ENRICHMENT_AUDIT_FILE: file, ENRICHMENT_OPERATOR: 'ana@example.com' };
  assert.equal((await program(generate, env)).code, 0);
  const [begin] = linesOf(file);
  assert.deepEqual([begin!['who'], begin!['account']], ['ana@example.com', userInfo().username]);
  assert.equal(operator(env), 'ana@example.com');
  assert.equal(operator({}), userInfo().username);
  const { code, stderr } = await program(generate, { ...env, ENRICHMENT_OPERATOR: 'a\nb' });
  assert.equal(code, 2);
  assert.match(stderr, /ENRICHMENT_OPERATOR.*expected a name/);
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
