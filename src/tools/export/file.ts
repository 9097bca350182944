/**
 * Snapshots as a file: NDJSON, or an Avro container file with the schema `Start` of schemas/state.avsc. Both hold the same:
 * what a workflow is started with.
 */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import avsc from 'avsc';
import type { Snapshot } from '../../../workflows/life.ts';
import { CodedError, messageOf } from '../../engine/errors.ts';
import { stateFormat } from '../../engine/stored/format.ts';

export const FORMATS = ['json', 'avro'] as const;
export type Format = (typeof FORMATS)[number];

/** Whole or not at all under this name. Errors: those of `snapshots`; CodedError CONFIG for a file that cannot be written. */
export async function writeSnapshotFile(
  file: string,
  format: Format,
  snapshots: AsyncIterable<Snapshot>,
): Promise<void> {
  const partial = `${file}.partial`;
  try {
    // It holds personal data.
    await writeSnapshots(createWriteStream(partial, { mode: 0o600 }), format, snapshots);
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    if (error instanceof CodedError) throw error;
    throw new CodedError('CONFIG', `--out "${file}": ${messageOf(error)}`, { cause: error });
  }
}

/** At the speed of `out`, which is not ended when it is stdout. */
export async function writeSnapshots(
  out: NodeJS.WritableStream,
  format: Format,
  snapshots: AsyncIterable<Snapshot>,
): Promise<void> {
  const end = out !== process.stdout;
  if (format === 'json') return pipeline(Readable.from(lines(snapshots)), out, { end });
  const { type, toAvro } = stateFormat().root('Start');
  const blocks = new avsc.streams.BlockEncoder(type, { codec: 'deflate', writeHeader: true });
  await pipeline(Readable.from(converted(snapshots, toAvro)), blocks, out, { end });
}

async function* lines(snapshots: AsyncIterable<Snapshot>): AsyncGenerator<string> {
  for await (const snapshot of snapshots) yield `${JSON.stringify(snapshot)}\n`;
}

async function* converted(
  snapshots: AsyncIterable<Snapshot>,
  toAvro: (value: unknown) => unknown,
): AsyncGenerator<unknown> {
  for await (const snapshot of snapshots) yield toAvro(snapshot);
}
