/** docs/reference.md out of the code: commands with their options, metrics, and what an error's code means. */
import { fileURLToPath } from 'node:url';
import type { Command, Option } from 'commander';
import { Registry } from 'prom-client';
import { exitCodeOf, FAILURES, type FailureCode } from '../../src/cli/failures.ts';
import { createProgram } from '../../src/cli/program.ts';
import { createExpiryMetrics } from '../../src/money/expiry.ts';
import { createBridgeMetrics, createWorkerMetrics } from '../../src/money/metrics.ts';
import { createProcessMetrics } from '../../src/money/metrics/process.ts';

export const REFERENCE_PAGE = fileURLToPath(new URL('../../docs/reference.md', import.meta.url));
const PREFIX = 'money_enrichment_';

export async function referenceText(): Promise<string> {
  const program = await createProgram('money-enrichment', 'all', () => undefined);
  return [
    '# Reference',
    '',
    'Written by `npm run reference -- --write` out of the code, and compared with it by a test. What things are for is told by',
    '[Commands](commands.md), [Configuration](configuration.md) and [Metrics](metrics.md).',
    '',
    '## Commands',
    '',
    'Every command has `--help`, and `--json`: one JSON document on stdout, all else on stderr.',
    '',
    ...program.commands.filter((command) => command.name() !== 'help').flatMap((command) => sectionOf(command, [])),
    '## Error codes',
    '',
    '`code` and `next` of the document that `--json` gives where a command fails.',
    '',
    '| code | exit code | means | `next`, mostly |',
    '|---|---|---|---|',
    ...Object.entries(FAILURES).map(
      ([code, { means, next }]) =>
        `| \`${code}\` | ${exitCodeOf(code as FailureCode)} | ${cell(means)} | ${cell(next)} |`,
    ),
    '',
    '## Metrics',
    '',
    `Names begin with \`${PREFIX}\`.`,
    '',
    ...(await metricsOf('Of the bridge', (registry) => createBridgeMetrics(registry, []))),
    ...(await metricsOf('Of the worker', createWorkerMetrics)),
    ...(await metricsOf('Of both', (registry) => {
      createProcessMetrics(registry, 'worker');
      createExpiryMetrics(registry);
    })),
  ].join('\n');
}

function sectionOf(command: Command, above: readonly string[]): string[] {
  const path = [...above, command.name()];
  const options = command
    .createHelp()
    .visibleOptions(command)
    .filter(({ long }) => long !== '--help' && long !== '--json');
  const list = [...command.registeredArguments.map(argumentOf), ...options.map(optionOf)];
  return [
    `${'#'.repeat(2 + path.length)} ${path.join(' ')}`,
    '',
    cell(command.description()),
    '',
    ...(list.length === 0 ? [] : ['| | | default |', '|---|---|---|', ...list, '']),
    ...command.commands.flatMap((child) => sectionOf(child, path)),
  ];
}

function argumentOf(argument: Command['registeredArguments'][number]): string {
  const name = argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
  return row(name, argument.description, argument.defaultValue, argument.argChoices);
}

function optionOf({ flags, description, defaultValue, defaultValueDescription, argChoices }: Option): string {
  return row(flags, description, defaultValueDescription ?? defaultValue, argChoices);
}

function row(name: string, description: string, otherwise: unknown, choices: readonly string[] | undefined): string {
  const among = choices === undefined ? '' : ` (one of ${choices.join(', ')})`;
  const shown = otherwise === undefined || otherwise === false ? '' : `\`${String(otherwise)}\``;
  return `| \`${name.replaceAll('|', '\\|')}\` | ${cell(description + among)} | ${shown} |`;
}

async function metricsOf(title: string, create: (registry: Registry) => unknown): Promise<string[]> {
  const registry = new Registry();
  create(registry);
  const metrics = (await registry.getMetricsAsJSON()).filter(({ name }) => name.startsWith(PREFIX));
  return [
    `### ${title}`,
    '',
    '| metric | type | labels | help |',
    '|---|---|---|---|',
    ...metrics
      .map(({ name, help, type }) => {
        const labels = labelsOf(registry, name).map((label) => `\`${label}\``);
        return `| \`${name.slice(PREFIX.length)}\` | ${String(type)} | ${labels.join(', ')} | ${cell(help)} |`;
      })
      .sort(),
    '',
  ];
}

function labelsOf(registry: Registry, name: string): readonly string[] {
  const metric = registry.getSingleMetric(name) as unknown as { readonly labelNames?: readonly string[] };
  return metric.labelNames ?? [];
}

/** Of a table: no new line, and no bar that would end it; what stands in angle brackets would be HTML. */
function cell(text: string): string {
  return text
    .replace(/\s*\n\s*/g, ' ')
    .replaceAll('|', '\\|')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
