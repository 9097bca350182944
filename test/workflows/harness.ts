/** The real workflow on Temporal's time-skipping test server or its dev server, with activities that record what they are asked. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { activityInfo } from '@temporalio/activity';
import { Client, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, type DataConverter } from '@temporalio/common';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import proto from '@temporalio/proto';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import {
  FAILURES,
  type Activities,
  type LookupOutcome,
  type LookupRequest,
  type UserPublishRequest,
} from '../../activities/contract.ts';
import type { Applicable, Rules } from '../../src/money/domain/events.ts';
import { dataConverter } from '../../src/engine/temporal/payload-codec.ts';
import type { userEnrichment } from '../../workflows/index.ts';
import { EVENTS_SIGNAL, NUDGE_SIGNAL, QUERIES, WORKFLOW_TYPE, type EventBatch } from '../../workflows/messages.ts';
import { stored } from '../../src/engine/workflow/mark.ts';
import type { UserStateView } from '../../workflows/views.ts';
import { temporalProgram } from '../../src/dev/temporal-server.ts';
import { RULES, short } from '../money/domain/given.ts';
import { eventually } from '../support/eventually.ts';
import { testServer } from '../support/test-server.ts';

type EventId = proto.temporal.api.history.v1.IHistoryEvent['eventId'];

export interface Shared {
  readonly env: TestWorkflowEnvironment;
  readonly client: Client;
  readonly bundle: { code: string };
}

/** `dev`: a real server, which fails workflow tasks and continues workflows as it should, in real time. */
export type ServerKind = 'time-skipping' | 'dev';

const shared = new Map<ServerKind, Promise<Shared>>();

after(async () => {
  for (const started of shared.values()) await (await started).env.teardown();
});

/** One of each kind for a test file. */
export function environment(kind: ServerKind): Promise<Shared> {
  const started = shared.get(kind) ?? start(kind);
  shared.set(kind, started);
  return started;
}

async function start(kind: ServerKind): Promise<Shared> {
  const logger = new DefaultLogger('ERROR', () => undefined);
  if (shared.size === 0) Runtime.install({ logger, telemetryOptions: { logging: { forward: {}, filter: 'OFF' } } });
  const [env, bundle] = await Promise.all([
    kind === 'dev'
      ? devServer()
      : testServer().then((server) => TestWorkflowEnvironment.createTimeSkipping({ server })),
    bundleWorkflowCode({
      workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)),
      workflowInterceptorModules: [fileURLToPath(new URL('../../workflows/interceptors.ts', import.meta.url))],
      logger,
    }),
  ]);
  return { env, client: new Client({ connection: env.connection, dataConverter }), bundle };
}

async function devServer(): Promise<TestWorkflowEnvironment> {
  const path = await temporalProgram({ log: (line) => console.error(line) });
  return TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path },
      log: { format: 'pretty', level: 'error' },
      extraArgs: ['--dynamic-config-value', 'frontend.WorkflowPauseEnabled=true'],
    },
  });
}

export interface PublishCall {
  readonly request: UserPublishRequest;
  readonly isLocal: boolean;
}

/** What the activities answer; a test replaces what it is about. */
export class FakeActivities {
  /** All attempts, successful or not. */
  readonly published: PublishCall[] = [];
  readonly #succeeded: UserPublishRequest[] = [];
  readonly lookups: LookupRequest[] = [];
  readonly watermarks: { partition: number; passes?: number }[] = [];
  /** Publish calls under way. */
  underWay = { applied: 0, resolved: 0 };
  mostUnderWay = { applied: 0, resolved: 0 };
  /** Epoch ms; null before there is one. */
  watermark: number | null = null;
  onPublish: (request: UserPublishRequest) => Promise<void> | void = () => undefined;
  /** Of how many signals a publish is told to have been. */
  signalsOf: (signals: number) => number = (signals) => signals;
  onLookup: (request: LookupRequest) => Promise<LookupOutcome[]> | LookupOutcome[] = ({ sessionIds }) =>
    sessionIds.map((sessionId) => ({ sessionId, status: 'found', clientCountryCode: `of ${sessionId}` }));

