/** What a program takes from its environment: where it runs. */
import assert from 'node:assert/strict';
import os from 'node:os';
import { Command } from 'commander';
import { mountCommand } from '../../../src/cli/mount.ts';
import { roleCommand } from '../../../src/cli/role-options.ts';
import { withWritingOptions } from '../../../src/cli/writing.ts';

/** Options by their names, as an action gets them. */
type Options = Record<string, unknown>;

const pod = {
  FAMFS_CSI_KUBERNETES: 'famfs-system', FAMFS_CSI_HOST_DIR: '/run/famfs-csi/x.example.org', FAMFS_CSI_NODE_ID: 'node-7', FAMFS_CSI_DRIVER_NAME: 'x.example.org',
};
const places = ['kubernetes', 'stateDir', 'hostDir', 'nodeId', 'driverName'] as const;
const inPod = { kubernetes: 'famfs-system', stateDir: '/var/lib/famfs-csi', hostDir: '/run/famfs-csi/x.example.org', nodeId: 'node-7' };

describe('options of the place', () => {
  /** What the action of a command is told with this environment and these arguments. */
  function told(command: Command, environment: Readonly<Record<string, string>>, ...args: string[]): Options {
    let found: Options = {};
    command.exitOverride().configureOutput({ writeErr: () => undefined }).action((options: Options) => { found = options; });
    const own = process.env;
    process.env = { ...own, ...environment };
    try {
      command.parse(args, { from: 'user' });
    } finally {
      process.env = own;
    }
    return Object.fromEntries(places.flatMap((name) => (found[name] === undefined ? [] : [[name, found[name]]])));
  }

  const writing = () => withWritingOptions(new Command('mkdir'));
  const role = () => roleCommand('role', []);

  it('come from the environment where the command line does not give them', () => {
    assert.deepEqual(told(writing(), pod), inPod);
    assert.deepEqual(told(role(), pod), { ...inPod, driverName: 'x.example.org' });
    assert.equal(mountCommand().options.find(({ long }) => long === '--host-dir')?.envVar, 'FAMFS_CSI_HOST_DIR');
  });

  it('come from the command line where that gives them', () => {
    const args = ['--kubernetes', 'other', '--state-dir', '/s', '--host-dir', '/h', '--node-id', 'n'];
    const given = { kubernetes: 'other', stateDir: '/s', hostDir: '/h', nodeId: 'n' };
    assert.deepEqual(told(writing(), pod, ...args), given);
    assert.deepEqual(told(role(), pod, ...args, '--driver-name', 'y.example.org'), { ...given, driverName: 'y.example.org' });
  });

  it('mean the state directory that the command line gives, and no namespace of the environment beside it', () => {
    for (const command of [writing(), role()]) {
      const { kubernetes, stateDir } = told(command, pod, '--state-dir', '/s');
      assert.deepEqual({ kubernetes, stateDir }, { kubernetes: undefined, stateDir: '/s' });
    }
  });

  it('are not taken from variables that other programs set, too', () => {
    const others = { NODE_NAME: 'built-in', POD_NAMESPACE: 'builds', NODE_ID: 'n', HOSTNAME: 'h' };
    assert.deepEqual(told(writing(), others), { stateDir: '/var/lib/famfs-csi', hostDir: '/run/famfs-csi' });
    assert.equal(told(role(), others)['nodeId'], os.hostname());
  });

  it('are checked, with the name of the variable in the refusal', () => {
    assert.throws(() => told(writing(), { FAMFS_CSI_NODE_ID: 'two words' }), /FAMFS_CSI_NODE_ID/);
  });
});
