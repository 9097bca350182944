/** The workflow of `examples/orders` on the sources: the example itself imports the package. */
import { entityWorkflow } from '../../../src/library/workflow.ts';
import { orders } from '../../../examples/orders/rules.ts';

export const order = entityWorkflow(orders);
