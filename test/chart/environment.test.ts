/** What the chart tells commands that are run in its containers: where they are. */
import assert from 'node:assert/strict';
import { loadCommands } from '../../src/cli/commands.ts';
import { containerOf, find, type Manifest, render } from './support.ts';

interface Variable {
  readonly name: string;
  readonly value?: string;
}

/** The variables of a container that commands of ours read, with their values. */
function ours(object: Manifest, container: string): Map<string, string | undefined> {
  const variables = containerOf(object, container).env as Variable[];
  return new Map(variables.filter(({ name }) => name.startsWith('FAMFS_CSI_')).map(({ name, value }) => [name, value]));
}

/** The variables that options of any command are read from, and the option of each. */
async function readVariables(): Promise<Map<string, string>> {
  const names = (await loadCommands([])).map((command) => command.name());
  const loaded = (await Promise.all(names.map((name) => loadCommands([name])))).flat();
  const options = loaded.flatMap((command) => command.options);
  return new Map(options.flatMap(({ envVar, long }) => (envVar === undefined ? [] : [[envVar, long!]])));
}

describe('environment of the chart\'s containers', () => {
  const files = ['second-domain.yaml']; // with another driver's name than that which programs have by themselves

  for (const [kind, role] of [['Deployment', 'controller'], ['DaemonSet', 'fused']] as const) {
    it(`tells commands in ${role} by each variable that they read what the role itself is told by an argument`, async () => {
      const object = find(render({ files }), kind, `-${role}`);
      const read = await readVariables();
      assert.ok(read.size >= 4);
      const told = ours(object, role);
      assert.deepEqual([...told.keys()].sort(), [...read.keys()].sort());
      const args = containerOf(object, role).args as string[];
      read.delete('FAMFS_CSI_MEMBERS_NAMESPACE'); // by which the role is told, too
      for (const [variable, option] of read) {
        assert.deepEqual(args.filter((arg) => arg.startsWith(`${option}=`)), [`${option}=${told.get(variable)}`], variable);
      }
    });
  }

  it('names variables before it uses them in others, without which Kubernetes would leave the text as it is', () => {
    for (const object of render({ files }).filter(({ spec }) => spec?.template?.spec)) {
      for (const { env = [], name } of object.spec.template.spec.containers as { env?: Variable[]; name: string }[]) {
        const known = new Set<string>();
        for (const variable of env) {
          for (const [, used] of (variable.value ?? '').matchAll(/\$\((\w+)\)/g)) assert.ok(known.has(used!), `${name}: ${variable.name} uses ${used}`);
          known.add(variable.name);
        }
      }
    }
  });

  it('tells the node plugin nothing, which has neither devices nor a right to ask', () => {
    assert.deepEqual([...ours(find(render(), 'DaemonSet', '-node'), 'node')], []);
  });
});
