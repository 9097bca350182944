/**
 * A data folder that Kafka accepts as formatted. Kafka's own tool takes seconds for it, so it runs once; what it wrote,
 * a checkpoint that only depends on Kafka's version, is kept in the cache and copied under fresh ids.
 */
import { cp, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { CodedError } from '../engine/errors.ts';
import { cached } from './cache.ts';
import { KAFKA_VERSION } from './kafka-jars.ts';
import { runProgram } from './processes.ts';

const META = 'meta.properties';

export interface FormatOptions {
  /** Kafka's `log.dirs`. */
  readonly folder: string;
  /** Kafka's `node.id`. */
  readonly nodeId: number;
  /** Of the cluster that the node belongs to; one of its own when absent. */
  readonly clusterId?: string | undefined;
  /** Of Apache Kafka. */
  readonly version?: string;
  /** Runs StorageTool: program and arguments in front of the tool's own. */
  readonly storageTool: readonly [string, ...string[]];
  readonly signal?: AbortSignal | undefined;
}

/** Does nothing to a folder that is formatted. Errors: UNREACHABLE with what the tool said. */
export async function formatFolder({
  folder,
  nodeId,
  clusterId = freshId(),
  version = KAFKA_VERSION,
  storageTool,
  signal,
}: FormatOptions): Promise<void> {
  if (await stat(join(folder, META)).catch(() => undefined)) return;
  const template = await cached(`kafka-${version}-formatted`, (into) => runTool(into, storageTool, signal), { signal });
  await cp(template, folder, { recursive: true });
  await writeFile(
    join(folder, META),
    `version=1\nnode.id=${nodeId}\ncluster.id=${clusterId}\ndirectory.id=${freshId()}\n`,
  );
}

async function runTool(
  into: string,
  [program, ...args]: readonly [string, ...string[]],
  signal?: AbortSignal,
): Promise<void> {
  const properties = join(into, 'server.properties');
  await writeFile(
    properties,
    `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:9093
listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093
controller.listener.names=CONTROLLER
log.dirs=${into}
`,
  );
  const { code, stdout, stderr } = await runProgram(program, [...args, 'format', '-t', freshId(), '-c', properties], {
    signal,
  });
  if (code !== 0) {
    throw new CodedError('UNREACHABLE', `Kafka could not format ${into}: ${(stderr || stdout).trim()}`);
  }
  await Promise.all([rm(properties), rm(join(into, META))]);
}

/** As Kafka writes a UUID; its parser takes no leading dash on command lines. */
export function freshId(): string {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? freshId() : id;
}
