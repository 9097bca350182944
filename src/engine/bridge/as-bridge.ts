/** Commits of people: by the transactional id of the bridge, so that a bridge that runs loses the triple, and takes it again from there. */
import { CodedError } from '../errors.ts';
import type { KafkaPort, Transaction, TransactionalProducer } from '../kafka/port.ts';
import { bridgeTransactionalIdOf } from '../naming.ts';

const MAX_ATTEMPTS = 5;

/** A bridge that waits for a decision takes the triple again every few seconds, and may do so meanwhile: nothing is committed then, and it is done again. */
export async function asBridge<T>(
  kafka: Pick<KafkaPort, 'fence'>,
  appId: string,
  partition: number,
  work: (producer: TransactionalProducer) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    let producer: TransactionalProducer | undefined;
    try {
      producer = await kafka.fence(bridgeTransactionalIdOf(appId, partition));
      return await work(producer);
    } catch (error) {
      const fenced = error instanceof CodedError && error.code === 'FENCED';
      if (!fenced || attempt === MAX_ATTEMPTS) throw error;
    } finally {
      await producer?.close();
    }
  }
}

export async function commitPlaces(
  producer: TransactionalProducer,
  groupId: string,
  offsets: Parameters<Transaction['sendOffsets']>[1],
): Promise<void> {
  if (offsets.length === 0) return;
  const transaction = await producer.begin();
  await transaction.sendOffsets(groupId, offsets);
  await transaction.commit();
}
