/* takeOver: from owning an epoch to the right to append (R1). */

/* Which former writers are known to be stopped: all of them count, not only the last. */
inline judge(w) {
  d_step {
    me.maybeRunning = 0; number = 0;
    do
    :: number < RING ->
       if
#ifdef JUDGE_LAST_ONLY
       :: ring[number].epoch != 0 && ring[number].epoch + 1 == me.epoch && !stopped[ring[number].holder] -> me.maybeRunning = me.maybeRunning | BIT(ring[number].holder)
#else
       :: ring[number].epoch != 0 && ring[number].holder != w && !stopped[ring[number].holder] -> me.maybeRunning = me.maybeRunning | BIT(ring[number].holder)
#endif
       :: else
       fi;
       number++
    :: else -> break
    od
  }
}

/* The list in force, and what former writers may be zeroing. */
inline readLists(w) {
  d_step {
    listInForce();
    me.guards = forceGuards; me.abandoned = forceAbandoned; number = 0;
    do
    :: number < RING ->
       if
       :: ring[number].epoch != 0 && ring[number].scrubbing != 0 -> me.abandoned = me.abandoned | BIT(ring[number].scrubbing - 1)
       :: else
       fi;
       number++
    :: else -> break
    od
  }
}

/*
 * Replayer.catchUp: finds the log's end. A range that begins behind it is one that no writer stores (guardsBehindEnd):
 * what is appended there later would be skipped.
 */
inline scan(w) {
  d_step { replay(me.view, SKIPPED(me.guards)) };
#ifndef LIST_BELIEVED
#if FORGES
  if :: SKIPPED(me.guards) >> END -> goto ended :: else fi
#else
  MUST_NOT(list_out_of_reach, SKIPPED(me.guards) >> END)
#endif
#endif
}

/* Everything that is found may be acknowledged from now on: a repeated request finds it. */
inline adopt(w) {
  d_step {
    number = 0;
    do
    :: number < E ->
       if
       :: me.view.file[number] != 0 && !HAS(me.view.quarantined, number) -> acknowledge(VOLUME(body[me.view.file[number] - 1]))
       :: else
       fi;
       me.target[number] = (HAS(me.view.quarantined, number) -> me.change : 0);
       number++
    :: else -> break
    od
  }
}

/* The next guarded slot from k on; N where there is none. */
inline nextGuard(w) {
  do
  :: k < N && !HAS(me.guards, k) -> k++
  :: else -> break
  od
}

/* The change word tells every reader; only now anything is appended or acknowledged. */
inline takeOverDone(w) {
  atomic {
#ifndef NO_CHANGE_AT_TAKE_OVER
    storeChange(w);
#endif
    adopt(w); me.idle = 1;
    d_step { listInForce(); MUST_NOT(list_never_shrinks, me.maybeRunning == 0 && RULES(w) && (forceGuards != 0 || forceAbandoned != 0)) }
  }
}

/* All predecessors are stopped: their guards go, and so does what a batch cut short may have left. */
inline startClean(w) {
#ifndef OLD_GUARDS_STAY
  atomic { nextGuard(w) };
  do
  :: atomic { k < N -> storeBody(k, GUARD) };
     atomic { crc[k] = GUARD; k++; nextGuard(w) }
  :: atomic { k == N -> k = 0; break }
  od;
#endif
#ifndef NO_ZEROING
  do
  :: atomic { k < B && END + k < N -> body[END + k] = EMPTY; crc[END + k] = EMPTY; state[END + k] = LIVE; k++ }
  :: atomic { k == B || END + k == N -> k = 0; break }
  od;
#endif
  atomic {
    me.guards = 0; me.abandoned = 0;
#ifndef NO_EMPTY_LIST
    writeList(w);
#endif
    mustRule(w);
    nextIndex = END
  };
  takeOverDone(w)
}

/* Inherited ranges, and its own slots from the end on; without room for them there is no take-over. */
inline chooseGuards(w) {
#ifdef LIST_NOT_INHERITED
  me.guards = 0;
#endif
#ifndef NO_GUARDS
  if :: END + G > N -> goto ended :: else fi;
  me.guards = me.guards | ((BIT(G) - 1) << END)
#else
  skip
#endif
}

inline prepareGuards() {
#ifndef NO_GUARDS
  batch[0] = GUARD; batch[G - 1] = GUARD; k = G
#else
  skip
#endif
}

/* A predecessor may wake up late: it can hit only the next slots, and those are skipped by all. */
inline startGuarded(w) {
#ifndef GUARDS_BEFORE_LIST
  atomic { chooseGuards(w); writeList(w); mustRule(w) };
#else
  atomic { chooseGuards(w) };
#endif
  do
  :: atomic { ANY_SLOT(GUARD_DIFFERS) -> mustRule(w); findGuard() };
     restoreGuard()
  :: atomic { prepareGuards(); break }
  od;
#ifndef NO_GUARDS
  appendBatch(w, k);
#endif
#ifdef GUARDS_BEFORE_LIST
  atomic { writeList(w); mustRule(w) };
#endif
  takeOverDone(w)
}

inline takeOver(w) {
  atomic {
    w == 1 || writers[w - 1].epoch != 0;
    ownEpoch(w);
    if :: me.epoch == 0 -> goto ended :: else fi
  };
#ifdef SCAN_BEFORE_HEAD
  atomic { readLists(w); scan(w) };
#endif
#ifdef JUDGE_BEFORE_HEAD
  atomic { judge(w) };
#endif
  storeHead(w);
#ifdef LISTS_BEFORE_JUDGING
  atomic { readLists(w) };
#endif
#ifndef JUDGE_BEFORE_HEAD
  atomic { judge(w) };
#endif
#ifndef LISTS_BEFORE_JUDGING
  atomic { readLists(w) };
#endif
#ifdef SCAN_BEFORE_HEAD
  atomic { mustRule(w) };
#else
  atomic {
    scan(w);
#ifndef NO_CLAIM_READ_BEFORE_ZEROING
    mustRule(w)
#endif
  };
#endif
  if
  :: atomic { me.maybeRunning == 0 } ; startClean(w)
  :: atomic { me.maybeRunning != 0 } ; startGuarded(w)
  fi
}
