import { get, list } from './kubectl.ts';
import { Names } from './objects.ts';
import { Selectors } from './release.ts';

/** The controller that holds the lease: its pod, the node it runs on, and since when. */
export async function leader(): Promise<{ pod: string; node: string; since: string }> {
  const { spec } = await get('lease', `${Names.driver}-controller`, Names.namespace);
  const pods = await list('pods', Names.namespace, '-l', Selectors.controller);
  const holder = pods.find(({ metadata }) => spec.holderIdentity?.includes(metadata.uid!));
  if (holder === undefined) throw new Error(`nobody rules: ${spec.holderIdentity}`);
  return { pod: holder.metadata.name, node: holder.spec.nodeName, since: spec.acquireTime };
}
