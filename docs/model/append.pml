/* LogAppender: the stores of the one writer, in the order that makes every cut harmless. */

hidden byte volume;

/* An acknowledged volume has a tenant, to whom its memory belongs. Beside a co-host, one that writes at once. */
inline acknowledge(created) {
  if
  :: !acknowledged[created] && !deleteAsked[created] ->
     MUST_NOT(dirty_memory_given, dirty[extentOf[created]]);
     MUST_NOT(two_owners_of_an_extent, tenant[extentOf[created]] != 0);
#if VOIDS
     dirty[extentOf[created]] = 1;
#endif
     acknowledged[created] = 1; tenant[extentOf[created]] = created + 1
  :: else
  fi
}

#ifdef ABANDONED_REUSED
#define ABANDONED(x) 0
#else
#define ABANDONED(x) HAS(me.abandoned, x)
#endif

#define FREE(x) (me.view.file[x] == 0 && !ABANDONED(x))
/* A writer gives away what it knows to be zero: what is void may have been voided by a co-host. */
#if !VOIDS || defined(VOIDS_BELIEVED)
#define ALLOCATABLE(x) FREE(x)
#else
#define ALLOCATABLE(x) (FREE(x) && HAS(me.clean, x))
#endif

/* Encodes a batch for a free extent, then reads the claim. */
#define NEXT_VOLUME ((w - 1) * APPENDS + me.appends)
inline prepare(w) {
  mustRule(w);
  selectExtent(ALLOCATABLE);
#ifndef STILL_CLEAN
  me.clean = me.clean & ~BIT(e);
#endif
  extentOf[NEXT_VOLUME] = e; e = 0;
  if
  :: B == 2 -> batch[0] = DIRECTORY(NEXT_VOLUME); batch[B - 1] = FILE(NEXT_VOLUME); k = B
  :: batch[0] = FILE(NEXT_VOLUME); k = 1
  fi;
  me.appends++; me.idle = 0
}

inline storeBody(slot, entry) {
  body[slot] = entry; state[slot] = (entry == GUARD -> VOID : (isScrub(entry) -> QUARANTINED : LIVE))
}

/* The fence, and the claim read after it: fence.pml. */
inline stored(w) {
#ifndef NO_CLAIM_READS_AFTER
  mustRule(w)
#else
  skip
#endif
}

inline storeCounters(w, count) {
  nextIndex = END + count
}

/* The last claim read; the volume is acknowledged, and the writer's own view has it. */
inline appended(w, count) {
#ifndef NO_CLAIM_READS_AFTER
  mustRule(w);
#endif
  d_step {
    if
    :: batch[0] != GUARD ->
       volume = VOLUME(batch[0]);
       me.view.file[extentOf[volume]] = END + count;
       me.view.quarantined = (me.view.quarantined & ~BIT(extentOf[volume])) | ((volume >= FIRST_SCRUB) << extentOf[volume]);
       if
       :: volume < FIRST_SCRUB -> acknowledge(volume); me.idle = 1
       :: else /* tellOfScrub */
       fi
    :: else
    fi;
    END = END + count; k = 0; batch[0] = 0; batch[B - 1] = 0
  }
}

/* From the back; the first entry's CRC shows the whole batch to readers, who scan from the front. */
inline appendBatch(w, count) {
#ifdef FIRST_ENTRY_FIRST
  atomic { storeBody(END, batch[0]) };
  atomic { crc[END] = batch[0] };
  if
  :: atomic { count == 2 -> storeBody(END + 1, batch[B - 1]) };
     atomic { crc[END + 1] = batch[B - 1] }
  :: atomic { count == 1 }
  fi;
  atomic { stored(w) };
#else
  if
  :: atomic { count == 2 -> storeBody(END + 1, batch[B - 1]) };
     atomic { crc[END + 1] = batch[B - 1]; batch[B - 1] = 0 };
     atomic { storeBody(END, batch[0]) }
  :: atomic { count == 1 -> storeBody(END, batch[0]) }
  fi;
  atomic { crc[END] = batch[0]; stored(w) };
#endif
  atomic { storeCounters(w, count); appended(w, count) }
}

/* LogAppender.restoreGuards: a void entry again, whatever it has become. */
#define GUARD_DIFFERS(s) (HAS(me.guards, s) && s < END && !(body[s] == GUARD && crc[s] == GUARD))
inline restoreGuard() {
  atomic { storeBody(k, GUARD) };
  atomic { crc[k] = GUARD; k = 0 }
}
inline findGuard() {
  d_step {
    k = 0;
    do
    :: !GUARD_DIFFERS(k) -> k++
    :: else -> break
    od
  }
}
