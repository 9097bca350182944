/** `codec-server`: decodes payloads for Temporal's UI and command line until it is told to stop. */
import { Command } from 'commander';
import { CODEC_JWKS, CODEC_TOKEN } from '../money/config/codec-server.ts';
import { CodedError } from '../engine/errors.ts';
import { anybody, holdersOf, whoKnows } from '../engine/temporal/codec-callers.ts';
import { startCodecServer } from '../engine/temporal/codec-server.ts';
import { isLoopbackHost, temporalConnectionOptions } from '../engine/temporal/connection.ts';
import { dataConverterOf } from '../engine/temporal/payload-codec.ts';
import { onStopSignal } from '../engine/process/stop-signal.ts';
import { wholeNumber } from './arguments.ts';
import { auditOf } from './audit.ts';
import { createContext } from './context.ts';

interface Options {
  readonly host: string;
  readonly port: number;
  readonly withoutToken?: true;
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
    .option('--without-token', 'on other addresses, too: only where nobody else can reach them, as in a container')
    .action((options: Options) => serveCodec(options));
}

async function serveCodec({ host, port, withoutToken }: Options): Promise<void> {
  const { config, env, logger, encryption } = createContext();
  const { codecToken, codecIssuer } = config;
  const callers = codecIssuer ? holdersOf(codecIssuer) : codecToken === undefined ? anybody : whoKnows(codecToken);
  if (callers === anybody && withoutToken !== true && !isLoopbackHost(host)) {
    throw new CodedError(
      'CONFIG',
      `${CODEC_TOKEN} is not set, nor ${CODEC_JWKS}: expected a secret, or who gives out tokens, as --host ${host} can be reached from elsewhere; --without-token where it cannot`,
    );
  }
  await encryption.ready?.();
  const audit = auditOf('codec-server', env);
  const stop = onStopSignal();
  const server = await startCodecServer({
    host,
    port,
    codecs: dataConverterOf(encryption).payloadCodecs ?? [],
    namespaces: [temporalConnectionOptions(env).namespace],
    origins: config.codecCorsOrigins,
    callers,
    logger,
    ...(audit && { audit }),
  });
  process.stdout.write(`READY ${JSON.stringify({ codecServer: server.url })}\n`);
  await stop;
  await server.close();
}