  readonly activities: Activities = {
    publish: async (request) => {
      this.published.push({ request, isLocal: activityInfo().isLocal });
      const { stream } = request;
      this.mostUnderWay[stream] = Math.max(this.mostUnderWay[stream], ++this.underWay[stream]);
      try {
        await this.onPublish(request);
        this.#succeeded.push(request);
        return request.signals === undefined ? undefined : { signals: this.signalsOf(request.signals) };
      } finally {
        this.underWay[stream] -= 1;
      }
    },
    lookupSessions: async (request) => {
      this.lookups.push(request);
      return this.onLookup(request);
    },
    readWatermark: async (request) => {
      this.watermarks.push(request);
      const { watermark } = this;
      if (request.passes === undefined || (watermark !== null && watermark > request.passes)) return watermark;
      throw ApplicationFailure.create({ type: FAILURES.watermarkNotReached, message: 'not yet' });
    },
  };

  /** Outputs of a stream as a ledger would let them through: each sequence number once. Fails on a gap. */
  outputs(stream: 'applied' | 'resolved'): string[] {
    const outputs: string[] = [];
    for (const request of this.#succeeded) {
      if (request.stream !== stream) continue;
      assert.ok(
        request.first <= outputs.length + 1,
        `a gap in ${stream} before ${request.first}: ${outputs.length} are there`,
      );
      request.outputs.forEach((output, index) => {
        const at = request.first - 1 + index;
        if (at < outputs.length) {
          assert.equal(short(output), outputs[at], `${stream} ${at + 1} is published again as something else`);
        } else outputs.push(short(output));
      });
    }
    return outputs;
  }
}

export const noAnswer = (): never => {
  throw ApplicationFailure.create({ type: FAILURES.sessionServiceUnavailable, message: 'no answer' });
};

export class WorkflowUser {
  readonly userId = randomUUID();
  readonly fake = new FakeActivities();
  readonly rules: Rules;
  readonly #shared: Shared;
  readonly #taskQueue = randomUUID();

  readonly #converter: DataConverter;

  private constructor(given: Shared, rules: Rules, converter: DataConverter) {
    this.#shared = given;
    this.rules = rules;
    this.#converter = converter;
  }

  /** A user with a worker of its own, which stops after the test. All its histories are replayed then. */
  static async create(
    t: TestContext,
    {
      rules = {},
      server = 'time-skipping',
      converter = dataConverter,
    }: { rules?: Partial<Rules>; server?: ServerKind; converter?: DataConverter } = {},
  ): Promise<WorkflowUser> {
    const given = await environment(server);
    const user = new WorkflowUser(given, { ...RULES, ...rules }, converter);
    const worker = await Worker.create({
      connection: given.env.nativeConnection,
      taskQueue: user.#taskQueue,
      workflowBundle: given.bundle,
      activities: user.fake.activities as unknown as Record<string, (...args: never[]) => Promise<unknown>>,
      dataConverter: converter,
      shutdownForceTime: '2s',
    });
    const running = worker.run();
    t.after(async () => {
      try {
        await user.replays();
      } finally {
        // Before it is terminated: the time-skipping server skips no time for minutes when a task under way loses its workflow.
        worker.shutdown();
        await running;
        await user.handle.terminate();
      }
    });
    return user;
  }

  get handle(): WorkflowHandle<typeof userEnrichment> {
    return this.#shared.client.workflow.getHandle<typeof userEnrichment>(this.userId);
  }

  /** `converter`: of the bridge that signals. */
  signal(
    records: readonly Applicable[],
    { lowWater = [0, 0, 0] as [number, number, number], partition = 0, converter = dataConverter } = {},
  ): Promise<unknown> {
    const batch: EventBatch = { partition, lowWater, rules: this.rules, records };
    const { connection } = this.#shared.env;
    return new Client({ connection, dataConverter: converter }).workflow.signalWithStart(WORKFLOW_TYPE, {
      workflowId: this.userId,
      taskQueue: this.#taskQueue,
      args: [stored('Start', { userId: this.userId })],
      signal: EVENTS_SIGNAL,
      signalArgs: [stored('EventBatch', batch)],
    });
  }

