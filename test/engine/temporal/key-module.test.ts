import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, it, type TestContext } from 'node:test';
import { createLogger } from '../../../src/engine/log.ts';
import { KeyModule } from '../../../src/engine/temporal/key-module.ts';
import type { EncryptionKey } from '../../../src/engine/temporal/key-provider.ts';

const key = (id: string): EncryptionKey => ({ id, key: createSecretKey(Buffer.alloc(32, id)) });

/** What the modules below answer: they are loaded from files, and find it in the global object. */
interface Service {
  readonly asked: string[];
  current: () => unknown;
  byId: (id: string) => unknown;
}

const AS_THE_SERVICE = `export default () => ({
  current: async () => (globalThis.keyService.asked.push('current'), globalThis.keyService.current()),
  byId: async (id) => (globalThis.keyService.asked.push(id), globalThis.keyService.byId(id)),
});`;

function given(t: TestContext, code = AS_THE_SERVICE) {
  const folder = mkdtempSync(join(tmpdir(), 'key-module-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const module = join(folder, 'keys.mjs');
  writeFileSync(module, code);
  const service: Service = { asked: [], current: () => key('b'), byId: (id) => (id === 'gone' ? undefined : key(id)) };
  (globalThis as { keyService?: Service }).keyService = service;
  const lines: string[] = [];
  let now = 0;
  const options = {
    setting: 'KEY_PROVIDER',
    clock: { elapsed: () => now },
    logger: createLogger({ destination: { write: (line: string) => lines.push(line) } }),
  };
  return {
    module,
    service,
    lines,
    options,
    pass: (ms: number) => (now += ms),
    keys: new KeyModule({ ...options, module }),
  };
}

describe('keys of a module', () => {
  it('are asked for once, those of payloads under way too', async (t) => {
    const { keys, service } = given(t);
    await keys.ready();
    assert.deepEqual(service.asked, []);
    const current = await Promise.all([keys.current(), keys.current()]);
    assert.deepEqual([current.map(({ id }) => id), (await keys.byId('b'))!.id], [['b', 'b'], 'b']);
    await Promise.all([keys.byId('a'), keys.byId('a')]);
    await keys.byId('a');
    assert.deepEqual(service.asked, ['current', 'a']);
    assert.equal(await keys.byId('gone'), undefined);
    service.byId = key;
    assert.equal((await keys.byId('gone'))!.id, 'gone');
  });

  it('stay in use while the service is away, and a new current one is used within a minute and a payload', async (t) => {
    const { keys, service, pass, lines } = given(t);
    await keys.current();
    await keys.byId('a');
    service.current = service.byId = () => {
      throw new Error('no route to the service');
    };
    pass(60_000);
    assert.equal((await keys.current()).id, 'b');
    await turn();
    assert.match(keys.problem!, /^KEY_PROVIDER: current\(\): no route to the service$/);
    assert.match(lines.join(''), /no route to the service/);
    assert.deepEqual([(await keys.byId('a'))!.id, (await keys.current()).id], ['a', 'b']);
    await assert.rejects(keys.byId('c'), { code: 'UNREACHABLE', message: /^KEY_PROVIDER: byId\(\): no route/ });
    service.current = () => key('c');
    pass(60_000);
    assert.equal((await keys.current()).id, 'b');
    await turn();
    assert.deepEqual([(await keys.current()).id, keys.problem], ['c', null]);
  });

  it('are refused when they are none, without a key in the message', async (t) => {
    const { keys, service } = given(t);
    const short = createSecretKey(Buffer.alloc(16, 'secret'));
    for (const answer of [
      undefined,
      {},
      { id: 'x', key: Buffer.alloc(32) },
      { id: '', key: key('x').key },
      { id: 'x', key: short },
    ]) {
      service.current = () => answer;
      await assert.rejects(keys.current(), {
        code: 'UNREACHABLE',
        message: /current\(\): expected \{id, key\}, .*32 bytes$/,
      });
    }
    service.byId = () => key('another');
    await assert.rejects(keys.byId('a'), { message: /byId\(\): expected \{id, key\}, the id as asked for/ });
  });

  it('come of a module that is there and makes a KeyProvider', async (t) => {
    const { options } = given(t);
    const refused: [code: string, expected: RegExp][] = [
      [
        'export const keys = 1;',
        /^KEY_PROVIDER: expected a default export that is a function .*, and it is undefined$/,
      ],
      ['export default {};', /and it is object$/],
      ['export default () => undefined;', /what it makes has no function current and byId$/],
      ['export default async () => ({ current() {} });', /what it makes has no function byId$/],
      ['export default () => { throw new Error("no credentials"); };', /its default export failed \(no credentials\)$/],
      ['import "no-such-package";', /it cannot be loaded \(Cannot find package 'no-such-package'/],
      ['export default (', /it cannot be loaded \(/],
    ];
    for (const [code, expected] of refused) {
      await assert.rejects(given(t, code).keys.ready(), { code: 'CONFIG', message: expected });
    }
    for (const [module, expected] of [
      ['./no-such.mjs', /^KEY_PROVIDER: there is no file \/.*\/no-such\.mjs$/],
      ['no-such-package', /^KEY_PROVIDER: it cannot be loaded \(Cannot find package 'no-such-package'/],
    ] as const) {
      await assert.rejects(new KeyModule({ ...options, module }).ready(), { code: 'CONFIG', message: expected });
    }
  });

  it('that could not be made are made with the next key that is asked for', async (t) => {
    const { keys } = given(
      t,
      'let n = 0; export default () => { if (n++ === 0) throw new Error("away"); return { current() {}, byId: () => null }; };',
    );
    await assert.rejects(keys.ready(), /away/);
    assert.equal(await keys.byId('a'), undefined);
  });
});
