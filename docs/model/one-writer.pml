/*
 * One writer over memory that cannot fence: append, take-over, readers and reclaim.
 * How to read and run this: README.md. The rules R1 to R6 are those of ../words.md.
 *
 * A step is whatever stands in one `atomic`: at most one store that others can see, and the reads
 * that follow it. Between any two steps a process may rest for as long as it likes, which is a pause.
 * Nothing is fair: a process that never moves again is one that stopped without a word.
 *
 * Sizes. W writers; N slots; a batch has at most B entries, a take-over makes G guards; E extents of
 * memory; APPENDS and DELETES for each writer; STOPS writers may be known to be stopped. REJECTS: the log
 * begins with a volume and an entry that was refused because it claims the same memory. VOIDS: a co-host
 * voids one entry, and each writer may append one that is quarantined from the start. FORGES: a co-host
 * forges a claim with a list.
 */
#ifndef W
#define W 2
#endif
#ifndef B
#define B 2
#endif
#ifndef G
#define G B
#endif
#ifndef N
#define N 8
#endif
#ifndef E
#define E 2
#endif
#ifndef APPENDS
#define APPENDS 1
#endif
#ifndef DELETES
#define DELETES 0
#endif
#ifndef STOPS
#define STOPS (W - 1)
#endif
#ifndef REJECTS
#define REJECTS 0
#endif
#ifndef VOIDS
#define VOIDS 0
#endif
#ifndef FORGES
#define FORGES 0
#endif
#ifndef READER
#define READER 1
#endif
#ifndef RING
#define RING (W + 1)
#endif
#ifndef EPOCHS
#define EPOCHS W
#endif

#include "memory.pml"
#include "replay.pml"
#include "claim.pml"
#include "append.pml"
#include "take-over.pml"
#include "reclaim.pml"
#include "reader.pml"
#if VOIDS || FORGES
#include "co-host.pml"
#endif
#include "invariants.pml"

/* What nobody asks for again is cleared, so that equal situations are one state. */
inline forget(w) {
  d_step {
    clear(me.view);
    me.clean = 0; me.tainted = 0; me.scrubAppended = 0;
    me.maybeRunning = 0; me.guards = 0; me.abandoned = 0; me.change = 0; me.appends = 0; me.deletes = 0; me.idle = 0;
    number = 0;
    do
    :: number < E -> me.target[number] = 0; number++
    :: else -> break
    od
  }
}

proctype Writer(byte w) {
  byte k, e;
  byte batch[B];
  {
    takeOver(w);
    do
#if VOIDS
    :: if
       :: atomic { me.appends < APPENDS && END + B <= N && ANY_EXTENT(ALLOCATABLE) -> prepare(w) }
       :: atomic { !me.scrubAppended && END < N && ANY_EXTENT(NOT_ZERO) -> prepareScrub(w) }
       fi;
       appendBatch(w, k);
       tellOfScrub(w)
    :: readAsZero(w)
#else
    :: atomic { me.appends < APPENDS && END + B <= N && ANY_EXTENT(ALLOCATABLE) -> prepare(w) };
       appendBatch(w, k)
#endif
    :: remove(w)
    :: reclaim(w)
    :: heartbeat(w)
    :: readAnew(w)
    :: restoreChange(w)
    :: keepGuards(w)
    :: judgeAgain(w)
    od
  } unless { stopped[w] };
ended:
  atomic { forget(w); k = 0; e = 0; batch[0] = 0; batch[B - 1] = 0 }
}

/* A host learns that a writer is stopped: whatever it was doing, it stores nothing any more. */
#define RECORD_OF(writer) ring[RECORD(writers[writer].epoch)]
#define STOPPABLE(writer) (writer < W && known < STOPS && !stopped[writer] && \
  writers[writer].epoch != 0 && RECORD_OF(writer).epoch == writers[writer].epoch && RECORD_OF(writer).holder == writer)
proctype Hosts() {
  byte known;
  do
  :: atomic { STOPPABLE(1) -> stopped[1] = 1; known++ }
#if W > 2
  :: atomic { STOPPABLE(2) -> stopped[2] = 1; known++ }
#endif
#if W > 3
  :: atomic { STOPPABLE(3) -> stopped[3] = 1; known++ }
#endif
  od
}

/* Somebody wrote an entry that collides with a live file: readers refuse it. */
inline forgeEntry() {
  body[0] = FILE(VICTIM); crc[0] = FILE(VICTIM); body[1] = FILE(REFUSED); crc[1] = FILE(REFUSED);
  acknowledged[VICTIM] = 1; tenant[0] = VICTIM + 1
}

init {
  atomic {
#if REJECTS
    forgeEntry();
#endif
    at = 1;
    do
    :: at <= W -> run Writer(at); at++
    :: else -> break
    od;
    run Hosts(); run FreshReader();
#if VOIDS || FORGES
    run CoHost();
#endif
#if READER
    run Reader(); run Worker()
#endif
  }
}
