/** Where Java and the jars of a Kafka broker come from. */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../engine/errors.ts';
import { cached } from './cache.ts';
import { findProgram, isExecutable, runProgram } from './processes.ts';
import type { Log } from './log.ts';

export const KAFKA_VERSION = '4.1.1';
const LOG4J_VERSION = '2.25.3';
/** Of the binding to log4j 1 that Kafka 3 logs through. */
const RELOAD4J_VERSION = '1.7.36';
const MIN_JAVA = 17;
const MEGABYTES = 43;

export interface KafkaPrograms {
  readonly version: string;
  readonly java: string;
  readonly classPath: string;
  readonly folder: string;
}

export interface KafkaProgramsOptions {
  /** Of Apache Kafka, e.g. `4.1.1`. */
  readonly version?: string | undefined;
  readonly log: Log;
  readonly signal?: AbortSignal | undefined;
}

/** Errors: MISSING_PROGRAM, saying what was tried and what to install. */
export async function kafkaPrograms(options: KafkaProgramsOptions): Promise<KafkaPrograms> {
  const { version = KAFKA_VERSION } = options;
  const java = await findJava('the Kafka broker', 'or set KAFKA_BROKERS to a running Kafka', options.signal);
  const folder = await cached(`kafka-${version}`, (into) => fetchJars(version, into, options), {
    signal: options.signal,
    onWait: () => options.log('Waiting for another process that is fetching Apache Kafka ...'),
  });
  return { version, java, classPath: join(folder, 'libs', '*'), folder };
}

/** Kafka 4 came with log4j 2. */
export function hasLog4j2(version: string): boolean {
  return Number.parseInt(version, 10) >= 4;
}

/** `what` needs it; `otherwise` helps as well. Errors: MISSING_PROGRAM. */
export async function findJava(what: string, otherwise: string, signal?: AbortSignal): Promise<string> {
  const home = process.env['JAVA_HOME'];
  const candidates = [home ? join(home, 'bin', 'java') : undefined, findProgram('java')];
  const seen: string[] = [];
  for (const java of candidates) {
    if (java === undefined || !isExecutable(java)) continue;
    const version = javaMajor((await runProgram(java, ['-version'], { signal })).stderr);
    if (version !== undefined && version >= MIN_JAVA) return java;
    seen.push(`${java} is ${version === undefined ? 'not a working Java' : `Java ${version}`}`);
  }
  throw new CodedError(
    'MISSING_PROGRAM',
    `No Java ${MIN_JAVA} or newer for ${what} (looked at JAVA_HOME and the PATH${seen.length ? `: ${seen.join('; ')}` : ''}). ` +
      `Install a Java runtime (Debian: apt-get install openjdk-17-jre-headless), ${otherwise}.`,
  );
}

/** The major version in the answer of `java -version`. */
export function javaMajor(text: string): number | undefined {
  const found = /version "(?:1\.)?(\d+)/.exec(text);
  return found?.[1] === undefined ? undefined : Number(found[1]);
}

async function fetchJars(version: string, into: string, { log, signal }: KafkaProgramsOptions): Promise<void> {
  const maven = findProgram('mvn');
  if (maven === undefined) {
    throw new CodedError(
      'MISSING_PROGRAM',
      `Apache Kafka ${version} is not in the cache and there is no Maven (mvn) on the PATH to fetch it. ` +
        `Install Maven (Debian: apt-get install maven), or set KAFKA_BROKERS to a running Kafka.`,
    );
  }
  log(`Fetching Apache Kafka ${version} (once, about ${MEGABYTES} MB) ...`);
  await writeFile(join(into, 'pom.xml'), pomOf(version));
  const libs = join(into, 'libs');
  const args = [
    '-B',
    '-q',
    '-f',
    'pom.xml',
    'dependency:copy-dependencies',
    '-DincludeScope=runtime',
    `-DoutputDirectory=${libs}`,
  ];
  const { code, stdout, stderr } = await runProgram(maven, args, { cwd: into, signal });
  const jars = await readdir(libs).catch((): string[] => []);
  if (code !== 0 || !jars.includes(`kafka_2.13-${version}.jar`)) {
    const reason = /\[ERROR\] (.*)/.exec(stdout + stderr)?.[1] ?? `${stdout}${stderr}`.trim().slice(-500);
    throw new CodedError(
      'MISSING_PROGRAM',
      `Maven could not fetch org.apache.kafka:kafka_2.13:${version} (exit code ${code}): ${reason} ` +
        `Check that Maven reaches its repository, or set KAFKA_BROKERS to a running Kafka.`,
    );
  }
}

const dependency = (group: string, artifact: string, version: string): string =>
  `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;

function pomOf(version: string): string {
  const logging = hasLog4j2(version)
    ? [
        dependency('org.apache.logging.log4j', 'log4j-slf4j-impl', LOG4J_VERSION),
        dependency('org.apache.logging.log4j', 'log4j-core', LOG4J_VERSION),
      ]
    : [dependency('org.slf4j', 'slf4j-reload4j', RELOAD4J_VERSION)];
  return `<project>
<modelVersion>4.0.0</modelVersion>
<groupId>money-enrichment</groupId><artifactId>kafka-broker</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
${[dependency('org.apache.kafka', 'kafka_2.13', version), ...logging].join('\n')}
</dependencies>
</project>
`;
}
