/** Tells the demo's story: numbered steps, each followed by what was seen. */
let count = 0;

/** A step of the story; when it throws, the demo ends there. */
export async function step(title: string, act: () => Promise<void> | void): Promise<void> {
  count++;
  console.log(`\n${count}. ${title}`);
  await act();
}

/** Something that was seen. */
export function say(text: string): void {
  for (const line of text.split('\n')) console.log(`   ${line}`);
}

/** Bytes as people say them. */
export function mebibytes(bytes: number | string): string {
  return `${Number(bytes) / (1 << 20)} MiB`;
}
