/** The fixtures of the releases, as files: `fixtures/<version>/`, with the hash of each in `manifest.json`. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Payload } from '@temporalio/common';
import proto from '@temporalio/proto';

const ROOT = fileURLToPath(new URL('fixtures', import.meta.url));
const MANIFEST = 'manifest.json';
const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

/** In the order of their versions. */
export function versions(): string[] {
  return existsSync(ROOT) ? readdirSync(ROOT).sort((a, b) => a.localeCompare(b, 'en', { numeric: true })) : [];
}

/** Names of the fixtures of one kind, e.g. `states`, without what follows the first dot. */
export function namesOf(version: string, kind: string): string[] {
  return [...new Set(readdirSync(join(ROOT, version, kind)).map((file) => file.slice(0, file.indexOf('.'))))];
}

export function readBytes(version: string, file: string): Buffer {
  return readFileSync(join(ROOT, version, file));
}

export function readJson<T>(version: string, file: string): T {
  return JSON.parse(readBytes(version, file).toString()) as T;
}

export function readPayload(version: string, file: string): Payload {
  return PayloadMessage.decode(readBytes(version, file));
}

/** Of a version that was not written before. */
export class Writer {
  readonly #folder: string;
  readonly #hashes: Record<string, string> = {};

  constructor(version: string) {
    this.#folder = join(ROOT, version);
    if (existsSync(this.#folder)) {
      throw new Error(`${this.#folder} is there: the fixtures of a release are never written again`);
    }
  }

  bytes(file: string, content: Uint8Array): void {
    const path = join(this.#folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    this.#hashes[file] = hashOf(content);
  }

  json(file: string, content: unknown): void {
    this.bytes(file, Buffer.from(`${JSON.stringify(content)}\n`));
  }

  payload(file: string, payload: Payload): void {
    this.bytes(file, PayloadMessage.encode(payload).finish());
  }

  manifest(): void {
    writeFileSync(join(this.#folder, MANIFEST), `${JSON.stringify(this.#hashes, null, 2)}\n`);
  }
}

/** What is not as it was written: changed, gone, or come since. */
export function changedFiles(version: string): string[] {
  const hashes = readJson<Record<string, string>>(version, MANIFEST);
  const there = filesIn(join(ROOT, version)).filter((file) => file !== MANIFEST);
  const changed = there.filter((file) => hashes[file] !== hashOf(readBytes(version, file)));
  return [...changed, ...Object.keys(hashes).filter((file) => !there.includes(file))];
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

function hashOf(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
