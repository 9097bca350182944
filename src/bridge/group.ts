/** The consumer group over the three inputs; its committed offsets carry the watermarks. */
export function bridgeGroupOf(appId: string): string {
  return `${appId}-bridge`;
}
