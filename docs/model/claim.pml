/* The claim of a writer (R1, R3): its own record in the ring, and the reading of all of them. */

#ifdef REWRITTEN_RECORD
#define RECORD(epoch) 0
#else
#define RECORD(epoch) ((epoch) % RING)
#endif
#define own_record ring[RECORD(me.epoch)]

/* Follows from the ring; kept so that it need not be computed at every claim read. */
byte highest;
/* Epochs that somebody owns: epoch.pml shows that there is never more than one. */
bit owned[EPOCHS + 1];

/* ClaimRing.rules: my head stands unchanged, and no record has a higher epoch. */
#define RULES(w) (highest == me.epoch && own_record.epoch == me.epoch && own_record.holder == w)
#define mustRule(w) if :: RULES(w) :: else -> goto ended fi

hidden byte number, other, candidate;
hidden byte usable;

/* Whether the record of epoch `candidate` may be used (R3). */
inline judgeRecord() {
  listInForce();
#ifdef RECORDS_SHARED
  usable = 1;
#else
  usable = (candidate <= RING && ring[RECORD(candidate)].epoch == 0) ||
    (candidate > RING && ring[RECORD(candidate)].epoch == candidate - RING && force != candidate - RING);
#ifdef REWRITTEN_RECORD
  usable = 1;
#endif
  number = 0;
  do
  :: number < RING && candidate > RING ->
     if
     :: ring[number].epoch != 0 && ring[number].epoch <= candidate - RING && !stopped[ring[number].holder] -> usable = 0
     :: else
     fi;
     number++
  :: else -> break
  od
#endif
}

/* The smallest epoch above the ring's that nobody owns and whose record is usable; 0 where there is none. */
inline ownEpoch(w) {
  d_step {
    candidate = highest + 1; usable = 0;
    do
    :: candidate > EPOCHS || usable -> break
    :: candidate <= EPOCHS && !usable ->
       if
       :: !owned[candidate] -> judgeRecord()
       :: else
       fi;
       if :: usable :: else -> candidate++ fi
    od;
    if
    :: usable -> me.epoch = candidate; owned[candidate] = 1
    :: else
    fi
  }
}

inline raise() {
  highest = 0; number = 0;
  do
  :: number < RING -> if :: ring[number].epoch > highest -> highest = ring[number].epoch :: else fi; number++
  :: else -> break
  od
}

/* Claim.write: clears the record's words, then writes the head. Only a record of an earlier round holds anything. */
inline storeHead(w) {
#if RING < EPOCHS
  atomic { d_step { own_record.epoch = 0; own_record.listed = 0; own_record.guards = 0; own_record.abandoned = 0; own_record.scrubbing = 0; raise() } };
#endif
  atomic { d_step {
#ifdef REWRITTEN_RECORD
    own_record.listed = 0; own_record.guards = 0; own_record.abandoned = 0; own_record.scrubbing = 0;
#endif
    own_record.holder = w; own_record.epoch = me.epoch; raise()
  } }
}

/* Claim.writeList. A list counts from the store of its CRC on. */
inline writeList(w) {
  own_record.guards = me.guards; own_record.abandoned = me.abandoned; own_record.listed = 1
}

/* Claim.storeChange: no value is stored twice. */
inline storeChange(w) {
  assert(me.change % COUNTS < COUNTS - 1);
  me.change = (me.change == 0 -> me.epoch * COUNTS + 1 : me.change + 1);
#ifdef CHANGE_PER_RECORD
  changeOf[me.epoch] = me.change
#else
  changeWord = me.change
#endif
}
