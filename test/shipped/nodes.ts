/** The versions of Node: what the docs and the image take, and what the package is tested on. */
export const BASELINE = 22;
/** Of the image: the newest that is tested. */
export const IMAGE = 24;
export const OLDEST = '20.12';
export const TESTED: readonly number[] = [20, 22, 24];

/** How a page says it. */
export const NODE_PHRASE = `Node ${BASELINE} (${TESTED.at(-1)} is tested, ${OLDEST} works)`;
