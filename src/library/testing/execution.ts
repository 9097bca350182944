/**
 * One workflow from its first record to rest, on a Temporal and a publisher that are made of a history, a queue and a virtual clock.
 * As with Temporal: a task is in the history when it is completed, and one that was lost is done again, with what has come since then; a workflow that is
 * not in memory is replayed, and must ask for the same; what a run asked for is not answered to the next one.
 */
import { taskQueueOf } from '../../engine/naming.ts';
import type { Random } from '../../engine/random.ts';
import { PUBLISH_ACTIVITY, READ_WATERMARK_ACTIVITY } from '../../engine/workflow/entity/names.ts';
import type { TemporalPort } from '../../engine/workflow/entity/port.ts';
import { QUESTION_FAILURES } from '../../engine/workflow/entity/plain.ts';
import type { Command, Job, LocalCall, Outcome, Task } from './history.ts';
import { whyNotJson } from './json.ts';
import { Ledger } from './ledger.ts';
import type { Arrival, Varies } from './plan.ts';
import { WorkflowInMemory, type RunStart } from './workflow.ts';

export interface ExecutionOptions {
  readonly key: string;
  readonly begin: (port: TemporalPort, argument: unknown) => Promise<never>;
  readonly arrivals: readonly Arrival[];
  /** The answer as JSON text; undefined when there is none. */
  readonly answer: (question: unknown) => string | undefined;
  readonly random: Random;
  /** In what this run is not the plain one. */
  readonly varies: Varies;
  /** Lose the workflow after every task. */
  readonly losesAlways: boolean;
  /** ms that the wall clock goes on when nothing but timers is left. */
  readonly wallClock: number;
}

/** Something that will be; dropped when the run that asked for it is over by then. */
interface Pending {
  readonly at: number;
  readonly run: number | undefined;
  readonly seq?: number;
  readonly isTimer: boolean;
  readonly job: () => Job | undefined;
}

/** Epoch ms. */
const START = 1_700_000_000_000;
const YEAR = 365 * 86_400_000;
/** ms that a worker may be away. */
const AWAY = [0, 0, 0, 1_000, 60_000];
const MAX_TASKS = 50_000;

export class Execution {
  /** What happened, a line each. */
  readonly story: string[] = [];
  readonly #options: ExecutionOptions;
  readonly #ledger = new Ledger();
  readonly #startedAt: number;
  #pending: Pending[] = [];
  #now: number;
  /** When the wall clock stands still, if nothing but timers comes until then. */
  #restAt = Infinity;
  #watermark = -Infinity;
  #run: RunStart;
  #runs = 0;
  #history: Task[] = [];
  #workflow: WorkflowInMemory | undefined;
  /** JSON of the state, when the workflow was lost. */
  #stateBefore: string | undefined;
  /** Of this run: asked for, and neither answered nor cancelled. */
  readonly #open = new Set<number>();
  /** Activities that wait for event time to pass this. */
  readonly #watches = new Map<number, number>();

  constructor(options: ExecutionOptions) {
    const { key, arrivals, random, varies } = options;
    this.#options = options;
    this.#startedAt = START + (varies('arrival') ? random.below(YEAR) : 0);
    this.#now = this.#startedAt;
    this.#run = {
      workflowId: `testing/${encodeURIComponent(key)}`,
      runId: 'run-00000',
      incarnation: { startedAt: this.#startedAt, runId: 'run-00000' },
      taskQueue: taskQueueOf('testing', 0),
      continued: false,
      argument: JSON.stringify({ key }),
    };
    for (const arrival of arrivals) this.#will(arrival.at, { run: undefined, job: () => this.#arrives(arrival) });
  }

