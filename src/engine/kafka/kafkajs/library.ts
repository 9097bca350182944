/**
 * The only door to kafkajs. The library is unmaintained and some of its faults matter here, so a private copy of exactly
 * the version that was studied is loaded, with internal modules replaced before anything uses them:
 *
 * - the decoders of a fetch can be stopped by what they decode (see records.ts);
 * - the encoder of a record is slow, and stumbles over a header without a value (see record-encoder.ts);
 * - metadata and fetches fail as a whole for one partition (see metadata.ts and fetching.ts);
 * - `filterAbortedMessages` shows records of aborted transactions to read_committed consumers (see aborted.ts);
 * - `KafkaJsBatch` forgets the last stable offset and hides batches in which nothing is left, so that a reader could not tell
 *   that it has reached the end of a partition whose last record is a transaction marker;
 * - a consumer that is stopped while brokers come or go turns in a circle (see fetch-manager.ts);
 * - a consumer of several brokers loses a batch that comes in a certain moment (see batch-worker.ts).
 *
 * And it is given the codecs that it lacks (see compression.ts).
 */
import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import type * as KafkaJS from 'kafkajs';
import { CodedError } from '../../errors.ts';
import { withoutAborted } from './aborted.ts';
import type { AbortedTransaction, RawRecord } from './aborted.ts';
import { batchWorker } from './batch-worker.ts';
import { codecs } from './compression.ts';
import { stayingStopped } from './fetch-manager.ts';
import type { CreateFetchManager } from './fetch-manager.ts';
import { encodeRecord } from './record-encoder.ts';
import { consumerGroupOf, fetchParser, isOutOfRange, isUnreadable, type ConsumerGroupClass } from './fetching.ts';
import { withCurrentCoordinator } from './group-coordinator.ts';
import { metadataParser } from './metadata.ts';
import { fetchDecoder, lastOffsetOf, recordDecoder, refusalOf } from './records.ts';
import type { Refusal } from './records.ts';
import { withAcceptedTimeout } from './member-timeout.ts';
import { withStaticMembers } from './static-member.ts';

export type { KafkaJS };
export const KAFKAJS_VERSION = '2.2.4';

type Library = typeof KafkaJS;

interface PartitionData {
  readonly errorCode?: number;
  readonly lastStableOffset?: string;
  readonly highWatermark: string;
}

/** What `eachBatch` is handed, with what {@link library} adds to it. */
export interface KafkaJsBatch extends KafkaJS.Batch {
  /** The offset that was asked for. */
  readonly fetchedOffset: string;
  readonly lastStableOffset: string;
  /** The records end before a batch that cannot be decoded. */
  readonly refusal: Refusal | undefined;
  /** The broker does not have the offset that was asked for; only told to members that keep their own positions. */
  readonly outOfRange: boolean;
  isEmptyIncludingFiltered(): boolean;
}

type BatchClass = new (
  topic: string,
  fetchedOffset: string,
  data: PartitionData,
) => {
  readonly fetchedOffset: string;
  readonly rawMessages: readonly unknown[];
  isEmptyIncludingFiltered(): boolean;
  lastOffset(): string | null;
};

let loaded: Library | undefined;

/** Throws CodedError LIBRARY when the installed kafkajs is not exactly {@link KAFKAJS_VERSION}. */
export function assertVersion(version: string): void {
  if (version === KAFKAJS_VERSION) return;
  throw new CodedError(
    'LIBRARY',
    `kafkajs ${version} is installed, but exactly-once was proven with ${KAFKAJS_VERSION} and depends on its internals: ` +
      `install it with "npm install --save-exact kafkajs@${KAFKAJS_VERSION}"`,
  );
}

/** The patched library; loaded at the first call. Throws CodedError LIBRARY. */
export function library(): Library {
  loaded ??= load();
  return loaded;
}

