/** What bridge and worker alike say of themselves. */
import type { Registry } from 'prom-client';
import { KAFKAJS_VERSION } from '../../engine/kafka/kafkajs/library.ts';
import { productVersion } from '../../engine/process/version.ts';
import { makersOf } from './names.ts';

export interface ProcessMetrics {
  /** No collector has taken so many spans more. */
  readonly spansLost: (spans: number) => void;
  /** Partitions, or shards, were assigned anew. */
  readonly rebalanced: () => void;
  /** Which parts are well, and whether the process is ready. */
  readonly observe: (wellness: Readonly<Record<string, boolean>>, ready: boolean) => void;
}

/** `buildId`: of the workflows, where the process runs any. */
export function createProcessMetrics(registry: Registry, role: string, buildId = ''): ProcessMetrics {
  const { counter, gauge, gaugeBy } = makersOf(registry);
  const build = gaugeBy(
    'build_info',
    '1, with what runs',
    'role',
    'version',
    'build_id',
    'kafkajs_version',
    'node_version',
  );
  build.set(
    {
      role,
      version: productVersion(),
      build_id: buildId,
      kafkajs_version: KAFKAJS_VERSION,
      node_version: process.versions.node,
    },
    1,
  );
  const ready = gauge('ready', '1 while /readyz answers 200');
  const up = gaugeBy('dependency_up', '0 while a part of /readyz says what is wrong with it', 'name');
  const rebalances = counter('rebalances_total', 'Times that a group assigned partitions or shards to this process');
  const lost = counter('spans_lost_total', 'Spans that no collector has taken');
  return {
    spansLost: (spans) => lost.inc(spans),
    rebalanced: () => rebalances.inc(),
    observe(wellness, isReady) {
      ready.set(isReady ? 1 : 0);
      for (const [name, well] of Object.entries(wellness)) up.set({ name }, well ? 1 : 0);
    },
  };
}
