/* A co-host: whoever else can write the pool's bytes. And what a writer does about memory that is free and not zero. */

#if VOIDS
#define NEXT_SCRUB (FIRST_SCRUB + w - 1)
#define NOT_ZERO(x) (FREE(x) && (dirty[x] || HAS(me.tainted, x)))
#define READS_AS_ZERO(x) (FREE(x) && !HAS(me.clean, x) && !HAS(me.tainted, x) && !dirty[x])

/* What is read as zero counts until it is given away: nobody writes to memory that is free. */
inline readAsZero(w) {
  atomic { ANY_EXTENT(READS_AS_ZERO) -> selectExtent(READS_AS_ZERO); me.clean = me.clean | BIT(e); e = 0 }
}

/* An entry for free memory, so that it has a name in the claim: quarantined from the start, and then a deleted file. */
inline prepareScrub(w) {
  mustRule(w);
  selectExtent(NOT_ZERO);
  extentOf[NEXT_SCRUB] = e; e = 0;
  batch[0] = FILE(NEXT_SCRUB); k = 1;
  me.tainted = me.tainted & ~BIT(extentOf[NEXT_SCRUB]);
  me.scrubAppended = 1; me.idle = 0
}

/* Whoever serves the file that had this memory may have a request under way: members are waited for, as for a deleted file. */
inline tellOfScrub(w) {
  if
  :: atomic { !me.idle -> storeChange(w); mustRule(w);
#ifndef NEVER_SERVED
       me.target[extentOf[NEXT_SCRUB]] = me.change;
#endif
       me.idle = 1
     }
  :: atomic { me.idle }
  fi
}

/* An entry of a file that is live, or waits for its members. */
#define VOIDABLE(s) (VALID(s) && isFile(body[s]) && state[s] < VOID && \
  (acknowledged[VOLUME(body[s])] || isScrub(body[s])))

/* The first of them; its tenant loses it by that. */
inline voidEntry() {
  d_step {
    do
    :: !VOIDABLE(slot) -> slot++
    :: else -> break
    od;
    state[slot] = VOID; ext = VOLUME(body[slot]);
    deleteAsked[ext] = 1; deleteDone[ext] = 1;
    if :: tenant[extentOf[ext]] == ext + 1 -> tenant[extentOf[ext]] = 0 :: else fi;
    slot = 0
  }
}
#endif

/* A claim of nobody, with a list that hides what will be appended behind the next slot. */
#if FORGES
#define FORGED ring[RECORD(highest + 1)]
inline forgeClaim() {
  d_step {
    listInForce(); replay(fresh, SKIPPED(forceGuards));
    FORGED.guards = forceGuards | BIT(fresh.end + 1); FORGED.abandoned = forceAbandoned; FORGED.listed = 1;
    owned[highest + 1] = 1; FORGED.epoch = highest + 1; raise()
  }
}
#endif

/* Once. */
proctype CoHost() {
#if VOIDS
  byte slot;
  atomic { ANY_SLOT(VOIDABLE) -> voidEntry() }
#endif
#if FORGES
  atomic { highest != 0 && highest < EPOCHS && !owned[highest + 1] -> forgeClaim() }
#endif
}
