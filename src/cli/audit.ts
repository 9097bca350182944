/**
 * Who ran which command, when, on what: a line of JSON before each command that reads personal data or writes, and one when it has
 * ended; of the codec server, one for each decoding. They go to the file ENRICHMENT_AUDIT_FILE (`/dev/stderr` for a container's log), and nowhere when it is not set. Where a
 * line cannot be written the command does not run. No line has values of records; a user is named by the id of the workflow, which is a
 * keyed hash where ids are hashed.
 */
import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import type { Command } from 'commander';
import { CodedError, messageOf } from '../engine/errors.ts';
import { EnvironmentReader } from '../engine/process/environment-reader.ts';
import { productVersion } from '../engine/process/version.ts';
import { readEnvironment } from '../money/config.ts';
import { readAudit } from '../money/config/audit.ts';
import { workflowIdsOf } from '../money/workflow-ids.ts';

/** By the words of the command. The codec server has lines of its own. */
export const AUDITED: ReadonlyMap<string, 'reads' | 'writes'> = new Map([
  ['state', 'reads'],
  ['top', 'reads'],
  ['explain', 'reads'],
  ['export', 'reads'],
  ['replay', 'reads'],
  ['compare', 'reads'],
  ['dead-letters', 'reads'],
  ['dead-letters retry', 'writes'],
  ['dead-letters release', 'writes'],
  ['backfill', 'writes'],
  ['bootstrap', 'writes'],
  ['nudge', 'writes'],
  ['generate', 'writes'],
  ['topics', 'writes'],
] as const);

/** Who runs this process: as they say, or by their account. */
export function operator(env: NodeJS.ProcessEnv = readEnvironment()): string {
  return readAudit(new EnvironmentReader(env)).operator ?? account();
}

/** Of the operating system; `uid 10001` where it has no name, as in a container. */
function account(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

/** Says how the command has ended. */
export type Audit = (exitCode: number) => void;

/** `command` is about to run. Undefined: it is none of those, or no file is set. Throws CodedError CONFIG when it cannot be written. */
export function beginAudit(command: Command, env: NodeJS.ProcessEnv = readEnvironment()): Audit | undefined {
  const words = wordsOf(command);
  const does = AUDITED.get(words);
  const read = new EnvironmentReader(env);
  const { auditFile, operator: said } = readAudit(read);
  if (does === undefined || auditFile === undefined) return undefined;
  const hashKey = read.secret('ENRICHMENT_USER_ID_HASH_KEY', 32);
  const appId = read.text('ENRICHMENT_APP_ID', 'money-enrichment');
  const ids = workflowIdsOf({ appId, ...(hashKey !== undefined && { userIdHashKey: hashKey }) });
  const id = randomUUID();
  const write = (line: object): void => append(auditFile, { audit: id, at: new Date().toISOString(), ...line });
  write({
    event: 'begin',
    who: said ?? account(),
    account: account(),
    host: hostname(),
    pid: process.pid,
    version: productVersion(),
    command: words,
    does,
    appId,
    ...onWhat(command, ids),
  });
  return (exitCode) => write({ event: 'end', exitCode });
}

/** For what a server does while it runs: each line is one of the audit file. Undefined: no file is set. Throws as {@link beginAudit}. */
export function auditOf(service: string, env: NodeJS.ProcessEnv): ((line: object) => void) | undefined {
  const { auditFile } = readAudit(new EnvironmentReader(env));
  if (auditFile === undefined) return undefined;
  const about = { service, host: hostname(), pid: process.pid, version: productVersion() };
  return (line) => append(auditFile, { audit: randomUUID(), at: new Date().toISOString(), ...about, ...line });
}

function wordsOf(command: Command): string {
  return command.parent === null ? '' : `${wordsOf(command.parent)} ${command.name()}`.trim();
}

function onWhat(command: Command, ids: (userId: string) => string): { readonly what: object } {
  const options = Object.entries(command.opts<Record<string, unknown>>()).filter(
    ([name]) => command.getOptionValueSource(name) === 'cli',
  );
  const hideUser = (name: string, value: unknown): unknown =>
    /^user(Id)?$/.test(name) && typeof value === 'string' ? ids(value.toLowerCase()) : value;
  const typed = command.registeredArguments.flatMap((argument, index) =>
    command.args[index] === undefined ? [] : [[argument.name(), command.args[index]] as const],
  );
  return {
    what: Object.fromEntries([...typed, ...options].map(([name, value]) => [name, hideUser(name, value)])),
  };
}

function append(file: string, line: object): void {
  try {
    appendFileSync(file, `${JSON.stringify(line)}\n`, { mode: 0o600 });
  } catch (error) {
    throw new CodedError(
      'CONFIG',
      `ENRICHMENT_AUDIT_FILE="${file}": cannot be written (${messageOf(error)}), and what reads personal data or writes is done with an audit only`,
      { cause: error },
    );
  }
}
