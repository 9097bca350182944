/** The commands by name. Each is loaded only when it is asked for, so that `--help` is instant. */
import type { Command } from 'commander';

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'demo',
    summary: 'see it work: everything started here, generated traffic, a checked result',
    load: async () => (await import('./demo.ts')).demoCommand(),
  },
  {
    name: 'dev',
    summary: 'everything on this machine, for development: Kafka, Temporal, topics, worker, bridge',
    load: async () => (await import('./dev.ts')).devCommand(),
  },
  {
    name: 'topics',
    summary: 'create the missing topics with the settings that exactly-once needs',
    load: async () => (await import('./topics.ts')).topicsCommand(),
  },
  {
    name: 'bridge',
    summary: 'read the input topics, put them in order and signal the workflows',
    load: async () => (await import('./bridge.ts')).bridgeCommand(),
  },
  {
    name: 'worker',
    summary: 'run workflows and activities, publish the enriched money',
    load: async () => (await import('./worker.ts')).workerCommand(),
  },
  {
    name: 'state',
    summary: "a user's state, from the running workflow",
    load: async () => (await import('./state.ts')).stateCommand(),
  },
  {
    name: 'top',
    summary: 'a live view: throughput, lag, watermarks, busiest users, what waits',
    load: async () => (await import('./top.ts')).topCommand(),
  },
  {
    name: 'explain',
    summary: 'why a money event came out as it did, from history',
    load: async () => (await import('./explain.ts')).explainCommand(),
  },
  {
    name: 'backfill',
    summary: 'run the input topics from the beginning into a topic of its own, at full speed',
    load: async () => (await import('./backfill.ts')).backfillCommand(),
  },
  {
    name: 'compare',
    summary: 'compare two output topics record by record',
    load: async () => (await import('./compare.ts')).compareCommand(),
  },
  {
    name: 'replay',
    summary: 'recorded histories against this code, before it is deployed',
    load: async () => (await import('./replay.ts')).replayCommand(),
  },
  {
    name: 'bootstrap',
    summary: 'the state of all users from the history, for the live bridge to go on from',
    load: async () => (await import('./bootstrap.ts')).bootstrapCommand(),
  },
  {
    name: 'export',
    summary: 'the state of all users, as NDJSON or an Avro container file',
    load: async () => (await import('./export.ts')).exportCommand(),
  },
  {
    name: 'nudge',
    summary: 'idle workflows go on with the code of today',
    load: async () => (await import('./nudge.ts')).nudgeCommand(),
  },
  {
    name: 'codec-server',
    summary: "decode payloads for Temporal's UI and command line",
    load: async () => (await import('./codec-server.ts')).codecServerCommand(),
  },
  {
    name: 'generate',
    summary: 'synthetic events, into the topics or as NDJSON',
    load: async () => (await import('./generate.ts')).generateCommand(),
  },
  {
    name: 'dead-letters',
    summary: 'list what could not be used, and put chosen records back',
    load: async () => (await import('./dead-letters.ts')).deadLettersCommand(),
  },
  {
    name: 'cost',
    summary: "what a load costs: touches, Temporal's actions, bytes, cores",
    load: async () => (await import('./cost.ts')).costCommand(),
  },
  {
    name: 'doctor',
    summary: 'check configuration, reachability, topics, versions and permissions',
    load: async () => (await import('./doctor.ts')).doctorCommand(),
  },
  {
    name: 'completion',
    summary: 'a script that completes commands and options in bash, zsh or fish',
    load: async () => (await import('./completion.ts')).completionCommand(),
  },
];
