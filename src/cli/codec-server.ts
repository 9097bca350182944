/** `codec-server`: decodes payloads for Temporal's UI and command line until it is told to stop. */
import { Command } from 'commander';
import { CODEC_JWKS, CODEC_TOKEN } from '../money/config/codec-server.ts';
import { CodedError } from '../engine/errors.ts';
import { anybody, holdersOf, whoKnows } from '../engine/temporal/codec-callers.ts';
import { startCodecServer } from '../engine/temporal/codec-server.ts';
import { temporalConnectionOptions } from '../engine/temporal/connection.ts';
import { dataConverterOf } from '../engine/temporal/payload-codec.ts';
import { onStopSignal } from '../engine/process/stop-signal.ts';
import { wholeNumber } from './arguments.ts';
import { createContext } from './context.ts';

interface Options {
  readonly host: string;
  readonly port: number;
}

export function codecServerCommand(): Command {
  return new Command('codec-server')
    .description(
      "Decodes payloads (Avro, compressed, encrypted) for Temporal's UI and command line: POST /decode and /encode. Serves the\n" +
        'namespace that is configured. Prints READY when it listens. Whoever may ask it can read personal data.',
    )
    .option('--port <n>', 'port to listen on; 0 takes a free one', wholeNumber(0, 65_535), 8081)
    .option(
      '--host <address>',
      `address to listen on; another than this machine's own needs ${CODEC_TOKEN}`,
      '127.0.0.1',
    )
    .action((options: Options) => serveCodec(options));
}

async function serveCodec({ host, port }: Options): Promise<void> {
  const { config, env, logger, encryption } = createContext();
  const { codecToken, codecIssuer } = config;
  const callers = codecIssuer ? holdersOf(codecIssuer) : codecToken === undefined ? anybody : whoKnows(codecToken);
  if (callers === anybody && !isLoopback(host)) {
    throw new CodedError(
      'CONFIG',
      `${CODEC_TOKEN} is not set, nor ${CODEC_JWKS}: expected a secret, or who gives out tokens, as --host ${host} can be reached from elsewhere`,
    );
  }
  const stop = onStopSignal();
  const server = await startCodecServer({
    host,
    port,
    codecs: dataConverterOf(encryption).payloadCodecs ?? [],
    namespaces: [temporalConnectionOptions(env).namespace],
    origins: config.codecCorsOrigins,
    callers,
    logger,
  });
  process.stdout.write(`READY ${JSON.stringify({ codecServer: server.url })}\n`);
  await stop;
  await server.close();
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
