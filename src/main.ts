import { Command, CommanderError } from 'commander';
import { adoptCommand } from './cli/adopt.ts';
import { allCommand } from './cli/all.ts';
import { controllerCommand } from './cli/controller.ts';
import { cpCommand } from './cli/cp.ts';
import { creatCommand } from './cli/creat.ts';
import { dfCommand } from './cli/df.ts';
import { fsckCommand } from './cli/fsck.ts';
import { fusedCommand } from './cli/fused.ts';
import { logCommand } from './cli/log.ts';
import { lsCommand } from './cli/ls.ts';
import { mkdirCommand } from './cli/mkdir.ts';
import { mkfsCommand } from './cli/mkfs.ts';
import { mountCommand } from './cli/mount.ts';
import { nodeCommand } from './cli/node.ts';
import { rmCommand } from './cli/rm.ts';
import { umountCommand } from './cli/umount.ts';

/** Exit status for arguments that make no sense, and where fsck could not look. */
const USAGE = 2;

const program = new Command('famfs-csi')
  .description('famfs on shared memory: the pool tools, and the roles of the CSI driver')
  .showHelpAfterError('(--help tells the arguments)')
  .exitOverride();

const tools = [
  mkfsCommand, adoptCommand, fsckCommand, lsCommand, dfCommand, logCommand, mkdirCommand, creatCommand, cpCommand, rmCommand,
  mountCommand, umountCommand,
];
const roles = [controllerCommand, nodeCommand, fusedCommand, allCommand];
for (const command of [...tools, ...roles]) program.addCommand(command().copyInheritedSettings(program));

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : USAGE; // commander has said it
  } else {
    console.error(`famfs-csi: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = process.argv[2] === 'fsck' ? USAGE : 1;
  }
}
