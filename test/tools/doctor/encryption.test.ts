import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Finding } from '../../../src/tools/doctor/finding.ts';
import { checkEncryption } from '../../../src/tools/doctor/encryption.ts';

test('says which key encrypts and which only decrypt, and warns of a file that everybody may read', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'keys-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'keys.json');
  const key = Buffer.alloc(32, 7).toString('base64');
  writeFileSync(file, JSON.stringify({ current: '2026-11', keys: { '2026-10': key, '2026-11': key } }), {
    mode: 0o640,
  });
  const fine = await checkEncryption({ encryptionKeysFile: file });
  assert.deepEqual(fine, [
    {
      level: 'ok',
      subject: 'encryption',
      message: 'payloads are encrypted with key "2026-11", and decrypted with "2026-10" as well',
    },
  ]);
  assert.ok(!JSON.stringify(fine).includes(key));

  chmodSync(file, 0o644);
  const [{ level, message }] = (await checkEncryption({ encryptionKeysFile: file })) as [Finding];
  assert.equal(level, 'warning');
  assert.match(
    message,
    /everybody on this machine may read ENRICHMENT_ENCRYPTION_KEYS_FILE=".*keys\.json": chmod o-r it$/,
  );
});

test('says that nothing is encrypted', async () => {
  const [finding, ...more] = await checkEncryption({});
  assert.deepEqual([finding?.level, more], ['ok', []]);
  assert.match(finding!.message, /^off: /);
});
