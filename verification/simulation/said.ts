/** What the product said to people while it ran: lines of its logs, what its workers noticed of workflows, what workflows counted. */
import type { PartitionWait } from '../../src/engine/bridge/waits.ts';
import { createLogger, type Logger } from '../../src/engine/log.ts';
import type { Notice } from '../../src/engine/publish/notices.ts';
import type { Noticed } from '../../src/engine/workflow/entity/port.ts';

/** A line at level warn or above. */
export interface Line {
  readonly msg: string;
  readonly topic?: string;
  readonly partition?: number;
  readonly reason?: string;
  readonly from?: number;
  readonly to?: number;
}

export class Said {
  readonly lines: Line[] = [];
  readonly #noticed = new Set<string>();
  /** What was said of partitions that wait, but for offsets that move on. */
  readonly #waits = new Set<string>();
  readonly #heard: ((line: Line) => void)[] = [];

  /** For every process of the product. */
  readonly logger: Logger = createLogger({
    level: 'warn',
    format: 'json',
    destination: {
      write: (text) => this.#say(JSON.parse(text) as Line),
    },
  });

  /** What `/readyz` says of partitions that wait, whenever it is something else. */
  ready(waits: readonly PartitionWait[]): void {
    for (const { partition, reason, text } of waits) {
      const what = text.replaceAll(/[0-9]+/g, '#') + String(partition);
      if (this.#waits.has(what)) continue;
      this.#waits.add(what);
      this.#say({ msg: text, reason, partition });
    }
  }

  #say(line: Line): void {
    this.lines.push(line);
    for (const hear of this.#heard) hear(line);
  }

  /** Somebody who reads the log from now on. */
  onLine(hear: (line: Line) => void): void {
    this.#heard.push(hear);
  }

  /** A worker noticed it of a user's workflow. */
  notice(userId: string, notice: Notice): void {
    this.#noticed.add(`${notice} ${userId}`);
  }

  hasNoticed(userId: string, notice: Notice): boolean {
    return this.#noticed.has(`${notice} ${userId}`);
  }

  counted(workflowId: string, noticed: Noticed): void {
    this.#noticed.add(`${noticed.what}/${noticed.kind} ${workflowId}`);
  }

  hasCounted(workflowId: string, noticed: Noticed): boolean {
    return this.#noticed.has(`${noticed.what}/${noticed.kind} ${workflowId}`);
  }

  /** That these records went from their log before they were read. */
  saidLost(topic: string, partition: number, offset: number): boolean {
    return this.lines.some(
      (line) =>
        line.topic === topic &&
        line.partition === partition &&
        line.from !== undefined &&
        line.from <= offset &&
        offset < line.to!,
    );
  }
}
