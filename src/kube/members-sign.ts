import { status } from '@grpc/grpc-js';
import type { V1Lease } from '@kubernetes/client-node';
import { CsiError } from '../csi/errors.ts';
import { type KubeApi, orUnavailable, statusOf, unlessMissing } from './client.ts';
import { annotation, MEMBERS_ANNOTATION, type Names } from './names.ts';

/** Whether a Lease that is labelled as a member's is the sign. */
export function isSign({ metadata }: V1Lease, names: Names): boolean {
  return metadata?.name === names.membersSign;
}

/** Where the records of members are. */
export interface MembersPlace {
  /** The release's namespace: earlier versions keep them there, and the sign is there. */
  readonly namespace: string;
  readonly membersNamespace: string;
}

/** What the sign says: the namespace of the members' Leases, and which namespace of that name. */
interface SignText {
  readonly namespace: string;
  readonly uid: string;
}

/**
 * The sign that members are in a namespace of their own: a Lease where earlier versions look for
 * members, with their label and without a record. A controller of such a version cannot read the
 * members then, and gives no memory back. It is put up by a controller that leads, and stays.
 *
 * Example: host A runs a new data plane, host B an earlier one, and the lease goes to an earlier
 * controller. That one would find B and not A. It finds the sign, and frees nothing that A may use.
 */
export class MembersSign {
  readonly #api: KubeApi;
  readonly #place: MembersPlace;
  readonly #name: string;
  readonly #labels: Record<string, string>;

  constructor(api: KubeApi, place: MembersPlace, names: Names) {
    this.#api = api;
    this.#place = place;
    this.#name = names.membersSign;
    this.#labels = names.labels('member');
  }

  /** The UID that the members' namespace must have. Throws CsiError UNAVAILABLE where no sign names that namespace. */
  async read(): Promise<string> {
    const { namespace, membersNamespace } = this.#place;
    const where = `Lease ${namespace}/${this.#name}`;
    const lease = await orUnavailable(unlessMissing(this.#api.coordination.readNamespacedLease({ name: this.#name, namespace })));
    if (lease === undefined) {
      throw new CsiError(status.UNAVAILABLE, `${where} is not there yet: it comes with the first controller of this version that leads, and earlier ones do not see members in namespace ${membersNamespace}`);
    }
    const text = annotation<SignText>(lease, MEMBERS_ANNOTATION);
    if (typeof text?.uid !== 'string' || text.namespace !== membersNamespace) {
      throw new CsiError(status.UNAVAILABLE, `${where} says that members are in namespace ${String(text?.namespace).slice(0, 100)}, and this process was told ${membersNamespace}: no memory comes back before they agree`);
    }
    return text.uid;
  }

  /**
   * To be asked after the records were read: whether that namespace still has all that was written to
   * it. Throws CsiError UNAVAILABLE where it ends, or was made again.
   */
  async confirm(uid: string): Promise<void> {
    const { namespace, membersNamespace } = this.#place;
    const found = await orUnavailable(unlessMissing(this.#api.core.readNamespace({ name: membersNamespace })));
    if (found !== undefined && found.metadata?.uid === uid && found.metadata.deletionTimestamp === undefined) return;
    throw new CsiError(status.UNAVAILABLE, `namespace ${membersNamespace} was deleted, and with it the records of hosts that may use memory: when every such host has a record there again, or is off for certain, delete Lease ${namespace}/${this.#name}`);
  }

  /** Makes the sign where there is none. True if it did. */
  async putUp(): Promise<boolean> {
    const { namespace, membersNamespace } = this.#place;
    const found = await unlessMissing(this.#api.coordination.readNamespacedLease({ name: this.#name, namespace }));
    if (found !== undefined) return false;
    const { metadata } = await this.#api.core.readNamespace({ name: membersNamespace });
    if (metadata!.deletionTimestamp !== undefined) throw new Error(`namespace ${membersNamespace} is being deleted: make it again, for instance by "helm upgrade"`);
    const text: SignText = { namespace: membersNamespace, uid: metadata!.uid! };
    const annotations = { [MEMBERS_ANNOTATION]: JSON.stringify(text) };
    const body = { metadata: { name: this.#name, namespace, labels: this.#labels, annotations } };
    return this.#api.coordination.createNamespacedLease({ namespace, body }).then(() => true, (error: unknown) => {
      if (statusOf(error) === 409) return false; // another one was faster
      throw error;
    });
  }
}
