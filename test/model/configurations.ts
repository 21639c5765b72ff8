/** What the models of docs/model are checked with: sizes, switches, and what each must come to. */

export type Defines = Readonly<Record<string, number | true>>;

/** One run of the checker. */
export interface Configuration {
  readonly name: string;
  readonly model: 'one-writer' | 'epoch' | 'fence';
  readonly defines: Defines;
  /** The invariant that must be violated; undefined where all must hold. */
  readonly violates?: string;
}

/** Two writers that append batches of two, an incremental reader. */
const append: Defines = { W: 2, B: 2, N: 8, E: 2, APPENDS: 1 };
/** Two writers that create, delete, reclaim and create again in the same memory; a member with an open file. */
const reclaim: Defines = { W: 2, B: 1, N: 5, E: 1, APPENDS: 2, DELETES: 1 };
/** Three writers without the incremental reader, for what takes a third one to go wrong. */
const third: Defines = { W: 3, B: 1, N: 5, E: 3, APPENDS: 1, READER: 0 };
/** Epochs beyond the number of records. */
const wrapped: Defines = { ...third, RING: 2, EPOCHS: 4 };
const rejects: Defines = { ...reclaim, APPENDS: 1, REJECTS: 1 };
/** A co-host that voids one entry of the two writers. */
const voids: Defines = { ...reclaim, VOIDS: 1, READER: 0 };
/** The same beside a member with an open file. */
const voidsBesideMember: Defines = { ...voids, N: 4, DELETES: 0, READER: 1 };
/** A co-host that forges a claim, with epochs to spare. */
const forges: Defines = { W: 2, B: 1, N: 5, E: 2, APPENDS: 1, READER: 0, FORGES: 1, EPOCHS: 4, RING: 5 };

function holds(name: string, defines: Defines, model: Configuration['model'] = 'one-writer'): Configuration {
  return { name, model, defines };
}

/** The design as it is. Together these must reach every statement of the models. */
export const designs: readonly Configuration[] = [
  holds('append and take-over', append),
  holds('reclaim and reuse', reclaim),
  holds('batches, reclaim and take-over together', { ...append, N: 6, E: 1, DELETES: 1 }),
  holds('three writers', third),
  holds('a wrapped ring', wrapped),
  holds('deletion beside a refused entry', rejects),
  holds('a co-host that voids an entry', voids),
  holds('a co-host that voids an entry beside a member', voidsBesideMember),
  holds('a co-host that forges a list', forges),
  holds('the choice of an epoch', {}, 'epoch'),
  holds('store buffers', {}, 'fence'),
];

/** Clauses that the model does not need for safety. Each has its reason in docs/model/README.md. */
export const spare: readonly Configuration[] = [
  holds('NO_RESTORING', { ...reclaim, NO_RESTORING: true }),
  holds('STILL_CLEAN', { ...voids, STILL_CLEAN: true }),
  holds('LISTS_BEFORE_JUDGING', { ...third, LISTS_BEFORE_JUDGING: true }),
];

function without(name: string, defines: Defines, violates: string, model: Configuration['model'] = 'one-writer'): Configuration {
  return { name, model, defines: { ...defines, [name]: defines[name] ?? true }, violates };
}

