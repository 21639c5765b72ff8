import type { Logger } from 'winston';
import type { Member } from '../state/interfaces.ts';
import type { KubeApi } from './client.ts';
import { LeaseRecords, versionOf } from './lease-records.ts';
import { replacedLeases } from './members.ts';
import { isSign, type MembersPlace, MembersSign } from './members-sign.ts';
import type { Names } from './names.ts';
import { ReconcileLoop } from './reconcile-loop.ts';

/** New mounts of a cluster's first start wait for it, and records of hosts that have left. */
const EVERY_MS = 5_000;

/**
 * What the controller that leads does for members: puts the sign up, and removes records of earlier
 * data planes that new ones of the same hosts have replaced. Those may write in their own place only.
 */
export class MemberKeeper {
  readonly #records: LeaseRecords<Member>;
  readonly #earlier: LeaseRecords<Member>;
  readonly #sign: MembersSign;
  readonly #names: Names;
  readonly #log: Logger;

  constructor(api: KubeApi, place: MembersPlace, names: Names, log: Logger) {
    this.#records = new LeaseRecords(api, place.membersNamespace, names, 'member');
    this.#earlier = new LeaseRecords(api, place.namespace, names, 'member');
    this.#sign = new MembersSign(api, place, names);
    this.#names = names;
    this.#log = log;
  }

  start(signal: AbortSignal): void {
    new ReconcileLoop(EVERY_MS, () => this.#pass(), this.#log, signal).trigger();
  }

  async #pass(): Promise<void> {
    if (await this.#sign.putUp()) this.#log.info('members are in a namespace of their own', { namespace: this.#records.namespace });
    const earlier = (await this.#earlier.leases()).filter((lease) => !isSign(lease, this.#names));
    if (earlier.length === 0) return; // as ever, once all data planes are new
    for (const lease of replacedLeases(earlier, await this.#records.leases(), this.#names)) {
      const name = lease.metadata!.name!;
      if (await this.#earlier.delete(name, versionOf(lease))) this.#log.info('a member record has moved', { record: name });
    }
  }
}
