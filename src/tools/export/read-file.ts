/** Reads what `export` wrote, NDJSON or an Avro container file, of this version or, if it is Avro, of an older one. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import avsc from 'avsc';
import type { Snapshot } from '../../../workflows/life.ts';
import { CodedError, messageOf } from '../../engine/errors.ts';
import { stateFormat } from '../../engine/stored/format.ts';

const AVRO = Buffer.from('Obj\u0001');

/** The same for the same content. Errors: CodedError CONFIG for a file that cannot be read. */
export async function digestOfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash).catch((error: unknown) => unreadable(file, error));
  return hash.digest('hex');
}

/** In the order of the file. Errors: CodedError CONFIG, with the line or the place of what is wrong. */
export async function* readSnapshotFile(file: string): AsyncGenerator<Snapshot> {
  const format = (await isAvro(file)) ? containerFile(file) : lines(file);
  for await (const snapshot of format) {
    if (snapshot.life === undefined) {
      throw new CodedError(
        'CONFIG',
        `"${file}": user ${JSON.stringify(snapshot.userId)} has no "life": expected what export writes`,
      );
    }
    yield snapshot;
  }
}

async function isAvro(file: string): Promise<boolean> {
  const handle = await open(file).catch((error: unknown) => unreadable(file, error));
  try {
    const { buffer } = await handle.read(Buffer.alloc(AVRO.length), 0, AVRO.length, 0);
    return buffer.equals(AVRO);
  } catch (error) {
    return unreadable(file, error);
  } finally {
    await handle.close();
  }
}

async function* lines(file: string): AsyncGenerator<Snapshot> {
  const format = stateFormat();
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    number += 1;
    if (line.trim() === '') continue;
    try {
      const value = JSON.parse(line) as Snapshot;
      format.encode('Start', value);
      yield value;
    } catch (error) {
      throw new CodedError(
        'CONFIG',
        `"${file}", line ${number}: ${messageOf(error)}: expected what export of this version writes; an Avro file goes from one version to the next`,
        { cause: error },
      );
    }
  }
}

/** By resolution of the schema in its header with today's. */
async function* containerFile(file: string): AsyncGenerator<Snapshot> {
  const { type, fromAvro } = stateFormat().root('Start');
  const source = createReadStream(file);
  const values = source.pipe(
    new avsc.streams.BlockDecoder({
      readerSchema: type,
      parseHook: (schema: avsc.Schema) => avsc.Type.forSchema(schema, { wrapUnions: 'always' }),
    } as object),
  );
  source.on('error', (error) => values.destroy(error));
  try {
    for await (const value of values) yield fromAvro(value) as Snapshot;
  } catch (error) {
    throw new CodedError('CONFIG', `"${file}": ${messageOf(error)}`, { cause: error });
  }
}

function unreadable(file: string, error: unknown): never {
  throw new CodedError('CONFIG', `"${file}" cannot be read: ${messageOf(error)}`, { cause: error });
}
