import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { createLogger } from '../../../src/engine/log.ts';
import { openKeyring } from '../../../src/engine/temporal/keyring.ts';

const A = Buffer.alloc(32, 1).toString('base64');
const B = Buffer.alloc(32, 2).toString('base64');

function given(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'keyring-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'keys.json');
  const lines: string[] = [];
  let now = 0;
  const write = (content: unknown): void => {
    writeFileSync(`${file}.new`, typeof content === 'string' ? content : JSON.stringify(content));
    renameSync(`${file}.new`, file);
  };
  return {
    file,
    write,
    lines,
    pass: (ms: number) => (now += ms),
    open: () =>
      openKeyring({
        file,
        setting: 'KEYS_FILE',
        clock: { elapsed: () => now },
        logger: createLogger({ destination: { write: (line) => lines.push(line) } }),
      }),
  };
}

describe('a keyring file', () => {
  it('has a current key, and others', async (t) => {
    const { write, open } = given(t);
    write({ current: 'b', keys: { a: A, b: B } });
    const keyring = open();
    assert.equal((await keyring.current()).id, 'b');
    assert.deepEqual((await keyring.current()).key.export(), Buffer.alloc(32, 2));
    assert.deepEqual((await keyring.byId('a'))!.key.export(), Buffer.alloc(32, 1));
    assert.equal(await keyring.byId('c'), undefined);
    assert.equal(await keyring.byId('__proto__'), undefined);
    assert.equal(keyring.problem, null);
  });

  it('is refused with the place and without a key in the message', (t) => {
    const { write, open, file } = given(t);
    assert.throws(open, { code: 'CONFIG', message: new RegExp(`^KEYS_FILE="${file}": cannot be read \\(ENOENT`) });
    const refused: [unknown, RegExp][] = [
      ['', /expected JSON/],
      [`{"current":"${A}`, /expected JSON/],
      [[], /expected an object/],
      [{ current: 'a' }, /expected an object/],
      [{ current: 'a', keys: [A] }, /expected an object/],
      [{ current: 'b', keys: { a: A } }, /"current" is "b": expected the id of one of its keys/],
      [{ current: 'a', keys: { a: A.slice(0, 40) } }, /the key "a": expected 32 bytes in base64/],
      [{ current: 'a', keys: { a: `${A.slice(0, -1)}*` } }, /the key "a": expected 32 bytes/],
      [{ current: 'a', keys: { a: 7 } }, /the key "a": expected 32 bytes/],
      [{ current: 'a', keys: { a: A, 'b\n': B } }, /the key id "b\\u000a"/],
    ];
    for (const [content, expected] of refused) {
      write(content);
      assert.throws(open, (error: Error & { code?: string }) => {
        assert.equal(error.code, 'CONFIG');
        assert.match(error.message, expected);
        assert.ok(!error.message.includes(A.slice(0, 20)), error.message);
        return true;
      });
    }
  });

  it('is read again when it has changed, once a second at most', async (t) => {
    const { write, open, pass, lines } = given(t);
    write({ current: 'a', keys: { a: A } });
    const keyring = open();
    write({ current: 'b', keys: { a: A, b: B } });
    pass(999);
    assert.equal((await keyring.current()).id, 'a');
    pass(1);
    assert.equal((await keyring.current()).id, 'b');
    assert.equal((await keyring.byId('a'))!.id, 'a');
    assert.match(lines.join(''), /"currentKey":"b".*the keyring changed/);
  });

  it('is read at once for a key that it does not have', async (t) => {
    const { write, open } = given(t);
    write({ current: 'a', keys: { a: A } });
    const keyring = open();
    write({ current: 'b', keys: { a: A, b: B } });
    assert.equal((await keyring.byId('b'))!.id, 'b');
  });

  it('stays what it was while its file is broken or gone, and says so once', async (t) => {
    const { write, open, pass, lines, file } = given(t);
    write({ current: 'a', keys: { a: A } });
    const keyring = open();
    write('{"current":');
    for (let second = 0; second < 3; second += 1) {
      pass(1_000);
      assert.equal((await keyring.current()).id, 'a');
      assert.equal((await keyring.byId('a'))!.id, 'a');
    }
    assert.match(keyring.problem!, /KEYS_FILE=.*expected JSON/);
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /"level":50.*the keys that were read before stay in use/);
    rmSync(file);
    pass(1_000);
    assert.match(keyring.problem!, /cannot be read/);
    assert.equal((await keyring.current()).id, 'a');
    write({ current: 'b', keys: { b: B } });
    pass(1_000);
    assert.equal(keyring.problem, null);
    assert.equal((await keyring.current()).id, 'b');
    assert.equal(await keyring.byId('a'), undefined);
  });
});
