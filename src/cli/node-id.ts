import { InvalidArgumentError } from 'commander';

/** The name of a host as given with --node-id. Throws InvalidArgumentError. */
export function parseNodeId(text: string): string {
  // The CSI specification allows 256 bytes; Kubernetes keeps it in an annotation of fewer.
  if (!/^[\x21-\x7e]{1,192}$/.test(text)) throw new InvalidArgumentError('Expected 1 to 192 printable characters without blanks.');
  return text;
}
