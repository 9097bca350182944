/**
 * Assignment of whole partition numbers: partition p of every subscribed topic goes to one member. Balanced (the
 * members' counts differ by at most one), sticky (a member keeps what it owns, as far as balance allows), and a
 * function of its arguments alone.
 */
import { CodedError, messageOf } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { ASSIGNMENT_PROTOCOL } from '../../naming.ts';
import { library } from './library.ts';
import type { KafkaJS } from './library.ts';

const VERSION = 0;

export interface MemberClaim {
  readonly id: string;
  /** What the member owned in the generation before. */
  readonly owned: readonly number[];
}

/** Partition numbers of each member, ascending. A partition that two claim stays with the first by id. */
export function assignPartitions(count: number, members: readonly MemberClaim[]): Map<string, number[]> {
  const taken = new Set<number>();
  const claims = [...members]
    .sort((a, b) => compare(a.id, b.id))
    .map(({ id, owned }) => {
      const kept = [...new Set(owned)].filter((p) => Number.isInteger(p) && p >= 0 && p < count && !taken.has(p));
      for (const p of kept) taken.add(p);
      return { id, kept: kept.sort((a, b) => a - b) };
    })
    // The larger shares go to those who own most already: fewer partitions move.
    .sort((a, b) => b.kept.length - a.kept.length || compare(a.id, b.id));

  const share = Math.floor(count / Math.max(1, claims.length));
  const larger = count % Math.max(1, claims.length);
  const result = claims.map(({ id, kept }, index) => {
    const quota = index < larger ? share + 1 : share;
    return { id, quota, partitions: kept.slice(0, quota) };
  });

  const placed = new Set(result.flatMap(({ partitions }) => partitions));
  const free = Array.from({ length: count }, (_, p) => p).filter((p) => !placed.has(p));
  for (const { quota, partitions } of result) partitions.push(...free.splice(0, quota - partitions.length));
  return new Map(result.map(({ id, partitions }) => [id, partitions.sort((a, b) => a - b)]));
}

/** Throws CodedError TOPIC unless all topics exist with one and the same number of partitions, which it returns. */
export function commonPartitionCount(
  counts: readonly { readonly topic: string; readonly partitions: number }[],
): number {
  const [first] = counts;
  if (
    first !== undefined &&
    first.partitions > 0 &&
    counts.every(({ partitions }) => partitions === first.partitions)
  ) {
    return first.partitions;
  }
  const found = counts.map(({ topic, partitions }) => `${topic} has ${partitions}`).join(', ');
  throw new CodedError(
    'TOPIC',
    `these topics must exist with the same number of partitions, because a key lives in one partition number of all ` +
      `of them: ${found}. Create them alike, or copy the data into topics that are`,
  );
}

/** The assigner for a kafkajs consumer. `owned` tells what this member owns when it joins; it may throw to stay out. */
export function coPartitionedAssigner(owned: () => readonly number[], logger: Logger): KafkaJS.PartitionAssigner {
  const { MemberMetadata, MemberAssignment } = library().AssignerProtocol;
  return ({ cluster }) => ({
    name: ASSIGNMENT_PROTOCOL,
    version: VERSION,

    protocol({ topics }) {
      const userData = Buffer.from(JSON.stringify({ owned: owned() }));
      return { name: ASSIGNMENT_PROTOCOL, metadata: MemberMetadata.encode({ version: VERSION, topics, userData }) };
    },

    async assign({ members, topics }) {
      const count = commonPartitionCount(
        topics.map((topic) => ({ topic, partitions: cluster.findTopicPartitionMetadata(topic).length })),
      );
      const claims = members.map(({ memberId, memberMetadata }) => ({
        id: memberId,
        owned: claimOf(MemberMetadata.decode(memberMetadata)?.userData, memberId, logger),
      }));
      return [...assignPartitions(count, claims)].map(([memberId, partitions]) => ({
        memberId,
        memberAssignment: MemberAssignment.encode({
          version: VERSION,
          assignment: Object.fromEntries(topics.map((topic) => [topic, partitions])),
          userData: Buffer.alloc(0),
        }),
      }));
    },
  });
}

/** An unreadable claim costs stickiness, nothing else. */
function claimOf(userData: Buffer | null | undefined, memberId: string, logger: Logger): readonly number[] {
  if (!userData?.length) return [];
  try {
    const claim: unknown = JSON.parse(userData.toString());
    const owned = typeof claim === 'object' && claim !== null && 'owned' in claim ? claim.owned : undefined;
    return Array.isArray(owned) ? owned.filter((p): p is number => typeof p === 'number') : [];
  } catch (error) {
    logger.debug({ memberId }, `a group member's user data is not readable: ${messageOf(error)}`);
    return [];
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
