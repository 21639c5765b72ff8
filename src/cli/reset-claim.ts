import { Command } from 'commander';
import { openMemory, sourceOf } from '../famfs/pool/pool-source.ts';
import { type ForgedRecord, forgedRecords, removeRecords } from '../famfs/writer/take-over/reset-claim.ts';
import { printJson } from './output.ts';
import { parseEpoch } from './sizes.ts';

interface ResetClaimOptions {
  readonly forged?: true;
  readonly above?: number;
  readonly json?: true;
}

/** `famfs-csi reset-claim DEVICE --forged` */
export function resetClaimCommand(): Command {
  return new Command('reset-claim')
    .argument('<device>', 'the pool')
    .option('--forged', 'my word that no writer of this cluster has made the records that are shown without it')
    .option('--above <epoch>', 'remove every record above this epoch: the highest that a controller of this cluster had', parseEpoch)
    .option('--json', 'print JSON')
    .action(run);
}

async function run(device: string, { forged, above, json }: ResetClaimOptions): Promise<void> {
  const memory = openMemory(sourceOf(device), { writable: forged === true });
  try {
    const records = forgedRecords(memory, above);
    if (forged && records.length > 0) await removeRecords(memory, records);
    if (json) return printJson({ device, removed: forged === true, records });
    if (records.length === 0) return console.log(`${device}: every record of the claim ring can be that of a writer; nothing is removed`);
    for (const record of records) console.log(describe(record));
    if (!forged) throw new Error(`${device}: nothing was removed; say --forged when no writer of this cluster has made ${records.length === 1 ? 'it' : 'them'}`);
    console.log(`${device}: removed; the controller takes the pool over by itself`);
  } finally {
    memory.close();
  }
}

function describe({ number, epoch, holder, reason }: ForgedRecord): string {
  return `record ${number}, epoch ${epoch}${holder === undefined ? '' : `, of ${JSON.stringify(holder)}`}: ${reason}`;
}
