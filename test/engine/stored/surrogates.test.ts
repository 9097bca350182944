import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { escapeText, unescapeText } from '../../../src/engine/stored/surrogates.ts';

describe('text that UTF-8 does not have', () => {
  it('escapes lone surrogates and its own mark, and nothing else', () => {
    assert.equal(escapeText('a\ud800b'), 'a\ufdd0d800b');
    assert.equal(escapeText('\udfff\ud83d'), '\ufdd0dfff\ufdd0d83d');
    assert.equal(escapeText('\ufdd0d800'), '\ufdd0fdd0d800');
    for (const text of ['', 'plain', 'ünï €', '😀', '\ufffd', '\ue000', '\uffff']) assert.equal(escapeText(text), text);
  });

  it('comes back as it was, through UTF-8', () => {
    const unit = fc.oneof(
      fc.nat({ max: 0xffff }),
      fc.integer({ min: 0xd800, max: 0xdfff }),
      fc.constantFrom(0xfdd0, 0x64, 0x38, 0x30, 0x66),
    );
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 12 }), (units) => {
        const text = String.fromCharCode(...units);
        const escaped = escapeText(text);
        assert.equal(Buffer.from(escaped, 'utf8').toString('utf8'), escaped);
        assert.equal(unescapeText(escaped), text);
      }),
      { numRuns: 5_000 },
    );
  });

  it('reads a mark that nobody escaped as it stands', () => {
    assert.equal(unescapeText('\ufdd0 and \ufdd00041'), '\ufdd0 and \ufdd00041');
  });
});
