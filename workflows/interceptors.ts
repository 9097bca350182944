/** What the SDK loads beside the workflows: the engine's interceptors. */
export { interceptors } from '../src/engine/workflow/entity/interceptors.ts';
