/** The part of a kubelet that plugins meet: it looks for sockets and registers whoever answers there. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { csi, pluginRegistration } from '../../src/csi/server/protocols.ts';
import type { NodeGetInfoResponse__Output } from '../../src/generated/csi/v1/NodeGetInfoResponse.ts';
import type { PluginInfo__Output } from '../../src/generated/pluginregistration/PluginInfo.ts';
import { plain, unary } from './grpc-client.ts';

/** What a registration brought to light. */
export interface Registered {
  plugin: PluginInfo__Output;
  node: NodeGetInfoResponse__Output;
  /** The pools of its topology. */
  pools: string[];
}

export class Kubelet {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** The sockets it sees, each with what changes when it is made anew. */
  sockets(): Map<string, string> {
    const names = readdirSync(this.directory).filter((name) => !name.startsWith('.'));
    return new Map(names.map((name) => {
      const { ino, ctimeNs } = statSync(join(this.directory, name), { bigint: true });
      return [name, `${ino} ${ctimeNs}`];
    }));
  }

  /** Registers a plugin as the kubelet does: who are you, what node is this, done (or not, and why). */
  async register(socket: string, refusal = ''): Promise<Registered> {
    const registration = new pluginRegistration.Registration(`unix://${join(this.directory, socket)}`, plain);
    try {
      const plugin = await unary<object, PluginInfo__Output>(registration, registration.getInfo, {});
      const driver = new csi.Node(`unix://${plugin.endpoint}`, plain);
      try {
        const node = await unary<object, NodeGetInfoResponse__Output>(driver, driver.nodeGetInfo, {});
        await unary(registration, registration.notifyRegistrationStatus, { plugin_registered: refusal === '', error: refusal });
        const keys = Object.keys(node.accessible_topology?.segments ?? {});
        return { plugin, node, pools: keys.map((key) => key.slice(key.indexOf('/pool-') + '/pool-'.length)) };
      } finally {
        driver.close();
      }
    } finally {
      registration.close();
    }
  }
}
