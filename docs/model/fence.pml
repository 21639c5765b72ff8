/*
 * Why a full fence stands between a store and the claim read that follows it. x86-TSO: a store waits in the
 * writer's own buffer (one entry is enough here) while the writer's later loads go ahead. All other models
 * have stores at once, as they are after such a fence.
 *
 * A writer appends, or names what it is about to zero; then it reads the claim. Another stores its head, then scans
 * the log and reads the scrub word. Either the first sees that it has lost, or the second sees what it did.
 */
bit entry; /* the first CRC of the batch */
bit scrubbing; /* the scrub word */
bit head; /* of the second writer: it rules */

bit entryBuffered, scrubbingBuffered, headBuffered;
byte acknowledged_volume_lost, tenant_memory_zeroed;
bit acknowledged, zeroes, reused, missed;

#ifdef NO_FENCE_AFTER_STORE
#define STORED true
#else
#define STORED (!entryBuffered && !scrubbingBuffered)
#endif
#ifdef NO_FENCE_AFTER_HEAD
#define HEAD_STORED true
#else
#define HEAD_STORED (!headBuffered)
#endif

inline broken() {
  acknowledged_volume_lost = acknowledged && missed;
  assert(!acknowledged_volume_lost);
  tenant_memory_zeroed = zeroes && reused;
  assert(!tenant_memory_zeroed)
}

proctype First() {
  if
  :: atomic { entryBuffered = 1 };
     if
     :: atomic { STORED && !head -> acknowledged = 1; broken() }
     :: atomic { STORED && head }
     fi
  :: atomic { scrubbingBuffered = 1 };
     if
     :: atomic { STORED && !head -> zeroes = 1; broken() }
     :: atomic { STORED && head }
     fi
  fi
}

/* Takes over: a volume that it does not find is lost, memory that nobody names gets a tenant. */
proctype Second() {
  atomic { headBuffered = 1 };
  atomic { HEAD_STORED -> missed = !entry; reused = !scrubbing; broken() }
}

/* Buffers empty themselves whenever they like. */
proctype Memory() {
  do
  :: atomic { entryBuffered -> entry = 1; entryBuffered = 0 }
  :: atomic { scrubbingBuffered -> scrubbing = 1; scrubbingBuffered = 0 }
  :: atomic { headBuffered -> head = 1; headBuffered = 0 }
  od
}

init {
  atomic { run First(); run Second(); run Memory() }
}
