import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { createAvroDecoders } from '../../../src/engine/schema-registry/avro-decoders.ts';
import { createSchemaRegistry } from '../../../src/engine/schema-registry/client.ts';
import { resolveReferences, type Reference } from '../../../src/engine/schema-registry/references.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { startStandInRegistry } from '../../support/schema-registry.ts';
import { typeOf, wire } from '../values/avro/given.ts';

const reference = (name: string, subject = name, version = 1): Reference => ({ name, subject, version });
const record = (name: string, ...fields: (readonly [string, unknown])[]) => ({
  type: 'record',
  name,
  namespace: 'x',
  fields: fields.map(([field, type]) => ({ name: field, type })),
});

/** Schemas by name, each with the names that it refers to. */
function asking(schemas: Record<string, readonly string[]>) {
  const asked: string[] = [];
  return {
    asked,
    ask: async ({ name }: Reference) => {
      asked.push(name);
      return { text: name, references: (schemas[name] ?? []).map((one) => reference(one)) };
    },
  };
}

async function start(t: TestContext) {
  const registry = await startStandInRegistry();
  t.after(() => registry.stop());
  return registry;
}

describe('references of schemas', () => {
  test('come before what needs them, and each once', async () => {
    const { ask, asked } = asking({ a: ['b', 'c'], b: ['c'], c: [] });
    assert.deepEqual(await resolveReferences([reference('a'), reference('b')], ask), { texts: ['c', 'b', 'a'] });
    assert.deepEqual(asked, ['a', 'b', 'c']);
  });

  test('are refused in a circle, and when there are too many, too deep or too long', async () => {
    assert.deepEqual(await resolveReferences([reference('a')], asking({ a: ['b'], b: ['a'] }).ask), {
      unusable: 'its references lead back to themselves',
    });
    const many = Array.from({ length: 101 }, (_, n) => reference(`n${n}`));
    assert.deepEqual(await resolveReferences(many, asking({}).ask), {
      unusable: 'it refers to more than 100 schemas',
    });
    const endless = async ({ version }: Reference) => ({
      text: '{}',
      references: [reference(`v${version}`, 's', version + 1)],
    });
    assert.deepEqual(await resolveReferences([reference('v', 's')], endless), {
      unusable: 'its references are nested deeper than 32',
    });
    const long = async () => ({ text: 'x'.repeat(200_000), references: [] });
    assert.deepEqual(await resolveReferences([reference('a'), reference('b')], long), {
      unusable: 'the schemas that it refers to have more than 262144 characters',
    });
  });

  test('of several event types in one topic are read', async (t) => {
    const registry = await start(t);
    const place = record('Place', ['country', 'string']);
    const session = record(
      'UserSessionCreatedEvent',
      ['id', 'string'],
      ['place', 'x.Place'],
      ['clientCountryCode', 'string'],
    );
    const closed = record('UserSessionClosedEvent', ['id', 'string'], ['reason', 'string']);
    registry.add(place, 'place');
    registry.add(session, 'created', [reference('x.Place', 'place')]);
    registry.add(closed, 'closed');
    const id = registry.add(['x.UserSessionCreatedEvent', 'x.UserSessionClosedEvent'], 'sessions-value', [
      reference('x.UserSessionCreatedEvent', 'created'),
      reference('x.UserSessionClosedEvent', 'closed'),
    ]);
    const decoders = createAvroDecoders(createSchemaRegistry([registry.url]), new ManualClock());

    const written = typeOf([
      { ...session, fields: [{ name: 'id', type: 'string' }, { name: 'place', type: place }, session.fields[2]] },
      closed,
    ]);
    const created = wire(
      written.toBuffer({ 'x.UserSessionCreatedEvent': { id: 's', place: { country: 'UY' }, clientCountryCode: 'AR' } }),
      id,
    );
    const ended = wire(written.toBuffer({ 'x.UserSessionClosedEvent': { id: 's', reason: 'left' } }), id);
    const decoder = await decoders.decoderFor([created, ended]);
    const fieldsOf = (value: Buffer, ...names: string[]) => {
      const raw = decoder.decode(value);
      return 'malformed' in raw ? raw.malformed : names.map((name) => raw.field(name));
    };
    assert.deepEqual(fieldsOf(created, 'type', 'clientCountryCode'), ['UserSessionCreatedEvent', 'AR']);
    assert.deepEqual(fieldsOf(ended, 'type', 'reason'), ['UserSessionClosedEvent', 'left']);
  });

  test('that are not known yet may come, and an outage on the way is an outage', async (t) => {
    const registry = await start(t);
    const id = registry.add(record('A', ['b', 'x.B']), 'a', [reference('x.B', 'b')]);
    const client = createSchemaRegistry([registry.url]);
    const unknown = { unusable: 'it refers to a schema that the registry does not know', unknown: true };
    assert.deepEqual(await client.schema(id), unknown);
    registry.disturb((request, response) => {
      if (request.url === '/subjects/b/versions/1?deleted=true') return void response.writeHead(404).end('<html>');
      response
        .writeHead(200)
        .end(JSON.stringify({ schema: '{}', references: [{ name: 'x.B', subject: 'b', version: 1 }] }));
    });
    await assert.rejects(client.schema(id), { code: 'UNREACHABLE', message: /404 to GET \/subjects\/b\/versions\/1/ });
    registry.disturb(undefined);
    registry.add(record('B'), 'b');
    assert.deepEqual(await client.schema(id), {
      text: JSON.stringify(record('A', ['b', 'x.B'])),
      references: [JSON.stringify(record('B'))],
    });
  });
});
