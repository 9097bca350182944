import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { sha256, sha256OfText } from '../../../src/money/domain/sha-256.ts';

const ascii = (text: string) => new Uint8Array(Buffer.from(text, 'ascii'));

test('the examples of the standard', () => {
  assert.equal(sha256(ascii('')), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  assert.equal(sha256(ascii('abc')), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  assert.equal(
    sha256(ascii('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq')),
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  );
});

test('every length around the ends of blocks is as in node:crypto', () => {
  for (let length = 0; length <= 200; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 197 + length * 31) & 0xff);
    assert.equal(sha256(bytes), createHash('sha256').update(bytes).digest('hex'), `${length} bytes`);
  }
  const megabytes = new Uint8Array(3_000_001).map((_, at) => (at * at) >>> 5);
  assert.equal(sha256(megabytes), createHash('sha256').update(megabytes).digest('hex'));
});

test('a text is taken by its code units', () => {
  for (const text of ['', 'BET', '\u00e9\u0100\u{1f4b0}', '\ud800', '\udc00\ud800']) {
    assert.equal(sha256OfText(text), createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('hex'));
  }
});
