import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { CodedError } from '../../../src/engine/errors.ts';
import { EnvironmentReader } from '../../../src/engine/process/environment-reader.ts';
import { SecretFile } from '../../../src/engine/process/secret-file.ts';
import { CERTIFICATE, KEY } from '../../support/pem.ts';

function fileWith(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'money-enrichment-secret-file-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'secret');
  writeFileSync(path, text);
  return path;
}

function problemOf(env: NodeJS.ProcessEnv, ask: (read: EnvironmentReader) => unknown): string {
  const read = new EnvironmentReader(env);
  ask(read);
  try {
    read.throwProblems();
    return '';
  } catch (error) {
    assert.ok(error instanceof CodedError && error.code === 'CONFIG');
    return error.message;
  }
}

test('a secret comes from its variable or from its file, without the line ends at the end', (t) => {
  const path = fileWith(t, ' hunter2 \r\n\n');
  assert.equal(new EnvironmentReader({ X_TOKEN: 'hunter1' }).secret('X_TOKEN', 1), 'hunter1');
  assert.equal(new EnvironmentReader({ X_TOKEN_FILE: path }).secret('X_TOKEN', 1), ' hunter2 ');
  const read = new EnvironmentReader({ X_TOKEN_FILE: path });
  assert.equal(read.isSet('X_TOKEN'), true);
  assert.deepEqual(read.notAsked('X_'), []);
  read.throwProblems();
});

test('what is wrong with a file is said, and nothing of what is in it', (t) => {
  const path = fileWith(t, 'hunter2');
  const secret = (read: EnvironmentReader) => read.freshSecret('X_TOKEN');
  assert.equal(
    problemOf({ X_TOKEN: 'a', X_TOKEN_FILE: path }, secret),
    'X_TOKEN and X_TOKEN_FILE are both set: expected one of them',
  );
  assert.equal(
    problemOf({ X_TOKEN_FILE: '/nonexistent/token' }, secret),
    'X_TOKEN_FILE="/nonexistent/token": expected the path of a file with the secret (ENOENT: no such file or directory)',
  );
  assert.equal(
    problemOf({ X_TOKEN_FILE: fileWith(t, '\n') }, secret).replace(/"[^"]*"/, '"…"'),
    'X_TOKEN_FILE="…": expected the path of a file with the secret (it is empty)',
  );
  assert.match(
    problemOf({ X_TOKEN_FILE: path }, (read) => read.secret('X_TOKEN', 32)),
    /^X_TOKEN_FILE="[^"]*": .*\(it has 7 characters, expected a secret of at least 32 characters, /,
  );
  assert.match(
    problemOf({ X_KEY_FILE: path }, (read) => read.pem('X_KEY', { secret: true })),
    /^X_KEY_FILE="[^"]*": expected the path of a PEM file \(the file is not PEM\)$/,
  );
  assert.equal(
    problemOf({ X_KEY: KEY, X_KEY_FILE: path }, (read) => read.pem('X_KEY', { secret: true })),
    'X_KEY and X_KEY_FILE are both set: expected one of them',
  );
});

test('a file that changes is read again, and one that becomes unusable keeps what it had and says so', (t) => {
  const path = fileWith(t, 'first');
  let now = 0;
  const file = new SecretFile({
    variable: 'X_TOKEN_FILE',
    path,
    elapsed: () => now,
    check: (text) => (text.length < 5 ? 'it is too short' : undefined),
  });
  assert.equal(file.current(), 'first');
  writeFileSync(path, 'second\n');
  now = 999;
  assert.equal(file.current(), 'first', 'once a second is enough');
  now = 1_000;
  assert.equal(file.current(), 'second');
  assert.equal(file.problem, undefined);
  writeFileSync(path, 'no');
  now = 2_000;
  assert.equal(file.current(), 'second');
  assert.equal(file.problem, 'it is too short');
  rmSync(path);
  now = 3_000;
  assert.equal(file.current(), 'second');
  assert.equal(file.problem, 'ENOENT: no such file or directory');
  writeFileSync(path, 'third');
  now = 4_000;
  assert.equal(file.problem, undefined);
  assert.equal(file.current(), 'third');
});

test('PEM of a path or of a file is read again, PEM text stays', (t) => {
  const path = fileWith(t, CERTIFICATE);
  assert.equal(typeof new EnvironmentReader({ X_CA: CERTIFICATE }).pem('X_CA'), 'string');
  const read = new EnvironmentReader({ X_CA: path, X_KEY_FILE: fileWith(t, KEY) });
  assert.equal(typeof read.pem('X_CA'), 'function');
  assert.equal(typeof read.pem('X_KEY', { secret: true }), 'function');
  assert.deepEqual(
    read.files.map(({ variable }) => variable),
    ['X_CA', 'X_KEY_FILE'],
  );
});
