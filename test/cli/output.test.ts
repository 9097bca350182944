import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takesColour } from '../../src/cli/output.ts';

test('colours go to a terminal only, and not under NO_COLOR', () => {
  assert.equal(takesColour({ isTTY: true }, {}), true);
  assert.equal(takesColour({ isTTY: true }, { NO_COLOR: '' }), true);
  assert.equal(takesColour({ isTTY: true }, { NO_COLOR: '1' }), false);
  assert.equal(takesColour({ isTTY: true }, { TERM: 'dumb' }), false);
  assert.equal(takesColour({}, {}), false);
  assert.equal(takesColour({}, { FORCE_COLOR: '1' }), true);
  assert.equal(takesColour({ isTTY: true }, { FORCE_COLOR: '0' }), false);
  assert.equal(takesColour({ isTTY: true }, { FORCE_COLOR: '1', NO_COLOR: '1' }), false);
});
