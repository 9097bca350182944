/** Options of the programs that are run by npm: `--help` says what there is, and what is wrong is said in one line. */
import { parseArgs, type ParseArgsConfig } from 'node:util';

/** As `parseArgs`. Ends the process with 0 after `--help`, and with 2 for options that there are not. */
export function commandLine<const T extends ParseArgsConfig>(
  usage: string,
  config: T,
): ReturnType<typeof parseArgs<T>> {
  if (process.argv.slice(2).some((argument) => argument === '--help' || argument === '-h')) {
    console.log(usage);
    process.exit(0);
  }
  try {
    return parseArgs(config);
  } catch (error) {
    console.error(`${(error as Error).message}\nusage: ${usage}`);
    process.exit(2);
  }
}
