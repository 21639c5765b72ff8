import { Command, CommanderError } from 'commander';
import { loadCommands } from './cli/commands.ts';
import { version } from './csi/version.ts';
import { messageOf } from './famfs/errors.ts';

/** Exit status for arguments that make no sense, and where fsck could not look. */
const USAGE = 2;

const program = new Command('famfs-csi')
  .description('famfs on shared memory: the pool tools, and the roles of the CSI driver')
  .version(version(), '--version')
  .addHelpText('after', '\nfamfs-csi COMMAND --help tells the arguments of a command.')
  .showHelpAfterError('(--help tells the arguments)')
  .exitOverride();

try {
  for (const command of await loadCommands(process.argv.slice(2))) program.addCommand(command.copyInheritedSettings(program));
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : USAGE; // commander has said it
  } else {
    console.error(`famfs-csi: ${printable(messageOf(error))}`);
    process.exitCode = process.argv[2] === 'fsck' ? USAGE : 1;
  }
}

/** Names out of shared memory are anybody's: none of them may steer a terminal. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
}
