/** Hears which lookups the workflow asks for, in which call, and what becomes of them. */
import type { Output } from '../../../activities/contract.ts';
import { sessionLookups } from '../../../workflows/lookups.ts';
import type { Lookup } from '../../money/domain/state.ts';
import type { LookupAnswer } from './happening.ts';

/** What became of a lookup in a call. */
export interface Ended {
  readonly lookup: Lookup;
  readonly status: LookupAnswer['status'];
  readonly output?: Output;
}

export class LookupListener {
  /** By the request of the call. */
  readonly #groups = new WeakMap<object, readonly Lookup[]>();
  /** Id of the activity that each was asked in last. */
  readonly #calls = new Map<Lookup, string>();
  #ended = new Map<string, Ended[]>();

  /** For the workflow, in place of its own. */
  readonly questions: typeof sessionLookups = {
    ...sessionLookups,
    groups: (waiting) => {
      for (const lookup of waiting) this.#end({ lookup, status: 'retry' });
      const groups = sessionLookups.groups(waiting);
      for (const { request, questions } of groups) this.#groups.set(request, questions);
      return groups;
    },
    answered: (life, lookup, answer, context) => {
      const outputs = sessionLookups.answered(life, lookup, answer, context);
      const [output] = outputs;
      this.#end({ lookup, status: answer.status, ...(output && { output }) });
      return outputs;
    },
  };

  /** What is asked for in this call. */
  called(activityId: string, request: object): readonly Lookup[] {
    const lookups = this.#groups.get(request) ?? [];
    for (const lookup of lookups) this.#calls.set(lookup, activityId);
    return lookups;
  }

  /** What has ended since, by the id of the call's activity. */
  takeEnded(): ReadonlyMap<string, readonly Ended[]> {
    const ended = this.#ended;
    this.#ended = new Map();
    return ended;
  }

  /** One that waits to be asked for was answered in no call that it was asked in. */
  #end(ended: Ended): void {
    const call = this.#calls.get(ended.lookup);
    if (call === undefined) return;
    this.#calls.delete(ended.lookup);
    this.#ended.set(call, [...(this.#ended.get(call) ?? []), ended]);
  }
}
