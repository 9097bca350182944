import type { TopicState } from '../../../src/money/topics/topic-state.ts';

const topics = {
  user: 'user',
  session: 'session',
  money: 'money',
  output: 'out',
  deadLetter: 'dead',
  ledger: 'out-ledger',
};
export const config = { topics, maxRecordBytes: 1_000 };

export const good = (settings: Record<string, string> = {}, partitions = 4, replicas = 3): TopicState => ({
  partitions,
  replicas,
  settings: {
    'cleanup.policy': 'delete',
    'max.message.bytes': '1000',
    'min.insync.replicas': '2',
    'unclean.leader.election.enable': 'false',
    'message.timestamp.after.max.ms': '3600000',
    ...settings,
  },
});
