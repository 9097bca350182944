import assert from 'node:assert/strict';
import test from 'node:test';
import { parsePartitions } from '../../src/cli/dev.ts';
import { javaMajor } from '../../src/dev/kafka-jars.ts';
import { temporalProgram } from '../../src/dev/temporal-server.ts';

const log = (line: string): void => assert.fail(line);

test('the version of Java is read from what java -version says', () => {
  assert.equal(javaMajor('openjdk version "17.0.15" 2025-04-15'), 17);
  assert.equal(javaMajor('java version "1.8.0_402"'), 8);
  assert.equal(javaMajor('openjdk version "25" 2025-09-16'), 25);
  assert.equal(javaMajor('The operation could not be completed. Unable to locate a Java Runtime.'), undefined);
});

test('TEMPORAL_CLI names the temporal to use; a wrong one is said', async () => {
  assert.equal(await temporalProgram({ log }, { TEMPORAL_CLI: '/bin/sh', PATH: '/bin' }), '/bin/sh');
  await assert.rejects(temporalProgram({ log }, { TEMPORAL_CLI: '/no/temporal' }), {
    code: 'MISSING_PROGRAM',
    message: 'TEMPORAL_CLI is "/no/temporal", which is not an executable file. Correct or unset it.',
  });
});

test('--partitions takes whole numbers from 1 to 1000', () => {
  assert.equal(parsePartitions('1'), 1);
  assert.equal(parsePartitions('1000'), 1000);
  for (const text of ['0', '1001', '-1', '1.5', '1e2', '', 'four']) {
    assert.throws(() => parsePartitions(text), {
      code: 'CONFIG',
      message: new RegExp(`--partitions is "${text.replace('.', '\\.')}"`),
    });
  }
});
