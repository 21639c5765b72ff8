/** What a published volume's mount looks like, as far as requests can differ. */
export interface MountWish {
  readonly readonly: boolean;
  readonly flags: readonly string[];
}

/** Set on every mount of ours: memory that several hosts write must bring no privileges. */
const ALWAYS = ['nosuid', 'nodev'];

/** The options of a bind mount. Later ones win, so that nothing asked for can lift what is always set. */
export function mountOptions({ readonly, flags }: MountWish): string[] {
  const asked = flags.filter((flag) => flag !== 'ro' && flag !== 'rw');
  return [...new Set([...asked, ...ALWAYS, readonly ? 'ro' : 'rw'])];
}

/** Whether a mount with these options, as mountinfo lists them, is what the wish would have made. */
export function fulfils(options: ReadonlySet<string>, wish: MountWish): boolean {
  return options.has('ro') === wish.readonly && options.has('noexec') === wish.flags.includes('noexec');
}
