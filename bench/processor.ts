/** Processor time and memory of processes, and of the whole machine, from /proc (Linux; see proc(5)). */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** /proc counts in these: 100 a second on every Linux that Node runs on. */
const TICK_MS = 10;

/** ms of processor time of a process since it began, in user and system mode, all its threads; 0 when it is gone. */
function processorMs(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in brackets, may have spaces in it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return 0;
  }
}

/** MiB of resident memory, at most, since the process began. */
export function peakMiB(pid: number): number {
  try {
    const [, kib = 0] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Math.round(Number(kib) / 1024);
  } catch {
    return 0;
  }
}

/** ms of processor time that all cores were busy since the machine began. */
function machineBusyMs(): number {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq + steal) * TICK_MS;
}

export interface Meter {
  /** ms of processor time by name since the meter began, `others`: of all that is not measured. */
  read(): Readonly<Record<string, number>>;
}

/** `pids`: by name; this process is `loader`. */
export function startMeter(pids: Readonly<Record<string, number>>): Meter {
  const all = { ...pids, loader: process.pid };
  const began = Object.fromEntries(Object.entries(all).map(([name, pid]) => [name, processorMs(pid)]));
  const busy = machineBusyMs();
  return {
    read() {
      const spent: Record<string, number> = {};
      for (const [name, pid] of Object.entries(all)) spent[name] = processorMs(pid) - began[name]!;
      const own = Object.values(spent).reduce((sum, ms) => sum + ms, 0);
      return { ...spent, others: Math.max(0, machineBusyMs() - busy - own) };
    },
  };
}

export const CORES = availableParallelism();
