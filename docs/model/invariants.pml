/* A reader that replays from scratch, at every moment that there is: changes nothing, and sees all invariants of the log. */

/* The ruling writer has nothing left to tell, restore or adopt. */
#define AT_REST(w) (me.idle && RULES(w) && changeWord == me.change && !ANY_SLOT(DIFFERS) && !ANY_SLOT(WENT_BACK))
#define SAME(view, x) (view.file[x] == fresh.file[x] && HAS(view.quarantined, x) == HAS(fresh.quarantined, x))
#define SAME_TREE(view) (SAME(view, 0) && SAME(view, E / 2) && SAME(view, E - 1))

proctype FreshReader() {
  byte w;
  do
  :: d_step {
       listInForce(); replay(fresh, SKIPPED(forceGuards));
       MUST_NOT(half_batch_seen, halfBatch);
       MUST_NOT(two_owners_of_an_extent, twoOwners);
       volume = 0;
       do
       :: volume < VOLUMES ->
          owner = fresh.file[extentOf[volume]];
          number = owner != 0 && !HAS(fresh.quarantined, extentOf[volume]) && body[owner - 1] == FILE(volume);
          MUST_NOT(acknowledged_volume_lost, acknowledged[volume] && !deleteAsked[volume] && !number);
          MUST_NOT(deleted_file_revived, deleteDone[volume] && number);
          MUST_NOT(refused_entry_lives, REJECTS && volume == REFUSED && number);
          volume++
       :: else -> break
       od;
       MUST_NOT(refused_entry_lives, REJECTS && LIVE_IN_READER(REFUSED));
       w = 1;
       do
       :: w <= W ->
          if
          :: AT_REST(w) ->
             MUST_NOT(readers_disagree_at_rest, !SAME_TREE(me.view));
             MUST_NOT(readers_disagree_at_rest, !reading && seenChange == changeWord && !MORE && !SAME_TREE(readerView))
          :: else
          fi;
          w++
       :: else -> break
       od;
       w = 0
     }
  od
}
