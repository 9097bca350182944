import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createSchemaRegistry } from '../../../src/engine/schema-registry/client.ts';

const SCHEMA = '{"type":"record","name":"R","fields":[]}';

/** Registries by address; what each answers, and who was asked. */
function given(answers: Record<string, () => Response>) {
  const asked: string[] = [];
  const fetch = async (url: string): Promise<Response> => {
    const { origin } = new URL(url);
    asked.push(origin);
    return answers[origin]!();
  };
  return { asked, registry: createSchemaRegistry(Object.keys(answers), { fetch }), answers };
}

const schema = () => Response.json({ schema: SCHEMA });
const unknown = () => Response.json({ error_code: 40403, message: 'Schema not found' }, { status: 404 });
const page = () => new Response('<h1>Not found</h1>', { status: 404 });
const down = (): Response => {
  throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') });
};

describe('several addresses of a registry', () => {
  test('the next one is asked when one is down, and first from then on', async () => {
    const { registry, asked, answers } = given({ 'http://a': down, 'http://b': schema, 'http://c': schema });
    assert.deepEqual(await registry.schema(1), { text: SCHEMA });
    assert.deepEqual(await registry.schema(2), { text: SCHEMA });
    answers['http://b'] = page;
    answers['http://c'] = down;
    answers['http://a'] = schema;
    assert.deepEqual(await registry.schema(3), { text: SCHEMA });
    assert.deepEqual(asked, ['http://a', 'http://b', 'http://b', 'http://b', 'http://c', 'http://a']);
  });

  test("only a registry's own word decides about a record", async () => {
    const { registry } = given({ 'http://a': page, 'http://b': unknown });
    assert.deepEqual(await registry.schema(1), {
      unusable: 'the schema registry does not know it (404)',
      unknown: true,
    });
  });

  test('when none has a word, all are named with what they said', async () => {
    const { registry, asked } = given({ 'http://a': down, 'http://b': page });
    await assert.rejects(registry.schema(1), {
      code: 'UNREACHABLE',
      message:
        'the schema registry at http://a, http://b (SCHEMA_REGISTRY_URL) gives no usable answer: http://a: connect ECONNREFUSED; ' +
        'http://b: 404 to GET /schemas/ids/1 that is not a registry\'s (no "error_code": 40403)',
    });
    assert.deepEqual(asked, ['http://a', 'http://b']);
  });
});
