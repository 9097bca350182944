/**
 * What a workflow is started with. Anybody may start one under a key's id, with anything; then it is as if it had been
 * started with nothing, and what comes later still comes out. A run that continues another is different: what it carries is
 * all that is known of the key, so what cannot be read there fails the task, until it can be read.
 */
import { UNREADABLE } from '../mark.ts';
import type { EntityNotes, KeyHolder } from './entity.ts';

/** What a run carries that was told of nobody's records: nothing is known yet, not even whose they will be. */
export const WITHOUT_KEY = { withoutKey: true } as const;

export interface Begun<L> {
  readonly whose: Whose;
  readonly life?: L;
  /** Why the argument was put aside, in words without values. */
  readonly notOurs?: string;
}

/**
 * The key of a workflow. Its id says it, or is a keyed hash that says nothing: then what it was started
 * with is a claim until the first batch, which the bridge sends to the id that it computed itself.
 */
export class Whose implements KeyHolder {
  #key: string | undefined;
  #certain: boolean;

  constructor(key: string | undefined, certain: boolean) {
    this.#key = key;
    this.#certain = certain;
  }

  /** Undefined until it is known. */
  get key(): string | undefined {
    return this.#key;
  }

  /** The key that a batch names, if it may be this one. */
  mayBe(key: string | undefined): boolean {
    return key === undefined || !this.#certain || key === this.#key;
  }

  /** A batch of this key was taken; undefined: it does not say it. */
  took(key: string | undefined): void {
    this.#key = key ?? this.#key;
    this.#certain ||= this.#key !== undefined;
  }
}

/** The part of an entity's wire that is about starts. */
interface Starts<L> {
  keyIn(workflowId: string): string | undefined;
  whyNotAStart(argument: unknown): string | undefined;
  readStart(argument: unknown): { readonly key: string; readonly life?: L };
}

/** Throws, and so fails the task, for what a run before this one carried and cannot be read. */
export function begin<L>(
  argument: unknown,
  { workflowId, continued }: { readonly workflowId: string; readonly continued: boolean },
  { wire, notes }: { readonly wire: Starts<L>; readonly notes: Pick<EntityNotes<never>, 'rebuild'> },
): Begun<L> {
  const named = wire.keyIn(workflowId);
  if (continued && (argument as Partial<typeof WITHOUT_KEY> | undefined)?.withoutKey === true) {
    return { whose: new Whose(named, named !== undefined) };
  }
  const wrong = whyUnreadable(argument) ?? wire.whyNotAStart(argument);
  if (wrong !== undefined) {
    if (continued) {
      throw new Error(
        `The carried state of ${workflowId} cannot be used (${wrong}): run the version that wrote it, or terminate the workflow and ${notes.rebuild}`,
      );
    }
    return { whose: new Whose(named, named !== undefined), notOurs: wrong };
  }
  const { key, life } = wire.readStart(argument);
  // What the run before carried says whose it is: a history may be replayed under another name.
  if (!continued && named !== undefined && key !== named) {
    return { whose: new Whose(named, true), notOurs: 'the start of another key' };
  }
  return {
    whose: new Whose(key, continued || named !== undefined || life !== undefined),
    ...(life === undefined ? {} : { life }),
  };
}

function whyUnreadable(argument: unknown): string | undefined {
  const why = (argument as { readonly [UNREADABLE]?: unknown } | null | undefined)?.[UNREADABLE];
  return why === undefined ? undefined : String(why);
}
