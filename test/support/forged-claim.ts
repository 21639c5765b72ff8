import { openDevice } from '../../src/famfs/device/open.ts';
import {
  ClaimLayout, encodeClaimHead, encodeClaimList, recordOffset, type SlotRange,
} from '../../src/famfs/format/claim-record.ts';
import { LogHeader } from '../../src/famfs/format/log-header.ts';
import { decodeSuperblock, Superblock } from '../../src/famfs/format/superblock.ts';

/** Stores a claim record that no writer has made, closed, with a list; answers whether the log is still as it was. */
export function forgeClaim(path: string, epoch: number, guards: readonly SlotRange[]): { isUnchangedButForClaims: () => boolean } {
  const device = openDevice(path);
  const { superblock } = device;
  const { uuid, systemUuid: clusterUuid } = decodeSuperblock(Buffer.from(superblock.bytes.subarray(0, Superblock.length)));
  const head = { uuid, epoch, firstEpoch: 1, clusterUuid, holder: `forged/${epoch}`, bootId: uuid };
  const at = recordOffset(epoch);
  superblock.store(at, encodeClaimHead(head));
  superblock.store(at + ClaimLayout.list, encodeClaimList(head, { guards, abandoned: [] }));
  superblock.store64(at + ClaimLayout.closed, BigInt(epoch));
  superblock.store64(ClaimLayout.changeWord, BigInt(epoch) << 32n);
  const log = () => Buffer.from(device.log(LogHeader.minimumLogLength).bytes);
  const before = log();
  return {
    isUnchangedButForClaims: () => {
      const isSame = log().equals(before);
      device.close();
      return isSame;
    },
  };
}
