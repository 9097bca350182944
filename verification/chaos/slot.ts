/**
 * A place in which one bridge or one worker runs, with links of its own to everything it talks to. As under an
 * orchestrator, a process that ends unasked is started again, and that is noted.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../src/engine/errors.ts';
import type { Exit } from '../../src/dev/processes.ts';
import { startProductProcess } from '../../src/dev/product.ts';
import type { ProductProcess } from '../../src/dev/product.ts';
import type { Start } from './apps/app.ts';
import type { Role } from './plan.ts';
import type { Link } from './tcp-proxy.ts';

const RESTART_MS = 1_000;
const ANSWER_MS = 2_000;

export interface Links {
  /** To all brokers. */
  readonly kafka: Link;
  /** To each of them. */
  readonly brokers: readonly Link[];
  readonly temporal: Link;
  /** To the service that is asked. */
  readonly service: Link;
}

export interface SlotOptions {
  readonly name: string;
  readonly role: Role;
  readonly links: Links;
  readonly start: Start;
  readonly logFile: string;
  /** Something ended or failed that nobody asked for. */
  readonly onUnasked: (what: string) => void;
}

export class Slot {
  readonly name: string;
  readonly role: Role;
  readonly links: Links;
  readonly #options: SlotOptions;
  #process: ProductProcess | undefined;
  #starting: Promise<void> | undefined;
  #closed = false;
  #lines = 0;

  constructor(options: SlotOptions) {
    this.#options = options;
    this.name = options.name;
    this.role = options.role;
    this.links = options.links;
  }

  get running(): boolean {
    return this.#process?.running === true;
  }

  /** Lines logged so far, of all its processes. */
  get lines(): number {
    return this.#lines;
  }

  /** Resolves when it is READY, however many attempts that takes. */
  start(): Promise<void> {
    this.#starting ??= this.#start().finally(() => (this.#starting = undefined));
    return this.#starting;
  }

  async #start(): Promise<void> {
    const { role, start, logFile, name, onUnasked } = this.#options;
    while (!this.#closed) {
      try {
        const started = await startProductProcess(role, {
          ...start,
          log: (line) => {
            this.#lines += 1;
            appendFileSync(logFile, `${line}\n`);
          },
        });
        this.#process = started;
        void started.exited.then((exit) => this.#onExit(started, exit));
        return;
      } catch (error) {
        onUnasked(`${name} did not start: ${messageOf(error)}`);
        await sleep(RESTART_MS);
      }
    }
  }

  #onExit(ended: ProductProcess, { code, signal }: Exit): void {
    if (this.#process !== ended) return; // asked for
    this.#process = undefined;
    this.#options.onUnasked(`${this.name} ended by itself with ${signal ?? `exit code ${code}`}`);
    void sleep(RESTART_MS).then(() => this.start());
  }

  /** SIGKILL; it stays away until it is started. */
  async kill(): Promise<void> {
    const process_ = this.#process;
    this.#process = undefined;
    process_?.kill();
    await process_?.exited;
  }

  /** SIGTERM; it stays away until it is started. What it ended with. */
  async terminate(): Promise<Exit | undefined> {
    await this.#starting;
    const process_ = this.#process;
    this.#process = undefined;
    await process_?.stop();
    return process_?.exited;
  }

  freeze(): void {
    this.#signal('SIGSTOP');
  }

  thaw(): void {
    this.#signal('SIGCONT');
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#process?.running === true) process.kill(this.#process.pid, signal);
  }

  /** Of /metrics, added up over its labels; undefined when it does not answer. */
  async metric(name: string): Promise<number | undefined> {
    const text = await this.#get('/metrics');
    if (text === undefined) return undefined;
    return text
      .split('\n')
      .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  /** What /readyz says, in one line. */
  async ready(): Promise<string> {
    return (await this.#get('/readyz'))?.trim() ?? 'no answer';
  }

  async #get(path: string): Promise<string | undefined> {
    if (!this.running) return undefined;
    try {
      return await (await fetch(`${this.#process?.httpUrl}${path}`, { signal: AbortSignal.timeout(ANSWER_MS) })).text();
    } catch {
      return undefined; // stopped, or not up: that is the answer
    }
  }

  /** Resident memory in bytes; 0 when it does not run. */
  memory(): number {
    if (!this.running) return 0;
    try {
      const status = readFileSync(`/proc/${this.#process?.pid}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1_024;
    } catch {
      return 0; // it ended in between
    }
  }

  /** Ends it for good: SIGTERM. */
  async close(): Promise<Exit | undefined> {
    this.#closed = true;
    this.thaw();
    const exit = await this.terminate();
    await Promise.all([this.links.kafka.close(), this.links.temporal.close(), this.links.service.close()]);
    return exit;
  }
}
