/** The chart as a package: clean, complete, and at one with the program and its documentation. */
import assert from 'node:assert/strict';
import { loadYaml } from '@kubernetes/client-node';
import { chart, exampleValues, helm, text, valueArguments } from './support.ts';

const values = loadYaml(text('deploy/helm/famfs-csi/values.yaml')) as Record<string, unknown>;

/** Every key of the values down to what is no map, as `controller.httpPort`. */
function keysOf(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length === 0) return [path];
  return Object.entries(value).flatMap(([key, inner]) => keysOf(inner, path === '' ? key : `${path}.${key}`));
}

/** Maps of the schema that take any key: the text of each definition that does. */
function openObjects(node: unknown, path = ''): string[] {
  if (typeof node !== 'object' || node === null) return [];
  const inner = Object.entries(node).flatMap(([key, value]) => openObjects(value, `${path}/${key}`));
  const { type, additionalProperties } = node as { type?: unknown; additionalProperties?: unknown };
  return type === 'object' && additionalProperties === undefined ? [path, ...inner] : inner;
}

describe('chart famfs-csi', () => {
  it('passes helm lint with its own values and with every documented example', () => {
    for (const files of [[], ...exampleValues.map((name) => [name])]) {
      const { code, output } = helm(['lint', '--strict', chart, ...valueArguments({ files })]);
      assert.equal(code, 0, output);
      assert.doesNotMatch(output, /\[(WARNING|ERROR)\]/);
    }
  });

  it('is of the version of the program', () => {
    const { version } = JSON.parse(text('package.json')) as { version: string };
    const own = loadYaml(text('deploy/helm/famfs-csi/Chart.yaml')) as { version: string; appVersion: string };
    assert.deepEqual({ version: own.version, appVersion: own.appVersion }, { version, appVersion: version });
  });

  it('lets no unknown key pass in any map that has known ones', () => {
    const schema = JSON.parse(text('deploy/helm/famfs-csi/values.schema.json')) as unknown;
    // Parts of the Kubernetes API that the API server checks, and what Helm hands to charts inside charts.
    const open = ['nodeAffinity', 'podAffinity', 'podAntiAffinity', 'podSelector', 'namespaceSelector', 'global'];
    assert.deepEqual(openObjects(schema).filter((path) => !open.includes(path.split('/').at(-1)!)), []);
  });

  it('has every value in docs/options.md, and none there that it has not', () => {
    const cells = [...text('docs/options.md').matchAll(/^\| (`[^|]+) \|/gm)].map(([, cell]) => cell);
    const documented = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, key]) => key.replace(/\[\].*$/, '')));
    const known = keysOf(values, '');
    const covers = (one: string, key: string) => key === one || key.startsWith(`${one}.`);
    assert.deepEqual(known.filter((key) => !documented.some((one) => covers(one, key))), [], 'not documented');
    assert.deepEqual(documented.filter((one) => !known.some((key) => covers(one, key))), [], 'no value of the chart');
  });

  it('has documentation that shows examples as they are', () => {
    for (const page of ['README.md', 'docs/install.md', 'docs/parameters.md']) {
      const examples = [...text(page).matchAll(/^```yaml\n# (examples\/[\w/.-]+)\n([^]*?)^```$/gm)];
      assert.ok(examples.length > 0, `${page} shows no example`);
      for (const [, name, shown] of examples) {
        assert.equal(shown, text(name), `${page} shows another ${name}`);
      }
    }
  });
});
