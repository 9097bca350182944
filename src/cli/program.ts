/** The commander definitions of all commands, or of the one that is wanted. */
import { Command } from 'commander';
import { productVersion } from '../engine/process/version.ts';
import { asCalled, type Name } from './called-as.ts';
import { COMMANDS } from './commands.ts';

/**
 * Of the commands that are not `wanted` only name and summary are there; `'all'`: all of them whole. `say`: help and version.
 * Throws CommanderError where commander itself would end the process.
 */
export async function createProgram(
  name: Name,
  wanted: string | undefined,
  say: (text: string) => void,
): Promise<Command> {
  const program = new Command(name)
    .description(
      'Exactly-once enrichment of a Kafka stream of money events, with one durable Temporal workflow per user.',
    )
    .version(productVersion(), '-V, --version', 'print the version')
    .option('--json', 'with any command: one JSON document on stdout')
    .enablePositionalOptions()
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText(
      'after',
      `\nStart with: ${name === 'money-enrichment' ? 'npx ' : ''}${name} demo\nConfiguration: environment variables or a file .env; "${name} doctor" checks it.`,
    );
  for (const { name: command, summary, load } of COMMANDS) {
    const whole = wanted === 'all' || command === wanted;
    program.addCommand(whole ? (await load()).summary(summary) : new Command(command).summary(summary));
  }
  prepare(program, say);
  for (const command of program.commands) takeJson(command);
  return program;
}

/** commander throws instead of ending the process, and leaves the words to the caller. */
function prepare(command: Command, say: (text: string) => void): void {
  command
    .exitOverride()
    .configureOutput({
      outputError: () => undefined,
      writeOut: say,
      writeErr: (text) => void process.stderr.write(asCalled(text)),
    })
    .configureHelp({ showGlobalOptions: false });
  for (const child of command.commands) prepare(child, say);
}

/** Every command takes --json; what its document is, it says itself where there is more to say. */
function takeJson(command: Command): void {
  if (!command.options.some(({ long }) => long === '--json')) {
    command.option('--json', 'one JSON document on stdout, all else on stderr; an error is {"code","message","next"}');
  }
  for (const child of command.commands) takeJson(child);
}
