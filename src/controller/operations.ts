import { problemWith } from '../csi/capabilities.ts';
import { refuse } from '../csi/errors.ts';
import { Locks } from '../csi/locks.ts';
import { CONTROLLER_CAPABILITIES } from '../csi/server/identity.ts';
import type { Operations } from '../csi/server/service.ts';
import { parseVolumeId } from '../csi/volume-id.ts';
import type { ControllerHandlers } from '../generated/csi/v1/Controller.ts';
import type { ValidateVolumeCapabilitiesRequest__Output } from '../generated/csi/v1/ValidateVolumeCapabilitiesRequest.ts';
import type { ValidateVolumeCapabilitiesResponse } from '../generated/csi/v1/ValidateVolumeCapabilitiesResponse.ts';
import type { Attaching } from './attaching.ts';
import { parseParameters, sameParameters } from './layout/parameters.ts';
import { directoryName } from './layout/volume-name.ts';
import type { Listing } from './listing.ts';
import type { Volumes } from './volumes.ts';

/** The parts of a controller. */
export interface ControllerParts {
  readonly volumes: Volumes;
  readonly attaching: Attaching;
  readonly listing: Listing;
}

/**
 * The controller service: keeps calls about one volume apart and hands them on. A volume is locked
 * by its directory, which its name at creation and its handle afterwards both lead to.
 */
export function controllerOperations({ volumes, attaching, listing }: ControllerParts): Operations<ControllerHandlers> {
  const locks = new Locks();
  const locked = <Result>(volumeId: string, work: () => Promise<Result> | Result) => {
    if (volumeId === '') throw refuse.invalid('volume_id is required');
    return locks.run([parseVolumeId(volumeId)?.directory ?? volumeId], work);
  };
  return {
    CreateVolume: (request) => locks.run([directoryName(request.name)], async () => ({ volume: await volumes.create(request) })),
    DeleteVolume: ({ volume_id: id }) => locked(id, async () => {
      await volumes.delete(id);
      return {};
    }),
    ControllerPublishVolume: (request) => locked(request.volume_id, async () => (
      { publish_context: await attaching.publish(request) })),
    ControllerUnpublishVolume: ({ volume_id: id, node_id: node }) => locked(id, async () => {
      await attaching.unpublish(id, node);
      return {};
    }),
    // No locks from here on: these only read, and each answer was true at one moment.
    ValidateVolumeCapabilities: (request) => validate(attaching, request),
    ListVolumes: (request) => listing.list(request),
    GetCapacity: (request) => listing.capacity(request),
    ControllerGetCapabilities: () => CONTROLLER_CAPABILITIES,
  };
}

function validate(
  attaching: Attaching, request: ValidateVolumeCapabilitiesRequest__Output,
): ValidateVolumeCapabilitiesResponse {
  if (request.volume_id === '') throw refuse.invalid('volume_id is required');
  if (request.volume_capabilities.length === 0) throw refuse.invalid('volume_capabilities is required');
  const { record } = attaching.requireVolume(request.volume_id);
  const problem = request.volume_capabilities.map(problemWith).find((text) => text !== undefined);
  if (problem !== undefined) return { message: problem };
  const { volume_capabilities, volume_context, parameters } = request;
  const asked = parseParameters(parameters).given;
  if (record && Object.keys(asked).length > 0 && !sameParameters(record.parameters, asked)) {
    return { message: `the volume was made with parameters ${JSON.stringify(record.parameters)}` };
  }
  return { confirmed: { volume_capabilities, volume_context, parameters } };
}
