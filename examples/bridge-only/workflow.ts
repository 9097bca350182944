/** A workflow that people already have: the balance of an account. New are the lines with `received`. */
import { condition, continueAsNew, defineQuery, defineSignal, setHandler, workflowInfo } from '@temporalio/workflow';
import { Received, type ReceivedBatch, type Redelivery } from 'money-enrichment/workflow';

export interface Payment {
  readonly amount: number;
}
interface Carried {
  readonly balance: number;
  readonly payments: number;
  readonly received: Redelivery;
}

export async function account(carried?: Carried): Promise<never> {
  const received = new Received(carried?.received);
  let { balance = 0, payments = 0 } = carried ?? {};
  setHandler(defineSignal<[ReceivedBatch<Payment>]>('events'), (batch) => {
    for (const { event } of received.admit(batch)) {
      balance += event.amount;
      payments += 1;
    }
  });
  setHandler(defineQuery<{ balance: number; payments: number }>('balance'), () => ({ balance, payments }));
  await condition(() => workflowInfo().continueAsNewSuggested || workflowInfo().historyLength > 400);
  return continueAsNew<typeof account>({ balance, payments, received: received.carried });
}
