/**
 * How much a test does: in CI as much as shows what it is about, before a release (`npm run test:release`, TEST_RELEASE=1)
 * enough for what is rare.
 */
export function sized<T>(inCi: T, forRelease: T): T {
  return process.env['TEST_RELEASE'] === '1' ? forRelease : inCi;
}
