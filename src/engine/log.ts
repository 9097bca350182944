/**
 * Structured logs: one JSON object a line on stderr, plain lines where stderr is a terminal; stdout belongs to the
 * output of commands. No values, keys or fields of records are ever logged: topics, partitions, offsets and, where it
 * cannot do without, business keys and workflow ids.
 */
import { pino, stdSerializers, stdTimeFunctions } from 'pino';
import type { DestinationStream, Logger as PinoLogger } from 'pino';

export type Logger = PinoLogger;

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** `json-words`: JSON in which a level is its name and not pino's number. */
export const LOG_FORMATS = ['json', 'json-words', 'text'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

const LEVEL_NAMES: Readonly<Record<number, string>> = {
  10: 'TRACE',
  20: 'DEBUG',
  30: 'INFO ',
  40: 'WARN ',
  50: 'ERROR',
  60: 'FATAL',
};
const HIDDEN = new Set(['level', 'time', 'pid', 'hostname', 'msg', 'component', 'err', 'service', 'version']);

export interface LoggerOptions {
  /** One of {@link LOG_LEVELS}; `info` when absent. */
  readonly level?: string;
  /** Fields of every line. */
  readonly base?: Readonly<Record<string, unknown>>;
  /** Where lines go; stderr when absent. */
  readonly destination?: { write(line: string): unknown };
  /** Plain lines where stderr is a terminal, and JSON elsewhere, when absent. */
  readonly format?: LogFormat;
}

export function createLogger(options: LoggerOptions = {}): Logger {
  const destination = options.destination ?? process.stderr;
  const terminal = options.destination === undefined && process.stderr.isTTY === true;
  const format = options.format ?? (terminal ? 'text' : 'json');
  const plain = format === 'text';
  const stream: DestinationStream = {
    write: (line) => void destination.write(plain ? plainLine(line) : line),
  };
  return pino(
    {
      level: options.level ?? 'info',
      timestamp: stdTimeFunctions.isoTime,
      serializers: { err: errorFields },
      ...(format === 'json-words' && { formatters: { level: (label) => ({ level: label }) } }),
      ...(options.base === undefined ? {} : { base: { pid: process.pid, ...options.base } }),
      redact: { paths: ['password', 'apiKey', '*.password', '*.apiKey', '*.sslKey', '*.sasl'], censor: '***' },
    },
    stream,
  );
}

/** For tests and for whatever has nothing to say. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}

function errorFields(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { type, message, stack } = stdSerializers.err(error);
  const code = (error as { code?: unknown }).code;
  return { type, ...(code === undefined ? {} : { code }), message, stack };
}

/** `12:34:56.789 INFO  component: message key=value` */
function plainLine(json: string): string {
  const entry = JSON.parse(json) as Record<string, unknown>;
  const time = String(entry['time']).slice(11, 23);
  const component = entry['component'] === undefined ? '' : `${String(entry['component'])}: `;
  const error = entry['err'] as { message?: string } | undefined;
  const fields = Object.entries(entry)
    .filter(([name]) => !HIDDEN.has(name))
    .map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const text = `${component}${String(entry['msg'] ?? '')}${error?.message === undefined ? '' : ` (${error.message})`}`;
  return `${time} ${LEVEL_NAMES[Number(entry['level'])] ?? 'LOG  '} ${text}${fields.join('')}\n`;
}
