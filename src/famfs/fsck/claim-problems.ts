import { ClaimLayout } from '../format/claim-record.ts';
import type { ClaimRing } from '../log/claim-ring.ts';
import type { Problem } from '../log/problem.ts';

/** Records of the claim ring that were written, and do not count. */
export function claimProblems(ring: ClaimRing): Problem[] {
  const problems: Problem[] = [];
  const note = (reason: string) => problems.push({ place: 'claim', severity: 'note', reason });
  for (let number = 0; number < ClaimLayout.records; number++) {
    const judged = ring.verdict(number);
    if (judged.verdict === 'newer') note(`record ${number} has version ${judged.version}: a later program writes here`);
    if (judged.verdict === 'none') note(`record ${number} has no valid head: torn, damaged, or of another file system`);
    if (judged.verdict === 'valid' && ring.list(judged.head) === undefined) note(`record ${number} has no valid list: its take-over was not finished`);
  }
  return problems;
}
