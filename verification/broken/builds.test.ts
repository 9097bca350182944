/** A build that changes nothing any more would only be found by running it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { BROKEN_BUILDS } from './builds.ts';
import { VERSION_A } from './version-a.ts';

const ROOT = new URL('../../', import.meta.url);

test('every broken build has a name of its own, and each of its edits meets the code in exactly one place', () => {
  assert.equal(new Set(BROKEN_BUILDS.map(({ name }) => name)).size, BROKEN_BUILDS.length);
  const places = [...BROKEN_BUILDS, VERSION_A].flatMap(({ name, edits }) =>
    edits.map(
      ({ file, find }) => [name, file, readFileSync(new URL(file, ROOT), 'utf8').split(find).length - 1] as const,
    ),
  );
  assert.deepEqual(
    places.filter(([, , count]) => count !== 1),
    [],
  );
});
