/** The final table, as text. Pure. */
import { percentile } from './recovery.ts';
import { MAY_STAND, MUST_RECOVER_IN } from './run.ts';
import type { Done } from './run.ts';
import type { Settled } from './settle.ts';

export interface Facts {
  readonly seed: number;
  /** ms of the run, without the start of the servers. */
  readonly lasted: number;
  readonly baseline: number | undefined;
  readonly done: readonly Done[];
  /** Further lines. */
  readonly seen: readonly string[];
  readonly longestStall: number;
  readonly longestStallOfOne: number;
  /** Sends of the traffic that failed and were repeated. */
  readonly repeated: number;
  readonly unasked: readonly string[];
  /** By slot: highest resident memory in bytes, and lines logged. */
  readonly processes: readonly { readonly name: string; readonly memory: number; readonly lines: number }[];
}

export function slowOnes(done: readonly Done[]): readonly Done[] {
  return done.filter(({ recovery }) => recovery === undefined || recovery > MUST_RECOVER_IN);
}

/** Faults of some partitions because of which others stood still for too long. */
export function dragging(done: readonly Done[]): readonly Done[] {
  return done.filter(({ beside = 0 }) => beside > MAY_STAND);
}

export function reportOf(facts: Facts, { expected, verdict, inputs, outputs, deadLetters, drained }: Settled): string {
  const { done } = facts;
  const rows = [['fault', 'done', 'hit', 'p50', 'p99', 'max'], ...byKind(done), ['all', ...figures(done)]];
  const lines = [
    `seed ${facts.seed}, ${Math.round(facts.lasted / 1_000)} s`,
    '',
    ...(done.length === 0
      ? []
      : [
          ...table(rows),
          '',
          `times are to recover, in seconds; ${seconds(facts.baseline)} is what it takes without a fault`,
        ]),
    ...facts.seen,
    ...[...countsOf(done)].map(([name, count]) => `${name}: ${count}`),
    ...new Set(
      done
        .filter(({ skipped }) => skipped)
        .map(({ kind }) => `${kind} was skipped: a small file system cannot be mounted here`),
    ),
    `longest stall of the output: ${seconds(facts.longestStall)} s; of one partition: ${seconds(facts.longestStallOfOne)} s`,
    besideOf(done),
    `slower than ${MUST_RECOVER_IN / 1_000} s: ${slowOnes(done).length}`,
    `processes that ended or failed unasked: ${facts.unasked.length}`,
    ...facts.unasked.slice(0, 10).map((what) => `  ${what.split('\n')[0]}`),
    ...facts.processes.map(
      ({ name, memory, lines: logged }) =>
        `${name}: ${Math.round(memory / 1_048_576)} MiB at most, ${logged} lines logged`,
    ),
    `events: ${inputs} (${facts.repeated} sends repeated); outputs: ${outputs} of ${expected.outputs.length} expected; dead letters: ${deadLetters} of ${expected.deadLetters.length} expected`,
    ...expected.facts,
    `all out ${seconds(drained)} s after the end of the traffic`,
    `verdict: ${
      verdict.ok
        ? 'RIGHT: none missing, none twice, none different'
        : `WRONG: ${Object.entries(verdict.counts)
            .filter(([, count]) => count > 0)
            .map(([kind, count]) => `${count} ${kind}`)
            .join(', ')}`
    }`,
    ...verdict.differences.slice(0, 20),
  ];
  return lines.join('\n');
}

function besideOf(done: readonly Done[]): string {
  const rows = done
    .flatMap(({ kind, beside }) => (beside === undefined ? [] : [{ kind, beside }]))
    .sort((a, b) => b.beside - a.beside);
  const [worst] = rows;
  if (worst === undefined) return 'no fault left a partition alone';
  return `longest stall of a partition because of a fault of others: ${seconds(worst.beside)} s (${worst.kind}), p50 ${seconds(
    percentile(
      rows.map(({ beside }) => beside),
      0.5,
    ),
  )} s of ${rows.length} faults; above ${MAY_STAND / 1_000} s: ${dragging(done).length}`;
}

function byKind(done: readonly Done[]): string[][] {
  return [...new Set(done.map(({ kind }) => kind))]
    .sort()
    .map((kind) => [kind, ...figures(done.filter((one) => one.kind === kind))]);
}

function figures(done: readonly Done[]): string[] {
  const times = done.map(({ recovery }) => recovery ?? Infinity);
  return [
    String(done.length),
    String(done.filter(({ hit }) => hit).length),
    ...[0.5, 0.99, 1].map((fraction) => seconds(percentile(times, fraction))),
  ];
}

function countsOf(done: readonly Done[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { counts } of done) {
    for (const [name, count] of Object.entries(counts)) sums.set(name, (sums.get(name) ?? 0) + count);
  }
  return sums;
}

function seconds(ms: number | undefined): string {
  return ms === undefined || ms === Infinity ? 'never' : (ms / 1_000).toFixed(1);
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
}
