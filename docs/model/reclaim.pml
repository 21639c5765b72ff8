/* PoolWriter.remove, reclaim (R6) and the heartbeat (R4): the states of entries, which only move forward. */

#define LIVE_FILE(x) (me.view.file[x] != 0 && !HAS(me.view.quarantined, x))
#define QUARANTINED_FILE(x) (me.view.file[x] != 0 && HAS(me.view.quarantined, x))

/*
 * Claim read, the state's store, the change word, claim read: LogAppender.storeState. A refused entry that collides
 * goes first: a fresh reader would take it in once the file is gone.
 */
inline remove(w) {
  atomic {
    me.deletes < DELETES && ANY_EXTENT(LIVE_FILE) ->
    mustRule(w); selectExtent(LIVE_FILE);
    me.deletes++; me.idle = 0;
    k = me.view.file[e] - 1;
    deleteAsked[VOLUME(body[k])] = 1;
    if :: tenant[e] == VOLUME(body[k]) + 1 -> tenant[e] = 0 :: else fi
  };
#if REJECTS
#ifndef REFUSED_STAYS
  if
  :: atomic { state[1] == LIVE && extentOf[REFUSED] == e -> own_record.scrubbing = e + 1; mustRule(w) };
     atomic { state[1] = VOID };
     atomic { storeChange(w); mustRule(w) };
     atomic { own_record.scrubbing = 0; mustRule(w) }
  :: atomic { else }
  fi;
#endif
#endif
  atomic { state[k] = QUARANTINED };
  atomic {
    storeChange(w); mustRule(w);
    me.view.quarantined = me.view.quarantined | BIT(e); me.target[e] = me.change;
    deleteDone[VOLUME(body[k])] = 1; me.idle = 1; e = 0; k = 0
  }
}

/* The member, as the state directory or its Lease has it. */
bit registered;
short memberAcknowledged;
#ifdef NO_ACKNOWLEDGEMENT
#define MEMBERS_HAVE_SEEN(word) 1
#else
#ifdef ANY_EPOCH_ACKNOWLEDGES
#define MEMBERS_HAVE_SEEN(word) (!registered || memberAcknowledged % COUNTS >= (word) % COUNTS)
#else
#define MEMBERS_HAVE_SEEN(word) (!registered || memberAcknowledged >= (word))
#endif
#endif
#define RECLAIMABLE(x) (QUARANTINED_FILE(x) && !ABANDONED(x) && MEMBERS_HAVE_SEEN(me.target[x]))

/* All members have acknowledged: name it, zero it, give it back. */
inline reclaim(w) {
  atomic { ANY_EXTENT(RECLAIMABLE) -> selectExtent(RECLAIMABLE); me.idle = 0 };
  atomic {
#ifndef NO_SCRUB_WORD
    own_record.scrubbing = e + 1;
#endif
    mustRule(w)
  };
  atomic {
    MUST_NOT(tenant_memory_zeroed, tenant[e] != 0);
    dirty[e] = 0;
    mustRule(w);
    k = me.view.file[e] - 1
  };
  atomic { state[k] = VOID };
  atomic {
    storeChange(w); mustRule(w);
    me.view.voids = me.view.voids | BIT(k); me.view.file[e] = 0; me.view.quarantined = me.view.quarantined & ~BIT(e);
    me.target[e] = 0; me.clean = me.clean | (VOIDS << e); k = 0; e = 0
  };
  atomic { own_record.scrubbing = 0; me.idle = 1 }
}

/* What a writer knows of an entry, and where the log says something else. */
#define EXTENT(s) extentOf[VOLUME(body[s])]
#define KNOWN(s) (HAS(me.view.voids, s) -> VOID : HAS(me.view.quarantined, EXTENT(s)))
#define FOLLOWED(s) (s < END && isFile(body[s]) && !HAS(me.guards, s) && (HAS(me.view.voids, s) || me.view.file[EXTENT(s)] == s + 1))
#ifdef NO_RESTORING
#define DIFFERS(s) (FOLLOWED(s) && state[s] > KNOWN(s))
#else
#define DIFFERS(s) (FOLLOWED(s) && state[s] != KNOWN(s))
#endif

inline adoptState(w) {
  e = EXTENT(k);
  if
  :: state[k] == VOID ->
     me.view.voids = me.view.voids | BIT(k); me.view.file[e] = 0; me.view.quarantined = me.view.quarantined & ~BIT(e); me.target[e] = 0;
     me.tainted = me.tainted | (VOIDS << e); me.clean = me.clean & ~BIT(e)
  :: state[k] == QUARANTINED -> me.view.quarantined = me.view.quarantined | BIT(e)
  fi
}

/* One beat takes up one difference: what is behind is restored, what is ahead is adopted. */
inline heartbeat(w) {
  atomic {
    me.idle && ANY_SLOT(DIFFERS) ->
    mustRule(w); me.idle = 0;
    d_step {
      k = 0;
      do
      :: !DIFFERS(k) -> k++
      :: else -> break
      od
    };
#ifndef RESTORING_BACKWARD
    if
    :: state[k] > KNOWN(k) -> adoptState(w); k = N
    :: else
    fi
#endif
  };
  if
  :: atomic { k < N -> state[k] = KNOWN(k) }
  :: atomic { k == N -> skip }
  fi;
  atomic {
#if defined(NO_CHANGE_AT_ADOPTION) || defined(CHANGE_PER_RECORD)
    if :: k < N -> storeChange(w) :: else fi;
#else
    storeChange(w);
#endif
    mustRule(w);
    me.target[e] = (HAS(me.view.quarantined, e) && k == N -> me.change : me.target[e]);
    me.idle = 1; e = 0; k = 0
  }
}

/*
 * PoolWriter.#refresh reads the log anew: what is quarantined again has to be acknowledged again. A writer may find it so
 * before its heartbeat restores it.
 */
#define WENT_BACK(s) WENT_BACK_IN(me.view, s)
inline readAnew(w) {
  atomic { me.idle && ANY_SLOT(WENT_BACK) -> mustRule(w); me.idle = 0; d_step { replay(me.view, SKIPPED(me.guards)) } };
  atomic {
    storeChange(w); mustRule(w);
    d_step {
      number = 0;
      do
      :: number < E ->
         me.target[number] = (HAS(me.view.quarantined, number) -> (me.target[number] == 0 -> me.change : me.target[number]) : 0);
         number++
      :: else -> break
      od
    };
    me.idle = 1
  }
}

/* Somebody who comes late stored an older change word: readers must not rest at that. */
inline restoreChange(w) {
  atomic { me.idle && me.change != 0 && changeWord != me.change -> mustRule(w); me.idle = 0 };
  atomic { storeChange(w); mustRule(w); me.idle = 1 }
}

/* Guards that a late writer's batch was stored over. */
inline keepGuards(w) {
#ifndef NO_RESTORING
  atomic { me.idle && ANY_SLOT(GUARD_DIFFERS) -> mustRule(w); me.idle = 0; findGuard() };
  restoreGuard();
  atomic { me.idle = 1 }
#else
  false
#endif
}

/* Predecessors.recheck: what a writer was zeroing may be used once all that might wake up are known to be stopped. */
#define STOPPED(writer) (!HAS(me.maybeRunning, writer) || stopped[writer])
inline judgeAgain(w) {
  atomic { me.idle && me.abandoned != 0 && STOPPED(1) && STOPPED(W / 2) && STOPPED(W - 1) -> me.abandoned = 0 }
}
