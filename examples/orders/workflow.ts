/** The workflow of an order, by the name of its type. */
import { entityWorkflow } from 'money-enrichment/workflow';
import { orders } from './rules.js';

export const order = entityWorkflow(orders);
