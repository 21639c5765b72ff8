import { Command } from 'commander';

/** A command as the list of all commands has it. */
interface Listed {
  readonly description: string;
  /** Loads the command's options and its work. */
  readonly load: () => Promise<Command>;
}

/**
 * The commands in the order of the help. One is loaded when it is asked for: what all of them need takes
 * many times as long as to tell what there is.
 */
const commands: Readonly<Record<string, Listed>> = {
  mkfs: {
    description: 'make an empty famfs on a device',
    load: async () => (await import('./mkfs.ts')).mkfsCommand(),
  },
  adopt: {
    description: "make this cluster the owner of a pool that others formatted; files stay, free memory is zeroed",
    load: async () => (await import('./adopt.ts')).adoptCommand(),
  },
  'reset-claim': {
    description: 'remove records of the claim ring that no writer of this cluster has made, so that there can be writers again',
    load: async () => (await import('./reset-claim.ts')).resetClaimCommand(),
  },
  fsck: {
    description: 'check a pool; exits 0 when it is clean, 1 when something is wrong, 2 when it could not look',
    load: async () => (await import('./fsck.ts')).fsckCommand(),
  },
  ls: {
    description: 'list files and directories of a pool',
    load: async () => (await import('./ls.ts')).lsCommand(),
  },
  df: {
    description: 'show the memory and the log slots of a pool',
    load: async () => (await import('./df.ts')).dfCommand(),
  },
  log: {
    description: 'show the entries of a log as their bytes say',
    load: async () => (await import('./log.ts')).logCommand(),
  },
  mkdir: {
    description: 'make a directory in a pool',
    load: async () => (await import('./mkdir.ts')).mkdirCommand(),
  },
  creat: {
    description: 'make a file of a fixed size in a pool; it reads as zeros',
    load: async () => (await import('./creat.ts')).creatCommand(),
  },
  cp: {
    description: 'copy a file into a pool: DEVICE:PATH makes a new file of the same size, a file on a mount is filled in place',
    load: async () => (await import('./cp.ts')).cpCommand(),
  },
  rm: {
    description: 'delete a file or an empty directory; memory of files stays quarantined until no host can use it',
    load: async () => (await import('./rm.ts')).rmCommand(),
  },
  mount: {
    description: 'mount a pool on a directory; returns when it serves',
    load: async () => (await import('./mount.ts')).mountCommand(),
  },
  umount: {
    description: 'unmount a pool',
    load: async () => (await import('./umount.ts')).umountCommand(),
  },
  controller: {
    description: 'serve the CSI controller: allocate volumes, the only writer of the pools',
    load: async () => (await import('./roles.ts')).controllerCommand(),
  },
  node: {
    description: 'serve the CSI node: mount volumes on this host, through its data plane',
    load: async () => (await import('./roles.ts')).nodeCommand(),
  },
  fused: {
    description: 'run the data plane of this host: one FUSE session per pool',
    load: async () => (await import('./roles.ts')).fusedCommand(),
  },
  evict: {
    description: 'give back what a host holds that was powered off and does not come back by itself',
    load: async () => (await import('./evict.ts')).evictCommand(),
  },
  orphans: {
    description: 'name the volumes that no PersistentVolume names; in a pod of the controller, it asks the API server. Deletes nothing',
    load: async () => (await import('./orphans.ts')).orphansCommand(),
  },
  uninstall: {
    description: 'before and after the removal of a release from Kubernetes',
    load: async () => (await import('./uninstall.ts')).uninstallCommand(),
  },
  all: {
    description: 'run controller, node and data plane in one process: for one host without Kubernetes',
    load: async () => (await import('./roles.ts')).allCommand(),
  },
};

/** All commands, of which those that are not named by the arguments have nothing but what the list of commands says. */
export async function loadCommands(args: readonly string[]): Promise<Command[]> {
  const asked = args.find((arg) => Object.hasOwn(commands, arg));
  return Promise.all(Object.entries(commands).map(async ([name, { description, load }]) => (
    (name === asked ? await load() : new Command(name)).description(description))));
}