/** The design without one rule each. */
export const switches: readonly Configuration[] = [
  without('NO_GUARDS', append, 'acknowledged_volume_lost'),
  without('READERS_IGNORE_GUARDS', append, 'acknowledged_volume_lost'),
  without('G', { ...append, G: 1 }, 'acknowledged_volume_lost'),
  without('SCAN_BEFORE_HEAD', third, 'acknowledged_volume_lost'),
  without('GUARDS_BEFORE_LIST', third, 'acknowledged_volume_lost'),
  without('LIST_NOT_INHERITED', third, 'acknowledged_volume_lost'),
  without('NO_SCANNING_ON', append, 'acknowledged_volume_lost'),
  without('REWRITTEN_RECORD', append, 'acknowledged_volume_lost'),
  without('RECORDS_SHARED', wrapped, 'acknowledged_volume_lost'),
  without('NO_CLAIM_READS_AFTER', append, 'two_owners_of_an_extent'),
  without('NO_SCRUB_WORD', reclaim, 'tenant_memory_zeroed'),
  without('ABANDONED_REUSED', reclaim, 'tenant_memory_zeroed'),
  without('NO_ACKNOWLEDGEMENT', reclaim, 'dirty_memory_given'),
  without('ANY_EPOCH_ACKNOWLEDGES', reclaim, 'dirty_memory_given'),
  without('REPLAY_BEFORE_REGISTERING', reclaim, 'dirty_memory_given'),
  without('LATER_ENTRY_LOSES', reclaim, 'acknowledged_volume_lost'),
  without('VOID_PROVES', rejects, 'readers_disagree_at_rest'),
  without('VOID_FOR_GOOD', { ...reclaim, NO_RESTORING: true }, 'readers_disagree_at_rest'),
  without('RESTORING_BACKWARD', reclaim, 'readers_disagree_at_rest'),
  without('FIRST_ENTRY_FIRST', append, 'half_batch_seen'),
  without('NO_ZEROING', append, 'two_owners_of_an_extent'),
  without('NO_EMPTY_LIST', third, 'list_never_shrinks'),
  without('OLD_GUARDS_STAY', third, 'acknowledged_volume_lost'),
  without('NO_CLAIM_READ_BEFORE_ZEROING', append, 'acknowledged_volume_lost'),
  without('JUDGE_LAST_ONLY', third, 'acknowledged_volume_lost'),
  without('JUDGE_BEFORE_HEAD', append, 'acknowledged_volume_lost'),
  without('CHANGE_PER_RECORD', reclaim, 'readers_disagree_at_rest'),
  without('NO_CHANGE_AT_TAKE_OVER', append, 'readers_disagree_at_rest'),
  without('NO_CHANGE_AT_ADOPTION', reclaim, 'readers_disagree_at_rest'),
  without('STATES_BEFORE_CHANGE', reclaim, 'readers_disagree_at_rest'),
  without('NO_REPEATING', append, 'two_owners_of_an_extent'),
  without('NO_REEXAMINATION', append, 'readers_disagree_at_rest'),
  without('REFUSED_STAYS', rejects, 'refused_entry_lives'),
  without('VOIDS_BELIEVED', voids, 'dirty_memory_given'),
  without('NEVER_SERVED', voidsBesideMember, 'dirty_memory_given'),
  without('LIST_BELIEVED', forges, 'acknowledged_volume_lost'),
  without('NO_FENCE', {}, 'two_owners_of_an_epoch', 'epoch'),
  without('NO_DOOR', {}, 'two_owners_of_an_epoch', 'epoch'),
  without('NO_LAST_LOOK', {}, 'two_owners_of_an_epoch', 'epoch'),
  without('LINES', { LINES: 2 }, 'two_owners_of_an_epoch', 'epoch'),
  without('NO_FENCE_AFTER_STORE', {}, 'acknowledged_volume_lost', 'fence'),
  without('NO_FENCE_AFTER_HEAD', {}, 'acknowledged_volume_lost', 'fence'),
];

/** A configuration for the campaign; `sampled` where there are too many states to look at all of them. */
export interface LargeConfiguration extends Configuration {
  readonly sampled?: true;
}

/** The design at sizes that take too long for every run. */
export const large: readonly LargeConfiguration[] = [
  holds('three processes that choose of four epochs', { PROCESSES: 3, EPOCHS: 4 }, 'epoch'),
  holds('three writers, reclaim and reuse', { ...third, E: 1, DELETES: 1 }),
  holds('a wrapped ring with reclaim', { ...wrapped, E: 1, DELETES: 1 }),
  holds('three writers that append batches', { ...third, B: 2, N: 8 }),
  holds('two writers that append batches twice', { ...append, N: 10, E: 3, APPENDS: 2, READER: 0 }),
  holds('a co-host that voids an entry beside a member and deletions', { ...voidsBesideMember, DELETES: 1 }),
  { ...holds('three writers, reclaim beside append', { ...third, E: 2, DELETES: 1 }), sampled: true },
  { ...holds('three writers with an incremental reader', { ...third, READER: 1 }), sampled: true },
  { ...holds('three writers with a member, reclaim and reuse', { ...third, READER: 1, E: 1, DELETES: 1 }), sampled: true },
  { ...holds('four writers', { ...third, W: 4, N: 6 }), sampled: true },
];
