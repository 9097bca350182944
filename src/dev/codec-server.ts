/** A codec server for the Temporal of a developer: on a free port of this machine, for whoever is on it. */
import { LOOPBACK } from './ports.ts';
import { silentLogger } from '../engine/log.ts';
import { anybody } from '../engine/temporal/codec-callers.ts';
import { startCodecServer } from '../engine/temporal/codec-server.ts';
import { dataConverterOf } from '../engine/temporal/payload-codec.ts';
import type { Config } from '../money/config.ts';
import { encryptionOf } from '../money/config/encryption.ts';

export interface LocalCodecServer {
  /** URL */
  readonly url: string;
  /** Pages of this origin may ask from now on. */
  allow(origin: string): void;
  stop(): Promise<void>;
}

/** Errors: CONFIG, when the keys cannot be had. */
export async function startLocalCodecServer(config: Config, namespace: string): Promise<LocalCodecServer> {
  const origins = [...config.codecCorsOrigins];
  const logger = silentLogger();
  const encryption = encryptionOf(config, logger);
  await encryption.ready?.();
  const server = await startCodecServer({
    host: LOOPBACK,
    port: 0,
    codecs: dataConverterOf(encryption).payloadCodecs ?? [],
    namespaces: [namespace],
    origins,
    callers: anybody,
    logger,
  });
  return { url: server.url, allow: (origin) => void origins.push(origin), stop: () => server.close() };
}