  /** Runs to rest: JSON of each output, in order. Throws what the rules throw, and what no workflow may do. */
  async run(): Promise<readonly string[]> {
    for (let tasks = 0; ; tasks += 1) {
      if (tasks === MAX_TASKS) throw new Error(`it does not come to rest: ${MAX_TASKS} workflow tasks`);
      this.#pending.sort((a, b) => a.at - b.at);
      if (this.#pending.some(({ isTimer }) => !isTimer)) this.#restAt = Infinity;
      else if (this.#restAt === Infinity) this.#restAt = this.#now + this.#options.wallClock;
      const [next] = this.#pending;
      if (next === undefined || next.at > this.#restAt) return this.#ledger.outputs;
      const jobs = this.#takeJobs(next.at);
      if (jobs.length > 0) await this.#task(jobs);
    }
  }

  /** `ms` from now. */
  #will(ms: number, { isTimer = false, ...pending }: Omit<Pending, 'at' | 'isTimer'> & { isTimer?: boolean }): void {
    this.#pending.push({ at: this.#now + ms, isTimer, ...pending });
  }

  /** What is due at `at`, or some of it, or more, when the worker was away. */
  #takeJobs(at: number): Job[] {
    const { random, varies } = this.#options;
    const away = varies('arrival') ? random.pick(AWAY) : 0;
    this.#now = Math.max(this.#now, Math.min(at + away, this.#restAt));
    this.#pending.sort((a, b) => a.at - b.at);
    const due = this.#pending.filter((one) => one.at <= this.#now).length;
    const taken = this.#pending.splice(0, varies('cuts') && due > 0 ? 1 + random.below(due) : due);
    return taken.flatMap(({ run, seq, job }) => {
      if (run !== undefined && run !== this.#runs) return [];
      if (seq !== undefined && !this.#open.delete(seq)) return [];
      return job() ?? [];
    });
  }

  #arrives(arrival: Arrival): Job | undefined {
    switch (arrival.type) {
      case 'batch':
        this.#tell(`records ${arrival.batch.records.map(({ input, offset }) => `${input}:${offset}`).join(' ')}`);
        return { type: 'signal', batch: JSON.stringify(arrival.batch) };
      case 'nudge':
        return { type: 'nudge' };
      case 'watermark':
        this.#watermark = Math.max(this.#watermark, arrival.to);
        this.#tell(`the watermark is ${this.#watermark}`);
        for (const [seq, passes] of this.#watches) this.#answerWatch(seq, passes);
        return undefined;
      default:
        return arrival satisfies never;
    }
  }

  async #task(jobs: readonly Job[]): Promise<void> {
    const { random, varies, losesAlways } = this.#options;
    const answered = new Map<number, Outcome>();
    const locally = (call: LocalCall): Outcome => {
      const outcome = this.#publish(call.request);
      answered.set(call.seq, outcome);
      return outcome;
    };
    const task = { at: this.#now, jobs };
    const workflow = await this.#inMemory();
    if (varies('crashes') && random.chance(0.1)) {
      await workflow.perform(task, locally);
      this.#tell('a task is lost, and done again');
      answered.clear();
      this.#workflow = undefined;
      return this.#task([...jobs, ...this.#takeJobs(this.#now)]);
    }
    const commands = await workflow.perform(task, locally);
    this.#history.push({ ...task, commands, answered });
    const state = workflow.query('state');
    const wrong = whyNotJson(state, 'state');
    if (wrong !== undefined) {
      throw new Error(`state has to be JSON, or it is another one after continue-as-new: ${wrong}`);
    }
    if (answered.size > 0) this.#restAt = Infinity;
    for (const command of commands) this.#do(command);
    if (this.#workflow !== undefined && (losesAlways || (varies('crashes') && random.chance(0.2)))) {
      this.#tell('the worker is killed');
      this.#stateBefore = JSON.stringify(state);
      this.#workflow = undefined;
    }
  }

  /** The workflow of this run, replayed where it was lost. */
  async #inMemory(): Promise<WorkflowInMemory> {
    if (this.#workflow !== undefined) return this.#workflow;
    const workflow = new WorkflowInMemory(this.#run, this.#options.begin);
    for (const [at, task] of this.#history.entries()) {
      const commands = JSON.stringify(await workflow.perform(task, ({ seq }) => task.answered.get(seq)!));
      const recorded = JSON.stringify(task.commands);
      if (commands !== recorded) {
        throw new Error(
          `replayed, the workflow asks for something else in its task ${at + 1}: ${commands}, not ${recorded}`,
        );
      }
    }
    const state = JSON.stringify(workflow.query('state'));
    if (this.#stateBefore !== undefined && state !== this.#stateBefore) {
      throw new Error(`replayed, the workflow has another state: ${state}, not ${this.#stateBefore}`);
    }
    this.#stateBefore = undefined;
    return (this.#workflow = workflow);
  }

  #do(command: Command): void {
    const run = this.#runs;
    switch (command.type) {
      case 'startTimer': {
        const { seq, ms } = command;
        this.#open.add(seq);
        return this.#will(ms, { run, seq, isTimer: true, job: () => ({ type: 'timer', seq }) });
      }
      case 'cancelTimer':
      case 'cancelActivity':
        this.#pending = this.#pending.filter(({ run: of, seq }) => of !== run || seq !== command.seq);
        this.#watches.delete(command.seq);
        return void this.#open.delete(command.seq);
      case 'schedule':
        this.#open.add(command.seq);
        return this.#schedule(command);
      case 'continueAsNew':
        return this.#continueAsNew(command.argument);
      default:
        return command satisfies never;
    }
  }

  #schedule({ seq, name, request, timeout }: Extract<Command, { type: 'schedule' }>): void {
    if (name === PUBLISH_ACTIVITY) return this.#publishSoon(seq, request);
    if (name !== READ_WATERMARK_ACTIVITY) {
      return this.#ask(seq, (JSON.parse(request) as { question: unknown }).question, timeout);
    }
    const { passes } = JSON.parse(request) as { readonly passes: number };
    this.#watches.set(seq, passes);
    this.#answerWatch(seq, passes);
  }

  #answerWatch(seq: number, passes: number): void {
    if (this.#watermark <= passes || !this.#watches.delete(seq)) return;
    this.#willAnswer(0, seq, () => ({ ok: true, value: String(this.#watermark) }));
  }

  /** It is in Kafka when the activity ends, or some time before that is known. */
  #publishSoon(seq: number, request: string): void {
    const { random, varies } = this.#options;
    const early = varies('crashes') && random.chance(0.5) ? this.#publish(request) : undefined;
    this.#willAnswer(varies('crashes') ? random.pick([0, 10, 10_000]) : 0, seq, () => early ?? this.#publish(request));
  }

  #ask(seq: number, question: unknown, timeout: number): void {
    const { answer, random, varies } = this.#options;
    const value = answer(question);
    const asked = JSON.stringify(question);
    const takes = varies('answers') ? random.below(Math.min(timeout, 20_000) / 2) : 0;
    this.#willAnswer(value === undefined ? timeout : takes, seq, () => {
      this.#tell(`${asked} is ${value === undefined ? 'given up' : `answered: ${value}`}`);
      return value === undefined ? { ok: false, type: QUESTION_FAILURES.noAnswer } : { ok: true, value };
    });
  }

  #willAnswer(ms: number, seq: number, outcome: () => Outcome): void {
    this.#will(ms, { run: this.#runs, seq, job: () => ({ type: 'activity', seq, outcome: outcome() }) });
  }

  #publish(request: string): Outcome {
    for (const output of this.#ledger.publish(request)) this.#tell(`out comes ${output}`);
    return { ok: true, value: 'null' };
  }

  #continueAsNew(argument: string): void {
    this.#tell('it continues as new');
    this.#runs += 1;
    this.#run = { ...this.#run, runId: `run-${String(this.#runs).padStart(5, '0')}`, continued: true, argument };
    this.#history = [];
    this.#workflow = undefined;
    this.#open.clear();
    this.#watches.clear();
    this.#pending = this.#pending.filter(({ run }) => run === undefined);
    // The new run begins by itself, whether something comes to it or not.
    this.#will(0, { run: this.#runs, job: () => ({ type: 'start' }) });
  }

  #tell(line: string): void {
    this.story.push(`+${this.#now - this.#startedAt} ms: ${line}`);
  }
}
