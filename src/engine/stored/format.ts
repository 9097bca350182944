/**
 * Values in Avro's single-object encoding: two bytes of mark, eight of the fingerprint of the schema that they were written
 * with, and the value. They are read by resolution of that schema, of whichever version it is, with today's.
 */
import avsc from 'avsc';
import { CodedError } from '../errors.ts';
import { fingerprintOf } from './fingerprint.ts';
import { plainTypes, type Plain } from './plain.ts';
import {
  ledgerSchemas,
  olderLedgerSchemas,
  olderSchemas,
  todaysSchemas,
  type RecordSchema,
  type SchemaFile,
} from './schema.ts';

const MARK = Buffer.from([0xc3, 0x01]);
const HEAD = MARK.length + 8;

interface Root {
  readonly name: string;
  readonly type: avsc.Type;
  readonly plain: Plain;
  readonly head: Buffer;
}

interface Writer {
  readonly root: Root;
  /** Undefined: today's schema wrote it. */
  readonly resolver: avsc.Resolver | undefined;
}

export class StoredFormat {
  readonly #roots: ReadonlyMap<string, Root>;
  /** By fingerprint, in hex. */
  readonly #writers = new Map<string, Writer>();

  /** Throws CodedError CONFIG when what an older version wrote cannot be read with today's schemas, unless that is to be skipped. */
  constructor(today: SchemaFile, older: readonly SchemaFile[], { skip = false } = {}) {
    this.#roots = rootsOf(today);
    for (const root of this.#roots.values()) this.#writers.set(fingerprintIn(root.head), { root, resolver: undefined });
    for (const file of older) {
      for (const { name, type, head } of rootsOf(file).values()) {
        if (this.#writers.has(fingerprintIn(head))) continue;
        const root = this.#roots.get(name);
        try {
          if (root === undefined) {
            throw new CodedError('CONFIG', `schemas: ${name} is missing, which ${file.version} wrote`);
          }
          this.#writers.set(fingerprintIn(head), { root, resolver: resolverOf(root, type, file.version) });
        } catch (error) {
          if (!skip) throw error;
        }
      }
    }
  }

  /** How values of this root are written without our head: for a file that has the schema itself. Throws CodedError CONFIG for an unknown name. */
  root(name: string): { readonly type: avsc.Type; toAvro(value: unknown): unknown; fromAvro(value: unknown): unknown } {
    const { type, plain } = this.#root(name);
    return { type, toAvro: (value) => plain.toAvro(value), fromAvro: (value) => plain.fromAvro(value) };
  }

  /** Throws CodedError CONFIG for a value that is not of the type. */
  encode(name: string, value: unknown): Buffer {
    const root = this.#root(name);
    try {
      return Buffer.concat([root.head, root.type.toBuffer(root.plain.toAvro(value))]);
    } catch (error) {
      // The message of avsc quotes the value.
      throw new CodedError('CONFIG', `a value cannot be written as the ${name} of the schemas${placeOf(root, value)}`, {
        cause: error,
      });
    }
  }

  #root(name: string): Root {
    const root = this.#roots.get(name);
    if (root === undefined) throw new CodedError('CONFIG', `schemas: there is no root ${name}`);
    return root;
  }

  /** The value and the root that it is of. Throws CodedError NEWER_STATE, or DIVERGENCE for bytes that are none of ours. */
  decode(bytes: Uint8Array): { readonly name: string; readonly value: unknown } {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (buffer.length < HEAD || !buffer.subarray(0, MARK.length).equals(MARK)) {
      throw new CodedError('DIVERGENCE', 'not an Avro single object');
    }
    const fingerprint = fingerprintIn(buffer);
    const writer = this.#writers.get(fingerprint);
    if (writer === undefined) {
      throw new CodedError(
        'NEWER_STATE',
        `written with a schema that this version does not know (fingerprint ${fingerprint}): a newer version wrote it. Run that one or a newer one; nothing is lost meanwhile`,
      );
    }
    const { root, resolver } = writer;
    try {
      return { name: root.name, value: root.plain.fromAvro(root.type.fromBuffer(buffer.subarray(HEAD), resolver)) };
    } catch (error) {
      throw new CodedError('DIVERGENCE', `not a ${root.name} as its schema (fingerprint ${fingerprint}) has it`, {
        cause: error,
      });
    }
  }
}

/**
 * As the version with these schemas has it, which runs in a process of this one: it reads what any version wrote whose values can be
 * resolved with its schemas, newer ones too. Of what cannot, {@link StoredFormat.decode} says NEWER_STATE.
 */
export function stateFormatOf(file: SchemaFile): StoredFormat {
  return new StoredFormat(file, [...olderSchemas(), todaysSchemas()], { skip: true });
}

/** Of the schemas beside this code. */
export function stateFormat(): StoredFormat {
  return (shared ??= new StoredFormat(todaysSchemas(), olderSchemas()));
}
let shared: StoredFormat | undefined;

/** Of what the engine stores by itself; the schemas of the application are not even read for it. */
export function ledgerFormat(): StoredFormat {
  return (sharedLedger ??= new StoredFormat(ledgerSchemas(), olderLedgerSchemas()));
}
let sharedLedger: StoredFormat | undefined;

/** In hex, of each root. */
export function fingerprintsOf(file: SchemaFile): ReadonlyMap<string, string> {
  return new Map([...rootsOf(file)].map(([name, { head }]) => [name, fingerprintIn(head)]));
}

/** Of every record, by name. */
export function avscTypes(records: readonly RecordSchema[]): ReadonlyMap<string, avsc.Type> {
  const registry: Record<string, avsc.Type> = {};
  return new Map(
    records.map((schema) => [
      schema.name,
      avsc.Type.forSchema(schema as unknown as avsc.Schema, { registry, wrapUnions: 'always' }),
    ]),
  );
}

function rootsOf({ records }: SchemaFile): ReadonlyMap<string, Root> {
  const types = avscTypes(records);
  const plain = plainTypes(records);
  return new Map(
    records
      .filter(({ root }) => root === true)
      .map(({ name }) => {
        const type = types.get(name)!;
        return [
          name,
          {
            name,
            type,
            plain: plain.get(name)!,
            head: Buffer.concat([MARK, fingerprintOf(JSON.stringify(type.schema()))]),
          },
        ];
      }),
  );
}

function resolverOf({ name, type }: Root, writer: avsc.Type, version: string): avsc.Resolver {
  try {
    return type.createResolver(writer);
  } catch (error) {
    throw new CodedError(
      'CONFIG',
      `schemas: ${name} cannot be read as ${version} wrote it: see npm run schemas:check`,
      { cause: error },
    );
  }
}

function fingerprintIn(bytes: Buffer): string {
  return bytes.subarray(MARK.length, HEAD).toString('hex');
}

/** Where the value is wrong, without quoting it. */
function placeOf({ type, plain }: Root, value: unknown): string {
  let place = '';
  try {
    type.isValid(plain.toAvro(value), { errorHook: (path: string[]) => (place ||= `, at ${path.join('.')}`) });
  } catch {
    // What cannot even be converted has no place.
    return '';
  }
  return place;
}
