/* A host that has the pool mounted: its incremental reader (R5), its member record and one open file (R6). */

View readerView;
bit reading; /* a pass is under way */
byte listEpoch;
unsigned listGuards : N;
short loaded; /* the change word that this pass loaded first */
short seenChange; /* the one that the last whole pass had loaded first */
bit readerSawTwoOwners;
byte open; /* the volume whose file a worker has open, plus one */

#define POSITION readerView.end
#define MORE (POSITION < N && (HAS(SKIPPED(listGuards), POSITION) || READABLE(POSITION)))
#define LIVE_IN_READER(volume) \
  (readerView.file[extentOf[volume]] != 0 && !HAS(readerView.quarantined, extentOf[volume]) && \
   body[readerView.file[extentOf[volume]] - 1] == FILE(volume))

#define READER_WENT_BACK(s) WENT_BACK_IN(readerView, s)

/* The list, then the states. A list that is not the next one with the same guards means a
 * replay from scratch, and so does any change in a log with refused entries, or a file that is quarantined again. */
inline readListAndStates() {
  d_step {
    listInForce();
    if
#ifndef NO_REEXAMINATION
    :: REJECTS || (force != listEpoch && (force != listEpoch + 1 || forceGuards != listGuards)) ->
       listEpoch = force; listGuards = forceGuards;
       replay(readerView, SKIPPED(listGuards)); readerSawTwoOwners = twoOwners
#endif
    :: else -> listEpoch = force; listGuards = forceGuards; rescan(readerView);
       if
       :: ANY_SLOT(READER_WENT_BACK) -> replay(readerView, SKIPPED(listGuards)); readerSawTwoOwners = twoOwners
       :: else
       fi
    fi
  }
}

/* The pass is whole: others may see it, and what is gone from it has no request under way any more. */
inline publish() {
  d_step {
    MUST_NOT(two_owners_of_an_extent, readerSawTwoOwners);
    readerSawTwoOwners = 0;
    reading = 0; seenChange = loaded; loaded = 0;
    if :: open != 0 && !LIVE_IN_READER(open - 1) -> open = 0 :: else fi;
    if :: registered -> memberAcknowledged = seenChange :: else fi
  }
}

/* Registers, replays from scratch slot by slot, and then follows the log. */
proctype Reader() {
#ifndef REPLAY_BEFORE_REGISTERING
  atomic { registered = 1 };
#endif
  atomic { loaded = changeWord; reading = 1 };
  atomic { d_step { listInForce(); listEpoch = force; listGuards = forceGuards } };
pass:
  do
  :: atomic { reading && MORE -> d_step {
       twoOwners = 0;
       if :: HAS(SKIPPED(listGuards), POSITION) :: else -> apply(readerView, POSITION) fi;
       POSITION = POSITION + 1;
       readerSawTwoOwners = readerSawTwoOwners || twoOwners
     } }
  :: atomic { reading && !MORE && changeWord != loaded ->
#ifndef NO_REPEATING
       loaded = changeWord; readerSawTwoOwners = 0
     };
     atomic { readListAndStates() }
#else
       publish()
     }
#endif
  :: atomic { reading && !MORE && changeWord == loaded -> publish() }
#ifdef STATES_BEFORE_CHANGE
  :: atomic { !reading && (changeWord != seenChange || MORE) -> readListAndStates() };
     atomic { loaded = changeWord; reading = 1 }
#else
  :: atomic { !reading && changeWord == seenChange && MORE -> loaded = changeWord; reading = 1 }
  :: atomic { !reading && changeWord != seenChange -> loaded = changeWord; reading = 1 };
     atomic { readListAndStates() }
#endif
#ifdef REPLAY_BEFORE_REGISTERING
  :: atomic { !registered && seenChange != 0 -> registered = 1; memberAcknowledged = seenChange }
#endif
  od
}

/* Writes to an open file whenever it likes, until its reader has seen that it is gone. */
#define OPENABLE(x) (readerView.file[x] != 0 && !HAS(readerView.quarantined, x) && isFile(body[readerView.file[x] - 1]) && \
  acknowledged[VOLUME(body[readerView.file[x] - 1])])
proctype Worker() {
  byte e;
  do
  :: atomic { (DELETES > 0 || VOIDS) && open == 0 && ANY_EXTENT(OPENABLE) ->
       selectExtent(OPENABLE);
       open = VOLUME(body[readerView.file[e] - 1]) + 1; e = 0
     }
  :: atomic { open != 0 ->
       MUST_NOT(tenant_memory_overwritten, tenant[extentOf[open - 1]] != 0 && tenant[extentOf[open - 1]] != open);
       dirty[extentOf[open - 1]] = 1
     }
  od
}
