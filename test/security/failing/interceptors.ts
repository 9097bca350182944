/** None: what bundles workflows looks for them beside these. */
export const interceptors = (): object => ({});