  /** As somebody does whose nudge comes before the first task of the workflow. */
  startNudged(): Promise<unknown> {
    return this.#shared.client.workflow.signalWithStart(WORKFLOW_TYPE, {
      workflowId: this.userId,
      taskQueue: this.#taskQueue,
      args: [stored('Start', { userId: this.userId })],
      signal: NUDGE_SIGNAL,
      signalArgs: [],
    });
  }

  state(): Promise<UserStateView> {
    return this.handle.query<UserStateView, []>(QUERIES.state);
  }

  /** Lets time pass, quickly where the server skips it. */
  sleep(ms: number): Promise<void> {
    return this.#shared.env.sleep(ms);
  }

  /** Waits until outputs are exactly these. */
  async hasPublished(stream: 'applied' | 'resolved', ...outputs: string[]): Promise<void> {
    await eventually(
      `${stream}: ${outputs.join(', ')}`,
      () => this.fake.outputs(stream).length >= outputs.length,
      20_000,
    ).catch((error: unknown) => {
      assert.deepEqual(this.fake.outputs(stream), outputs, String(error));
    });
    assert.deepEqual(this.fake.outputs(stream), outputs);
  }

  /** Id of the event of the so manieth workflow task that was completed, from 0 on. */
  async completedTask(index: number): Promise<EventId> {
    return eventually('the workflow task is completed', async () => {
      const { events } = await this.handle.fetchHistory();
      return events!.filter(({ workflowTaskCompletedEventAttributes: completed }) => completed)[index]?.eventId;
    });
  }

  /** To the place of a completed workflow task. `signals`: those that came since come again, as by default. */
  async reset(eventId: EventId, { signals = true } = {}): Promise<void> {
    const { client } = this.#shared;
    await client.workflowService.resetWorkflowExecution({
      namespace: client.options.namespace,
      workflowExecution: { workflowId: this.userId, runId: await this.runId() },
      reason: 'a test',
      workflowTaskFinishEventId: eventId ?? null,
      requestId: randomUUID(),
      ...(signals
        ? {}
        : {
            resetReapplyExcludeTypes: [
              proto.temporal.api.enums.v1.ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL,
            ],
          }),
    });
  }

  get client(): Client {
    return this.#shared.client;
  }

  /** Another workflow where one is named. */
  async pause(workflowId: string = this.userId): Promise<void> {
    const { client } = this.#shared;
    await client.workflowService.pauseWorkflowExecution({
      namespace: client.options.namespace,
      workflowId,
      reason: 'a test',
      requestId: randomUUID(),
    });
  }

  async unpause(): Promise<void> {
    const { client } = this.#shared;
    await client.workflowService.unpauseWorkflowExecution({
      namespace: client.options.namespace,
      workflowId: this.userId,
      reason: 'a test',
      requestId: randomUUID(),
    });
  }

  /** Of the run that is open. */
  async runId(): Promise<string> {
    return (await this.handle.describe()).runId;
  }

  /** Run ids of the chain, the first one first. */
  async runs(): Promise<string[]> {
    const { client } = this.#shared;
    const runs: string[] = [];
    const [start] = (await this.handle.fetchHistory()).events ?? [];
    let runId: string | null | undefined = start?.workflowExecutionStartedEventAttributes?.firstExecutionRunId;
    while (runId) {
      runs.push(runId);
      const { events } = await client.workflow.getHandle(this.userId, runId).fetchHistory();
      runId = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
    }
    return runs;
  }

  /** Of the chain, the first one first. */
  async histories(): Promise<History[]> {
    const { client } = this.#shared;
    return Promise.all(
      (await this.runs()).map((runId) => client.workflow.getHandle(this.userId, runId).fetchHistory()),
    );
  }

  /** All histories of this user give the same commands again. */
  async replays(): Promise<void> {
    const { bundle } = this.#shared;
    for (const history of await this.histories()) {
      await Worker.runReplayHistory({ workflowBundle: bundle, dataConverter: this.#converter }, history, this.userId);
    }
  }
}
