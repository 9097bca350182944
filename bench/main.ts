/**
 * `npm run bench -- --side old=../before --side new=. [--row NAME ...]`: two sides in turn, A B, B A, on one broker and one Temporal
 * server, every output judged by the model. First the first side against itself: what differs there is noise.
 *
 *   --side NAME[=FOLDER][,SETTING=VALUE ...]  twice; a checkout or a package, this one when no folder is named; `bare` for the
 *                                             bare touch. Without any: this checkout against the bare touch, for the rows that have one.
 *   --row NAME       some of: see bench/rows.ts. All when absent.
 *   --rounds N       pairs of rounds, 7; --alike N: of the first side against itself, 3
 *   --scale X        of all sizes; to try something out
 *   --others X       cores that others may use in a round that counts, 0.1
 *   --json FILE      all figures; --baseline FILE: exit code 1 when a count is dearer than there; --write-baseline FILE
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, release } from 'node:os';
import { baselineOf, dearerThan, tableOf, type Baseline, type Measured, type Pair } from './report.ts';
import type { Figures } from './round.ts';
import { ROWS, roundOf, scaled, type Row } from './rows.ts';
import { startServers } from './servers.ts';
import { sideOf, type Side } from './sides.ts';
import { alternating } from './statistics.ts';
import { commandLine } from '../test/support/command-line.ts';

const USAGE =
  'npm run bench -- [--side NAME[=FOLDER][,SETTING=VALUE ...]]... [--row NAME]... [--rounds N] [--alike N] [--scale X] [--others X] [--json FILE] [--baseline FILE] [--write-baseline FILE]';
const { values } = commandLine(USAGE, {
  options: {
    side: { type: 'string', multiple: true },
    row: { type: 'string', multiple: true },
    rounds: { type: 'string', default: '7' },
    alike: { type: 'string', default: '3' },
    scale: { type: 'string', default: '1' },
    others: { type: 'string', default: '0.1' },
    json: { type: 'string' },
    baseline: { type: 'string' },
    'write-baseline': { type: 'string' },
  },
});

const log = (line: string): void => console.error(line);

async function main(): Promise<number> {
  const sides = (values.side ?? ['bare', 'product']).map(sideOf);
  const [first, second] = sides;
  if (first === undefined || second === undefined || sides.length > 2) throw new Error('two sides: --side A --side B');
  const all: Measured[] = [];
  for (const row of rowsFor([first, second])) {
    const alike = await measure(row, [first, { ...first, name: `${first.name} again` }], Number(values.alike));
    if (alike.pairs.length > 0) print(alike);
    const measured = await measure(row, [first, second], Number(values.rounds));
    print(measured);
    all.push(measured);
  }
  if (values.json !== undefined) {
    const [cpu] = cpus();
    const machine = { cores: cpus().length, model: cpu?.model, arch: arch(), kernel: release(), node: process.version };
    writeFileSync(values.json, `${JSON.stringify({ version: 1, machine, measured: all }, undefined, 2)}\n`);
  }
  if (values['write-baseline'] !== undefined) {
    writeFileSync(values['write-baseline'], `${JSON.stringify(baselineOf(all), undefined, 2)}\n`);
  }
  if (values.baseline === undefined) return 0;
  const dearer = dearerThan(JSON.parse(readFileSync(values.baseline, 'utf8')) as Baseline, all);
  for (const line of dearer) console.log(`dearer: ${line}`);
  return dearer.length > 0 ? 1 : 0;
}

function rowsFor(sides: readonly Side[]): Row[] {
  const unknown = (values.row ?? []).filter((name) => !ROWS.some((row) => row.name === name));
  if (unknown.length > 0) {
    throw new Error(`--row ${unknown.join(', ')}: expected ${ROWS.map(({ name }) => name).join(', ')}`);
  }
  const withBare = sides.some(({ kind }) => kind === 'bare');
  return ROWS.filter(({ name, touches }) => (values.row?.includes(name) ?? true) && (touches || !withBare)).map((row) =>
    scaled(row, Number(values.scale)),
  );
}

/** On servers of the row's own: what one row leaves behind slows down no other. */
async function measure(row: Row, sides: readonly [Side, Side], rounds: number): Promise<Measured> {
  const pairs: Pair[] = [];
  const names = [sides[0].name, sides[1].name] as const;
  if (rounds > 0) {
    const servers = await startServers(log);
    try {
      for (const [round, order] of alternating(sides, rounds).entries()) {
        const figures: Record<string, Figures> = {};
        for (const side of order) {
          log(`${row.name}, round ${round + 1} of ${rounds}: ${side.name}`);
          figures[side.name] = await roundOf(row, side, servers, 1_000 + round);
          log(`  ${JSON.stringify(figures[side.name])}`);
        }
        pairs.push({ round: round + 1, figures, ...disturbed(figures) });
      }
    } finally {
      await servers.stop();
    }
  }
  return { row: row.name, what: row.what, sides: names, pairs };
}

function disturbed(figures: Readonly<Record<string, Figures>>): { readonly dropped?: string } {
  const most = Math.max(...Object.values(figures).map((one) => one['others, cores'] ?? 0));
  return most > Number(values.others) ? { dropped: `others used ${most.toFixed(2)} cores` } : {};
}

function print(measured: Measured): void {
  console.log(`\n${tableOf(measured)}\n`);
  for (const { round, dropped } of measured.pairs) {
    if (dropped !== undefined) console.log(`round ${round} does not count: ${dropped}`);
  }
}

process.exitCode = await main();
