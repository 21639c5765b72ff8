/*
 * Which epoch is mine: a splitter (Moir and Anderson) for each epoch, on a cache line of its own. Hosts share
 * no compare-and-swap, and a process may pause between any two steps. At most one may own an epoch.
 *
 * Stores go through a store buffer of one entry (x86-TSO): others see a store when it has left the buffer,
 * which may be any time later; a fence waits for that. One entry is enough: every store is followed by a
 * fence before the next.
 */
#ifndef PROCESSES
#define PROCESSES 3
#endif
#ifndef EPOCHS
#define EPOCHS 3
#endif
/* The code has 8192 lines: that of an epoch is its number modulo that. */
#ifndef LINES
#define LINES (EPOCHS + 1)
#endif
#define LINE(epoch) ((epoch) % LINES)

byte entrant[LINES];
byte door[LINES];
byte highest; /* of the heads in the claim ring */

/* Which word of which line is still in a process's buffer, and what it will be. */
#define ENTRANT 1
#define DOOR 2
typedef Buffer { byte word, line, value }
Buffer buffers[PROCESSES + 1];
#define mine buffers[self]
#ifdef NO_FENCE
#define FENCED true
#else
#define FENCED (mine.word == 0)
#endif

/* What nobody can see, but for us. */
byte owners[EPOCHS + 1];
byte two_owners_of_an_epoch;

inline store(which, what) {
  mine.word = which; mine.line = LINE(epoch); mine.value = what
}

inline drained() {
  mine.word = 0; mine.line = 0; mine.value = 0
}

inline own() {
  owners[epoch]++;
  two_owners_of_an_epoch = owners[epoch] > 1;
  assert(!two_owners_of_an_epoch)
}

/* The smallest epoch above the ring's that can be had; then its head, and the same again for another claim. */
proctype Writer(byte self) {
  byte epoch;
start:
  atomic { highest < EPOCHS -> epoch = highest + 1 };
  do
  :: atomic { epoch <= EPOCHS && mine.word == 0 -> store(ENTRANT, self) };
#ifndef NO_DOOR
     if
     :: atomic { FENCED && door[LINE(epoch)] == epoch -> epoch++; goto again }
     :: atomic { FENCED && door[LINE(epoch)] != epoch }
     fi;
     atomic { mine.word == 0 -> store(DOOR, epoch) };
#endif
#ifdef NO_LAST_LOOK
     atomic { FENCED -> own() };
#else
     if
     :: atomic { FENCED && entrant[LINE(epoch)] == self -> own() }
     :: atomic { FENCED && entrant[LINE(epoch)] != self -> epoch++; goto again }
     fi;
#endif
     atomic { highest = (epoch > highest -> epoch : highest); epoch = 0; goto start }
again:
     skip
  od
}

/* A buffer empties itself whenever it likes. */
proctype Memory(byte self) {
  do
  :: atomic { mine.word == ENTRANT -> entrant[mine.line] = mine.value; drained() }
  :: atomic { mine.word == DOOR -> door[mine.line] = mine.value; drained() }
  od
}

init {
  byte number = 1;
  atomic {
    do
    :: number <= PROCESSES -> run Writer(number); run Memory(number); number++
    :: else -> break
    od
  }
}
