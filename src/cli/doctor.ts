/** `doctor`: one line a check; exit code 1 if one fails, 2 if it is the configuration that is wrong. */
import { Command } from 'commander';
import { CodedError, messageOf } from '../engine/errors.ts';
import { checkConfiguration } from '../tools/doctor/configuration.ts';
import { checkEncryption } from '../tools/doctor/encryption.ts';
import { checkExpiry } from '../tools/doctor/expiry.ts';
import { checkKafka } from '../tools/doctor/kafka.ts';
import { checkProgram } from '../tools/doctor/program.ts';
import { checkSchemaRegistry, checkSessionService, checkTemporal } from '../tools/doctor/services.ts';
import { checkTracing } from '../tools/doctor/tracing.ts';
import type { Finding } from '../tools/doctor/finding.ts';
import { readEnvironment } from '../money/config.ts';
import { createLogger } from '../engine/log.ts';
import { named } from './context.ts';
import { nextOfFinding } from './next.ts';
import { result, wantsDocument } from './document.ts';
import { count, progress, takesColour, writeLine } from './output.ts';
import { printable } from '../engine/printable.ts';

const SIGNS = { ok: '✓', warning: '!', failed: '✗' } as const;
const COLOURS = { ok: 32, warning: 33, failed: 31 } as const;

export function doctorCommand(): Command {
  return new Command('doctor')
    .description(
      'Checks the versions of this program, the configuration, Kafka with its topics and permissions, Temporal, the ' +
        'session service, for Avro the schema registry, and the collector of traces; one line a check: ✓ fine, ! take note, ✗ failed. Changes nothing.',
    )
    .option('--json', 'one JSON document: a list of all checks')
    .action(doctor);
}

async function doctor(): Promise<void> {
  const env = readEnvironment(process.cwd());
  const logger = createLogger({ level: env['ENRICHMENT_LOG_LEVEL'] === 'debug' ? 'debug' : 'fatal' });
  const all: Finding[] = [];
  const show = (findings: readonly Finding[]): void => {
    all.push(...findings);
    if (!wantsDocument()) for (const finding of findings) writeLine(lineOf(finding));
  };
  show(checkProgram());
  const { config, findings, problems } = checkConfiguration(env);
  show(findings);
  if (config !== undefined) {
    show(await checkEncryption(config));
    show(checkExpiry(config, env, Date.now()));
    const waiting = progress('still asking Kafka, Temporal and the services');
    try {
      const checks = [
        checkKafka(named(config), logger),
        checkTemporal(config, env),
        checkSessionService(config),
        checkSchemaRegistry(config),
        checkTracing(config),
      ];
      for (const findings of await Promise.all(checks)) show(findings);
    } finally {
      waiting.end();
    }
  }
  const checks = all.map((finding) => ({ ...finding, next: nextOfFinding(finding) }));
  if (wantsDocument()) result(checks, () => []);
  const failed = all.filter(({ level }) => level === 'failed').length;
  if (problems.length > 0) throw new CodedError('CONFIG', problems.join('\n'));
  if (failed > 0) throw new CodedError('CHECK_FAILED', `${count(failed, 'check')} failed`);
}

function lineOf({ level, subject, message }: Finding): string {
  const sign = takesColour(process.stdout) ? `\u001b[${COLOURS[level]}m${SIGNS[level]}\u001b[0m` : SIGNS[level];
  return `${sign} ${subject}: ${printable(messageOf(message))}`;
}
