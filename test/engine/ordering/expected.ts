/** What the reading of the independent model applies of the logs of a driver, by user. */
import { INPUTS } from '../../../src/money/domain/events.ts';
import type { Usable } from '../../../src/money/model/decode.ts';
import type { LogRecord } from '../../../src/money/model/model.ts';
import { readTriple, type Presence } from '../../../src/money/model/reading.ts';
import type { Applications, Logs } from '../bridge/triple-driver.ts';

/** Three inputs, as the application has. */
type InputIndex = 0 | 1 | 2;

/** `present`: for a reader that met each record when it became visible; without, the logs are read as history. */
export function expectedOf(
  logs: Logs,
  outOfOrderness: number,
  present?: Pick<Presence, 'since' | 'idleTimeout'>,
): Applications {
  const raw = (input: InputIndex) =>
    logs[input].map(({ offset, timestamp }): LogRecord => ({
      topic: INPUTS[input]!,
      partition: 0,
      offset,
      timestamp,
      key: null,
      value: null,
    }));
  const decode = ({ topic, offset }: LogRecord): Usable | 'malformed' => {
    const { decoded } = logs[INPUTS.indexOf(topic) as InputIndex][offset]!;
    if (!decoded.ok) return 'malformed';
    const { ts, key: userId, event } = decoded;
    return {
      topic,
      partition: 0,
      offset,
      userId,
      ts,
      content: event === undefined ? { is: 'time' } : { is: 'birthYear', value: '' },
    };
  };
  const applications: Applications = {};
  const arrivedAt = ({ topic, offset }: LogRecord): number =>
    logs[INPUTS.indexOf(topic) as InputIndex][offset]!.visibleAt;
  for (const { record, late, tau } of readTriple(
    { user: raw(0), session: raw(1), money: raw(2) },
    outOfOrderness,
    decode,
    present && { ...present, arrivedAt },
  ).applications) {
    if (record.content.is !== 'time') {
      (applications[record.userId] ??= []).push(`${record.topic} ${record.offset} ${late ? tau : 'on time'}`);
    }
  }
  return applications;
}
