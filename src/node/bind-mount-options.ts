/** What a published volume's mount looks like, as far as requests can differ. */
export interface BindMountSpec {
  readonly readonly: boolean;
  readonly flags: readonly string[];
}

/** Set on every mount of ours: memory that several hosts write must bring no privileges. */
const ALWAYS = ['nosuid', 'nodev'];

/** The options of a bind mount. Later ones win, so that nothing asked for can lift what is always set. */
export function bindMountOptions({ readonly, flags }: BindMountSpec): string[] {
  const asked = flags.filter((flag) => flag !== 'ro' && flag !== 'rw');
  return [...new Set([...asked, ...ALWAYS, readonly ? 'ro' : 'rw'])];
}

/** Whether a mount with these options, as mountinfo lists them, is as this says. */
export function matchesSpec(options: ReadonlySet<string>, spec: BindMountSpec): boolean {
  return options.has('ro') === spec.readonly && options.has('noexec') === spec.flags.includes('noexec');
}
