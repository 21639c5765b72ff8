import type { V1PersistentVolume } from '@kubernetes/client-node';
import type { PersistentVolumes } from '../state/interfaces.ts';
import { type KubeApi, listSelected, orUnavailable } from './client.ts';

/** The PersistentVolumes of a driver. */
export class KubernetesPersistentVolumes implements PersistentVolumes {
  readonly #api: KubeApi;
  readonly #driver: string;

  constructor(api: KubeApi, driver: string) {
    this.#api = api;
    this.#driver = driver;
  }

  handles(): Promise<string[]> {
    return orUnavailable(listSelected((page) => this.#api.core.listPersistentVolume(page), (volumes) => handlesOf(volumes, this.#driver)));
  }
}

/** The handles of those of a driver, among others. */
export function handlesOf(volumes: readonly V1PersistentVolume[], driver: string): string[] {
  return volumes.flatMap(({ spec }) => (spec?.csi?.driver === driver ? [spec.csi.volumeHandle] : []));
}
