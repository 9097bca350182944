import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isoOf } from '../../../src/engine/workflow/iso.ts';
import { stored, TYPE_MARK, UNREADABLE } from '../../../src/engine/workflow/mark.ts';
import {
  EVENTS_SIGNAL,
  NUDGE_SIGNAL,
  PUBLISH_ACTIVITY,
  READ_WATERMARK_ACTIVITY,
  WATERMARK_NOT_REACHED,
} from '../../../src/engine/workflow/entity/names.ts';

test('a value that outlives a deployment is marked by its first property', () => {
  const marked = stored('Start', { a: 1, b: 2 });
  assert.equal(JSON.stringify(marked), '{"$type":"Start","a":1,"b":2}');
  assert.deepEqual([TYPE_MARK, UNREADABLE], ['$type', '$unreadable']);
});

test('names on the wire never change', () => {
  assert.deepEqual(
    [EVENTS_SIGNAL, NUDGE_SIGNAL, WATERMARK_NOT_REACHED, PUBLISH_ACTIVITY, READ_WATERMARK_ACTIVITY],
    ['events', 'nudge', 'WatermarkNotReached', 'publish', 'readWatermark'],
  );
});

test('a time beyond what a Date takes is told as its number', () => {
  assert.equal(isoOf(0), '1970-01-01T00:00:00.000Z');
  assert.equal(isoOf(8.64e15), '+275760-09-13T00:00:00.000Z');
  assert.equal(isoOf(-8.64e15), '-271821-04-20T00:00:00.000Z');
  assert.equal(isoOf(8.64e15 + 1), '8640000000000001 ms');
});
