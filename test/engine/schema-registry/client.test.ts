import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { createSchemaRegistry } from '../../../src/engine/schema-registry/client.ts';
import { CodedError } from '../../../src/engine/errors.ts';
import { startStandInRegistry, type StandInRegistry } from '../../support/schema-registry.ts';

const SCHEMA = { type: 'record', name: 'R', fields: [] };

async function start(t: TestContext): Promise<StandInRegistry> {
  const registry = await startStandInRegistry();
  t.after(() => registry.stop());
  return registry;
}

async function fails(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof CodedError);
    return `${error.code}: ${error.message}`;
  }
  assert.fail('it worked');
}

describe('the schema registry client', () => {
  test('asks for a schema by its id', async (t) => {
    const registry = await start(t);
    const id = registry.add(SCHEMA);
    assert.deepEqual(await createSchemaRegistry([registry.url]).schema(id), { text: JSON.stringify(SCHEMA) });
    assert.deepEqual(registry.requests, [`GET /schemas/ids/${id}`]);
  });

  test('takes the path of the address along', async (t) => {
    const registry = await start(t);
    await fails(createSchemaRegistry([`${registry.url}/apis/ccompat/v7`]).subjects());
    assert.deepEqual(registry.requests, ['GET /apis/ccompat/v7/subjects']);
  });

  test('says that an id is not known', async (t) => {
    const registry = await start(t);
    assert.deepEqual(await createSchemaRegistry([registry.url]).schema(4_294_967_295), {
      unusable: 'the schema registry does not know it (404)',
      unknown: true,
    });
  });

  test("takes every 404 that is not in the registry's own words for an outage, also after good answers", async (t) => {
    const registry = await start(t);
    const client = createSchemaRegistry([registry.url]);
    const id = await client.register('a', JSON.stringify(SCHEMA));
    await client.schema(id);
    const pages = [
      ['text/html', '<h1>Not found</h1>'],
      ['application/json', '{"error_code":404,"message":"HTTP 404 Not Found"}'],
      ['application/json', '{}'],
      ['text/plain', ''],
    ] as const;
    for (const [type, body] of pages) {
      registry.disturb((_, response) => void response.writeHead(404, { 'content-type': type }).end(body));
      assert.match(
        await fails(client.schema(id + 1)),
        /^UNREACHABLE: .* gives no usable answer: 404 to GET \/schemas\/ids\/\d+ that is not a registry's \(no "error_code": 40403\)$/,
        body,
      );
    }
    registry.disturb(
      (_, response) => void response.writeHead(404).end('{"error_code":40403,"message":"Schema not found"}'),
    );
    assert.deepEqual(await client.schema(id + 1), {
      unusable: 'the schema registry does not know it (404)',
      unknown: true,
    });
  });

  test('tells schemas that cannot be used from an outage', async (t) => {
    const registry = await start(t);
    const client = createSchemaRegistry([registry.url]);
    const answered = async (status: number, body: string) => {
      registry.disturb((_, response) => void response.writeHead(status).end(body));
      return client.schema(1);
    };
    assert.deepEqual(await answered(200, '{"schema":"message A {}","schemaType":"PROTOBUF"}'), {
      unusable: 'it is PROTOBUF, expected AVRO',
    });
    assert.deepEqual(await answered(200, '{"schema":"\\"int\\"","schemaType":"AVRO","references":[]}'), {
      text: '"int"',
    });
    for (const [status, body] of [
      [500, '{}'],
      [503, ''],
      [429, '{}'],
      [200, '[]'],
      [200, 'null'],
      [200, '{"schema":5}'],
      [200, '{"schema":"{}","references":[{"name":"a"}]}'],
      [200, '<html>'],
      [401, '{"error_code":401}'],
    ] as const) {
      assert.match(
        await fails(answered(status, body)),
        new RegExp(
          `^UNREACHABLE: the schema registry at ${registry.url} \\(SCHEMA_REGISTRY_URL\\) gives no usable answer: ${status} to GET /schemas/ids/1`,
        ),
        body,
      );
    }
  });

  test('follows no redirect', async (t) => {
    const [registry, other] = [await start(t), await start(t)];
    registry.disturb((_, response) => void response.writeHead(302, { location: `${other.url}/schemas/ids/1` }).end());
    assert.match(await fails(createSchemaRegistry([registry.url]).schema(1)), /^UNREACHABLE: .*302/);
    assert.deepEqual(other.requests, []);
  });

  test('waits no longer than it may, for the head or for the body', async (t) => {
    const registry = await start(t);
    const client = createSchemaRegistry([registry.url], { timeout: 100 });
    registry.disturb(() => undefined);
    assert.match(await fails(client.schema(1)), /^UNREACHABLE: .*timeout/);
    registry.disturb((_, response) => void response.writeHead(200).write('{"schema":'));
    assert.match(await fails(client.schema(1)), /^UNREACHABLE: /);
  });

  test('reads no more than it may', async (t) => {
    const registry = await start(t);
    let sent = 0;
    registry.disturb((_, response) => {
      const more = (): void => {
        while (!response.destroyed && sent < 100_000_000) {
          sent += 65_536;
          if (!response.write(Buffer.alloc(65_536, 0x20))) return void response.once('drain', more);
        }
        response.end();
      };
      response.writeHead(200);
      more();
    });
    assert.match(
      await fails(createSchemaRegistry([registry.url]).schema(1)),
      /^UNREACHABLE: .*more than 1048576 bytes$/,
    );
    assert.ok(sent < 20_000_000, `${sent} bytes sent`);
  });

  test('says what is wrong when nobody is there', async () => {
    const registry = await startStandInRegistry();
    await registry.stop();
    assert.match(await fails(createSchemaRegistry([registry.url]).schema(1)), /^UNREACHABLE: .*ECONNREFUSED/);
  });

  test('sends name and password, and never says them', async (t) => {
    const registry = await start(t);
    const client = createSchemaRegistry([registry.url.replace('//', '//me%40example.com:p%3Ass@')]);
    await client.subjects();
    assert.equal(registry.headers().authorization, `Basic ${Buffer.from('me@example.com:p:ss').toString('base64')}`);
    assert.equal(client.address, registry.url);
    const messages: string[] = [];
    for (const status of [401, 500, 404]) {
      registry.disturb((_, response) => void response.writeHead(status).end());
      messages.push(await fails(client.subjects()), await fails(client.register('s', '{}')));
    }
    await registry.stop();
    messages.push(await fails(client.schema(1)));
    assert.doesNotMatch(messages.join('\n'), /p:ss|p%3Ass|me@|me%40/);
    assert.match(messages[0]!, /401 to GET \/subjects: check the name and password in the address$/);
  });

  test('registers a schema, and again under the same id', async (t) => {
    const registry = await start(t);
    const client = createSchemaRegistry([registry.url]);
    const id = await client.register('a/b-value', JSON.stringify(SCHEMA));
    assert.equal(await client.register('a/b-value', JSON.stringify(SCHEMA)), id);
    assert.deepEqual(registry.subjectsOf(id), ['a/b-value']);
    assert.deepEqual(registry.requests, ['POST /subjects/a%2Fb-value/versions', 'POST /subjects/a%2Fb-value/versions']);
  });

  test('tells a schema that is refused from an outage', async (t) => {
    const registry = await start(t);
    const client = createSchemaRegistry([registry.url]);
    registry.disturb((_, response) => void response.writeHead(409).end('{"error_code":409,"message":"incompatible"}'));
    assert.equal(
      await fails(client.register('s', '{}')),
      `CONFIG: the schema registry at ${registry.url} (SCHEMA_REGISTRY_URL) refuses the schema of s with 409: incompatible`,
    );
    for (const body of ['{}', '{"id":-1}', '{"id":4294967296}', '{"id":"7"}']) {
      registry.disturb((_, response) => void response.end(body));
      assert.match(await fails(client.register('s', '{}')), /^UNREACHABLE: /, body);
    }
  });
});