function load(): Library {
  const require = createRequire(import.meta.url);
  const manifest = require.resolve('kafkajs/package.json');
  assertVersion((require(manifest) as { version: string }).version);

  // A copy that somebody loaded before could not be patched any more: it is set aside, and put back afterwards.
  const folder = dirname(manifest) + sep;
  const others = Object.keys(require.cache).filter((file) => file.startsWith(folder) && file.endsWith('.js'));
  const aside = others.map((file) => [file, require.cache[file]] as const);
  for (const file of others) delete require.cache[file];
  try {
    // From the inside out: a module keeps what it has required.
    replace(require, 'kafkajs/src/protocol/recordBatch/record/v0/decoder', (original) =>
      recordDecoder(original as Parameters<typeof recordDecoder>[0]),
    );
    replace(require, 'kafkajs/src/protocol/recordBatch/record/v0', () => encodeRecord);
    replace(require, 'kafkajs/src/protocol/requests/fetch/v4/decodeMessages', (original) => {
      const [decoder, batch] = [
        require('kafkajs/src/protocol/decoder'),
        require('kafkajs/src/protocol/recordBatch/v0/decoder'),
      ] as unknown[];
      const [Decoder, decodeBatch, decodeOld] = [decoder, batch, original] as Parameters<typeof fetchDecoder>;
      return fetchDecoder(Decoder, decodeBatch, decodeOld);
    });
    const { createErrorFromCode } = require('kafkajs/src/protocol/error') as {
      createErrorFromCode(code: number): Error;
    };
    // The parsers of all later versions are these.
    replace(require, 'kafkajs/src/protocol/requests/metadata/v0/response', (original) => ({
      ...(original as object),
      parse: metadataParser(createErrorFromCode),
    }));
    replace(require, 'kafkajs/src/protocol/requests/fetch/v0/response', (original) => ({
      ...(original as object),
      parse: fetchParser,
    }));
    replace(require, 'kafkajs/src/consumer/filterAbortedMessages', () => filterAborted);
    replace(require, 'kafkajs/src/consumer/batch', (original) => batchOf(original as BatchClass));
    replace(require, 'kafkajs/src/consumer/worker', () => batchWorker);
    replace(require, 'kafkajs/src/consumer/fetchManager', (original) => stayingStopped(original as CreateFetchManager));
    replace(require, 'kafkajs/src/consumer/consumerGroup', (original) =>
      consumerGroupOf(
        withAcceptedTimeout(withCurrentCoordinator(withStaticMembers(original as ConsumerGroupClass))),
        createErrorFromCode,
      ),
    );
    return withCodecs(require('kafkajs') as Library);
  } finally {
    for (const [file, module] of aside) require.cache[file] = module;
  }
}

function replace(require: NodeJS.Require, id: string, make: (original: unknown) => unknown): void {
  const original: unknown = require(id);
  const module = require.cache[require.resolve(id)];
  if (module === undefined) {
    throw new CodedError('LIBRARY', `${id} cannot be replaced: it is not in the module cache`);
  }
  module.exports = make(original);
}

function withCodecs(library: Library): Library {
  const { CompressionCodecs, CompressionTypes } = library;
  const { gzip, snappy, lz4, zstd } = codecs();
  CompressionCodecs[CompressionTypes.GZIP] = () => gzip;
  CompressionCodecs[CompressionTypes.Snappy] = () => snappy;
  CompressionCodecs[CompressionTypes.LZ4] = () => lz4;
  CompressionCodecs[CompressionTypes.ZSTD] = () => zstd;
  return library;
}

function filterAborted(options: {
  readonly messages: readonly RawRecord[];
  readonly abortedTransactions: readonly AbortedTransaction[] | null | undefined;
}): readonly RawRecord[] {
  return withoutAborted(options.messages, options.abortedTransactions ?? []);
}

function batchOf(Original: BatchClass): BatchClass {
  return class extends Original {
    readonly lastStableOffset: string;
    readonly errorCode: number;
    readonly outOfRange: boolean;
    readonly refusal: Refusal | undefined;
    /** Of the batches that were read, empty ones included; undefined when there was none. */
    readonly #lastRead: bigint | undefined;

    constructor(topic: string, fetchedOffset: string, data: PartitionData) {
      super(topic, fetchedOffset, data);
      this.lastStableOffset = data.lastStableOffset ?? data.highWatermark;
      this.errorCode = data.errorCode ?? 0;
      this.outOfRange = isOutOfRange(this.errorCode);
      this.refusal = isUnreadable(this.errorCode)
        ? { offset: Number(fetchedOffset), reason: `the broker cannot read its log there (error ${this.errorCode})` }
        : refusalOf(this.rawMessages);
      const last = lastOffsetOf(this.rawMessages);
      this.#lastRead = last !== undefined && last >= BigInt(fetchedOffset) ? last : undefined;
    }

    /**
     * Where the batches end that were read: behind what compaction has removed of them, too. Of nothing but a refused
     * batch: the offset before it, so that nobody goes past it unknowingly.
     */
    override lastOffset(): string | null {
      if (this.#lastRead !== undefined) return String(this.#lastRead);
      const nothing = this.refusal !== undefined && this.isEmptyIncludingFiltered();
      return nothing ? String(BigInt(this.fetchedOffset) - 1n) : super.lastOffset();
    }

    /** The runner swallows batches for which this is true; here they are delivered, without records. */
    isEmptyDueToFiltering(): boolean {
      return false;
    }

    isEmpty(): boolean {
      return (
        this.rawMessages.length === 0 && this.#lastRead === undefined && this.refusal === undefined && !this.outOfRange
      );
    }
  };
}
