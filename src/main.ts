import { Command, CommanderError } from 'commander';
import { messageOf } from './famfs/errors.ts';

/** Exit status for arguments that make no sense, and where fsck could not look. */
const USAGE = 2;

/** The commands in the order of the help. One is loaded when it is asked for: the roles take long. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  mkfs: async () => (await import('./cli/mkfs.ts')).mkfsCommand(),
  adopt: async () => (await import('./cli/adopt.ts')).adoptCommand(),
  'reset-claim': async () => (await import('./cli/reset-claim.ts')).resetClaimCommand(),
  fsck: async () => (await import('./cli/fsck.ts')).fsckCommand(),
  ls: async () => (await import('./cli/ls.ts')).lsCommand(),
  df: async () => (await import('./cli/df.ts')).dfCommand(),
  log: async () => (await import('./cli/log.ts')).logCommand(),
  mkdir: async () => (await import('./cli/mkdir.ts')).mkdirCommand(),
  creat: async () => (await import('./cli/creat.ts')).creatCommand(),
  cp: async () => (await import('./cli/cp.ts')).cpCommand(),
  rm: async () => (await import('./cli/rm.ts')).rmCommand(),
  mount: async () => (await import('./cli/mount.ts')).mountCommand(),
  umount: async () => (await import('./cli/umount.ts')).umountCommand(),
  controller: async () => (await import('./cli/controller.ts')).controllerCommand(),
  node: async () => (await import('./cli/node.ts')).nodeCommand(),
  fused: async () => (await import('./cli/fused.ts')).fusedCommand(),
  evict: async () => (await import('./cli/evict.ts')).evictCommand(),
  uninstall: async () => (await import('./cli/uninstall.ts')).uninstallCommand(),
  all: async () => (await import('./cli/all.ts')).allCommand(),
};

/** The command that the arguments begin with; all of them for help, and to tell what there is. */
function loadCommands(asked: string | undefined): Promise<Command[]> {
  const names = asked !== undefined && Object.hasOwn(commands, asked) ? [asked] : Object.keys(commands);
  return Promise.all(names.map((name) => commands[name]()));
}

const program = new Command('famfs-csi')
  .description('famfs on shared memory: the pool tools, and the roles of the CSI driver')
  .showHelpAfterError('(--help tells the arguments)')
  .exitOverride();

try {
  for (const command of await loadCommands(process.argv[2])) program.addCommand(command.copyInheritedSettings(program));
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
