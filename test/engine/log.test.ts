import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodedError } from '../../src/engine/errors.ts';
import { createLogger } from '../../src/engine/log.ts';

function lines(plain: boolean, level?: string) {
  const written: string[] = [];
  const destination = { write: (line: string) => written.push(line) };
  return {
    written,
    logger: createLogger({ destination, format: plain ? 'text' : 'json', ...(level === undefined ? {} : { level }) }),
  };
}

test('one JSON object a line, level info when none is given', () => {
  const { written, logger } = lines(false);
  logger.debug('hidden');
  logger.info({ topic: 'wallet-events', partition: 3 }, 'assigned');
  assert.equal(written.length, 1);
  const entry = JSON.parse(written[0] ?? '') as Record<string, unknown>;
  assert.equal(entry['msg'], 'assigned');
  assert.equal(entry['topic'], 'wallet-events');
  assert.equal(entry['level'], 30);
  assert.match(String(entry['time']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test('a level is a word where that is asked for, and the service is in each line', () => {
  const written: string[] = [];
  const destination = { write: (line: string) => written.push(line) };
  const base = { service: 'money-enrichment-bridge', version: '1.2.3' };
  createLogger({ destination, format: 'json-words', base }).warn('slow');
  createLogger({ destination, format: 'text', base }).warn('slow');
  const { level, service, version } = JSON.parse(written[0]!) as Record<string, unknown>;
  assert.deepEqual([level, service, version], ['warn', 'money-enrichment-bridge', '1.2.3']);
  assert.match(written[1]!, /^\S+ WARN {2}slow pid=\d+\n$|^\S+ WARN {2}slow\n$/);
});

test('plain lines where people look', () => {
  const { written, logger } = lines(true, 'debug');
  logger.child({ component: 'bridge' }).warn({ partition: 3, err: new CodedError('KAFKA', 'gone') }, 'trouble');
  assert.equal(written.length, 1);
  assert.match(written[0] ?? '', /^\d\d:\d\d:\d\d\.\d{3} WARN {2}bridge: trouble \(gone\) partition=3\n$/);
});

test('errors keep their code, secrets do not appear', () => {
  const { written, logger } = lines(false);
  logger.error({ err: new CodedError('FENCED', 'another holder'), kafka: { password: 'hunter2' } }, 'stopped');
  const entry = JSON.parse(written[0] ?? '') as { err: Record<string, unknown> };
  assert.equal(entry.err['code'], 'FENCED');
  assert.equal(entry.err['message'], 'another holder');
  assert.doesNotMatch(written.join(), /hunter2/);
});
