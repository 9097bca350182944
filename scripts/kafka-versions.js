/** The Kafka brokers that a release is tried on: the oldest supported one, and the newest that Maven gives today. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from '../src/dev/processes.ts';

/** Brokers before 3.6 do not verify transactions (docs/operations.md). */
export const OLDEST_KAFKA = '3.6.2';

/** `oldest`, `newest`, or a version as it is. Errors: when Maven cannot tell. */
export async function kafkaVersion(name, signal) {
  if (name === 'oldest') return OLDEST_KAFKA;
  return name === 'newest' ? newest(signal) : name;
}

/** A dependency on a range: Maven takes the last release in it, and its jar has the version in its name. */
async function newest(signal) {
  const folder = await mkdtemp(join(tmpdir(), 'kafka-newest-'));
  try {
    await writeFile(join(folder, 'pom.xml'), POM);
    const args = ['-B', '-q', '-U', 'dependency:copy-dependencies', '-DoutputDirectory=jars'];
    const { code, stdout, stderr } = await runProgram('mvn', args, { cwd: folder, signal });
    const jars = await readdir(join(folder, 'jars')).catch(() => []);
    const version = jars
      .map((jar) => /^kafka_2\.13-(\d+\.\d+\.\d+)\.jar$/.exec(jar)?.[1])
      .find((found) => found !== undefined);
    if (version === undefined) {
      throw new Error(
        `Maven does not tell the newest Kafka (exit code ${code}): ${`${stdout}${stderr}`.trim().slice(-500)}`,
      );
    }
    return version;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const POM = `<project>
<modelVersion>4.0.0</modelVersion>
<groupId>money-enrichment</groupId><artifactId>newest-kafka</artifactId><version>1</version><packaging>pom</packaging>
<dependencies><dependency>
<groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>[4.1,)</version>
<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>
</dependency></dependencies>
</project>
`;
