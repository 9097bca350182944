import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { withoutStackTraces } from '../../../src/engine/worker/stack-traces.ts';

test('an error keeps its message and loses the lines that it comes from', () => {
  const code = 'var fail = () => new Error("why").stack;\n//# sourceMappingURL=data:application/json;base64,e30=';
  const context: { fail?: () => string } = {};
  runInNewContext(withoutStackTraces(code), context);
  assert.equal(context.fail!(), 'Error: why');
});

test('in the place of its source map, which no worker needs then, stands an empty one; code without one is taken as well', () => {
  const [line, map = ''] = withoutStackTraces('a();\n//# sourceMappingURL=x').split(
    '\n//# sourceMappingURL=data:application/json;base64,',
  );
  assert.equal(line, 'a();\nError.stackTraceLimit = 0;');
  assert.equal((JSON.parse(Buffer.from(map, 'base64').toString()) as { mappings: string }).mappings, '');
  assert.equal(withoutStackTraces('a();'), 'a();\nError.stackTraceLimit = 0;\n');
});
