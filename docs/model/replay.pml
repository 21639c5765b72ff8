/* A replay: what the log says to whoever reads it. Fresh readers, incremental ones and writers share it. */

/* Scratch of one d_step: nothing here is remembered from step to step. */
hidden View fresh;
hidden byte at, ext, owner, last, force;
hidden unsigned forceGuards : N;
hidden unsigned forceAbandoned : E;
hidden byte twoOwners, halfBatch;

#ifdef NO_SCANNING_ON
#define READABLE(s) (s < nextIndex && VALID(s))
#else
#define READABLE(s) (VALID(s))
#endif

/* The list in force is that of the highest epoch which has a valid one. */
inline listInForce() {
  force = 0; forceGuards = 0; forceAbandoned = 0; ext = 0;
  do
  :: ext < RING ->
     if
     :: ring[ext].epoch > force && ring[ext].listed ->
        force = ring[ext].epoch; forceGuards = ring[ext].guards; forceAbandoned = ring[ext].abandoned
     :: else
     fi;
     ext++
  :: else -> break
  od
}

inline own(copy, slot) {
  copy.file[ext] = slot + 1;
  copy.quarantined = (copy.quarantined & ~BIT(ext)) | ((state[slot] == QUARANTINED) << ext)
}

/* Applies the entry in a slot: LogReplay.#apply. A quarantined owner is proven void by a later one, unless that is void (R2). */
inline apply(copy, slot) {
  if
  :: isFile(body[slot]) ->
     ext = extentOf[VOLUME(body[slot])];
     owner = copy.file[ext];
     if
     :: state[slot] == VOID ->
#ifdef VOID_PROVES
        if
        :: owner != 0 && state[owner - 1] == QUARANTINED ->
           copy.voids = copy.voids | BIT(owner - 1); copy.file[ext] = 0; copy.quarantined = copy.quarantined & ~BIT(ext)
        :: else
        fi;
#endif
        copy.voids = copy.voids | BIT(slot)
     :: else ->
        if
        :: owner == 0 -> own(copy, slot)
        :: owner != 0 && state[owner - 1] == LIVE -> if :: state[slot] == LIVE && !(REJECTS && body[slot] == FILE(REFUSED)) -> twoOwners = 1 :: else fi
#ifdef LATER_ENTRY_LOSES
        :: owner != 0 && state[owner - 1] == QUARANTINED
#else
        :: owner != 0 && state[owner - 1] == QUARANTINED -> copy.voids = copy.voids | BIT(owner - 1); own(copy, slot)
#endif
        :: owner != 0 && state[owner - 1] == VOID -> copy.voids = copy.voids | BIT(owner - 1); own(copy, slot)
        fi
     fi
  :: else
  fi
}

/*
 * A file that was void, or proven void by one that is void now, is quarantined by its word, and nobody has its memory: who
 * replays now finds it quarantined (LogReplay.isStale).
 */
#ifdef VOID_FOR_GOOD
#define WENT_BACK_IN(copy, s) 0
#else
#define WENT_BACK_IN(copy, s) (isFile(body[s]) && state[s] == QUARANTINED && HAS(copy.voids, s) && copy.file[extentOf[VOLUME(body[s])]] == 0)
#endif

/* Looks at the state words again and follows them forward: LogReplay.rescan. */
inline rescan(copy) {
  ext = 0;
  do
  :: ext < E ->
     owner = copy.file[ext];
     if
     :: owner != 0 && state[owner - 1] == VOID ->
        copy.voids = copy.voids | BIT(owner - 1); copy.file[ext] = 0; copy.quarantined = copy.quarantined & ~BIT(ext)
     :: owner != 0 && state[owner - 1] == QUARANTINED -> copy.quarantined = copy.quarantined | BIT(ext)
     :: else
     fi;
     ext++
  :: else -> break
  od
}

inline clear(copy) {
  copy.end = 0; copy.quarantined = 0; copy.voids = 0; ext = 0;
  do
  :: ext < E -> copy.file[ext] = 0; ext++
  :: else -> break
  od
}

/* All of the log from its first slot; guarded slots are skipped, whatever they hold (R1). */
inline replay(copy, skipped) {
  clear(copy); twoOwners = 0; halfBatch = 0; at = 0;
  do
  :: at < N && HAS(skipped, at) -> at++
  :: at < N && !HAS(skipped, at) && READABLE(at) ->
     if
     :: isDirectory(body[at]) && (at + 1 >= N || HAS(skipped, at + 1) || !READABLE(at + 1) || body[at + 1] != body[at] + 1) -> halfBatch = 1
     :: else
     fi;
     apply(copy, at); at++
  :: else -> break
  od;
  copy.end = at
}

#ifdef READERS_IGNORE_GUARDS
#define SKIPPED(guards) 0
#else
#define SKIPPED(guards) (guards)
#endif
