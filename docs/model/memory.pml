/* What all hosts share: the log, the claim ring, the change word and the memory of the volumes. */

/* A scrub entry has the number of a volume, and is never one: it is quarantined from the start. */
#define VOLUMES (FIRST_SCRUB + W * VOIDS)
#define FIRST_SCRUB (W * APPENDS + 2 * REJECTS)
#define VICTIM (W * APPENDS)
#define REFUSED (W * APPENDS + REJECTS)
#define BIT(i) (1 << (i))
#define HAS(set, i) (((set) >> (i)) & 1)
/* Whether something holds for any extent, or for any slot. There are at most 3 extents and 12 slots. */
#define ANY_EXTENT(holds) (holds(0) || holds(E / 2) || holds(E - 1))
#if N > 8
#define ANY_SLOT(holds) (holds(0) || holds(1) || holds(2) || holds(3) || holds(4) || holds(5) || holds(6) || holds(7) || \
  holds(8) || holds(N - 3) || holds(N - 2) || holds(N - 1))
#else
#define ANY_SLOT(holds) (holds(0) || holds(1) || holds(2) || holds(3) || holds(N - 4) || holds(N - 3) || holds(N - 2) || holds(N - 1))
#endif
/* Chooses one of the extents, of which there is one. */
#define selectExtent(holds) if :: holds(0) -> e = 0 :: holds(E / 2) -> e = E / 2 :: holds(E - 1) -> e = E - 1 fi

/*
 * A slot is valid when its body and its CRC belong together. Volumes have numbers from 0 on; a batch of two
 * is a directory and its file, a batch of one is a file alone.
 */
#define EMPTY 0
#define GUARD 1
#define DIRECTORY(volume) (2 + 2 * (volume))
#define FILE(volume) (3 + 2 * (volume))
#define VOLUME(code) (((code) - 2) / 2)
#define isDirectory(code) ((code) >= 2 && (code) % 2 == 0)
#define isFile(code) ((code) >= 3 && (code) % 2 == 1)
#define isScrub(code) ((code) >= FILE(FIRST_SCRUB))
byte body[N];
byte crc[N];
#define VALID(s) (body[s] != EMPTY && crc[s] == body[s])

/* The state word of an entry: part of the body, but a store to it alone leaves the CRC valid. */
#define LIVE 0
#define QUARANTINED 1
#define VOID 2
byte state[N];

/* One counter stands for both: they are stored together, and read by nobody who scans on. */
#ifdef NO_SCANNING_ON
byte nextIndex;
#else
hidden byte nextIndex;
#endif

/* A record of the claim ring: the head (epoch 0: none), the list, and the words outside both. */
typedef Record {
  byte epoch;
  byte holder;
  bit listed;
  unsigned guards : N;
  unsigned abandoned : E;
  byte scrubbing; /* the extent that is being zeroed, plus one */
}
Record ring[RING];

/* epoch * COUNTS + count; 0 before the first. */
#define COUNTS 64
#ifdef CHANGE_PER_RECORD
short changeOf[EPOCHS + 1];
#define changeWord changeOf[highest]
#else
short changeWord;
#endif

/* Memory of the volumes: whether a tenant's bytes are in it, and which extent each volume was given. */
bit dirty[E];
byte extentOf[VOLUMES];

/* What each writer keeps to itself. */
typedef View {
  byte end;
  byte file[E]; /* slot + 1 of the entry that holds the extent */
  unsigned quarantined : E;
  unsigned voids : N; /* files that were given back, by slot */
}
typedef Private {
  byte epoch;
  View view;
  byte maybeRunning; /* former writers that may wake up late, a bit for each */
  unsigned guards : N; /* its list */
  unsigned abandoned : E;
  short change; /* the change word it stored last */
  short target[E]; /* of quarantined entries: acknowledged from this change word on */
  unsigned clean : E; /* free memory that this writer has zeroed, or read as zero */
  unsigned tainted : E; /* memory whose entry became void by another hand */
  byte appends, deletes;
  bit scrubAppended, idle;
}
Private writers[W + 1];
#define me writers[w]
#define END me.view.end

/* The host says so: whoever is stopped stores nothing any more. */
bit stopped[W + 1];

/* An invariant by its name, which the checker's message then has. */
#define MUST_NOT(name, happen) name = (happen); assert(!name)
hidden byte acknowledged_volume_lost, half_batch_seen, two_owners_of_an_extent, dirty_memory_given, tenant_memory_zeroed,
  tenant_memory_overwritten, deleted_file_revived, readers_disagree_at_rest, list_never_shrinks, list_out_of_reach,
  refused_entry_lives;

/* What the world outside was told. Nothing here guides a process. */
bit acknowledged[VOLUMES];
bit deleteAsked[VOLUMES];
bit deleteDone[VOLUMES];
byte tenant[E]; /* the acknowledged volume that has the extent, plus one */
