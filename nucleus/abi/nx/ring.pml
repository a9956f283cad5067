/*
 * ring.pml - Spin model of the rings of ring.h: indices, sleep words, bells, death and restart.
 * cc: -DSAFETY
 *
 * Checked, for every interleaving: what a consumer reads at index i is message i (order, nothing
 * overwritten early, nothing read early); no wake-up is lost (that would be a deadlock, an invalid
 * end state); every message arrives although either side may be killed anywhere and restarted.
 *
 * Memory is weaker than sequential where the protocol cares: a store first is pending, and pending
 * stores reach memory in any order, unless a fence waits for them. Loads that a missing fence would
 * let go early are the mutants NO_OBSERVE and NO_RELEASE.
 *
 * Not modelled: hostile peers (tests/unit/ring/hostile.c), batches, the wrap of 32-bit indices (here
 * they wrap at 8), payload beyond one number.
 *
 * Mutants: with one of these defined, Spin must find an error; each has a file ring_mutant_*.pml.
 *      NO_SLEEPER_FENCE   no full fence between announcing and looking again
 *      NO_WAKER_FENCE     no full fence between publishing and looking at the sleep word
 *      NO_LOOK_AGAIN      recv right after announcing
 *      NO_PUBLISH         no fence between writing the slot and the index
 *      NO_RELEASE         no fence between reading the slot and giving it back
 *      NO_OBSERVE         no fence between reading the peer's index and reading the slot
 *      COUNT_RESET        a restarted side counts its announcements from 0 again
 *      NO_ATTACH_BELL     a restarted side does not see after attach whether it owes a bell
 */
#define SLOTS    2
#define MESSAGES 4

#define IDX(x)  ((x) & 7)
#define ANNOUNCE(w) ((((w) & 14) + 2) & 15 | 1)
#define AWAKE(w)    ((w) & 14)

#define P 0 /* producer */
#define C 1 /* consumer */

/* Shared memory, by side where there are two, and the stores on their way to it. */
byte index[2], index_new[2];
bool index_pending[2];
byte sleep[2], sleep_new[2];
bool sleep_pending[2];
byte slot[SLOTS], slot_new[SLOTS];
bool slot_pending[SLOTS];

bool bell[2]; /* the nucleus' latch for the sleeper */
bool kill[2];

#define ALL_DONE(me)                                                                               \
    (!index_pending[me] && !sleep_pending[me] && (me == C || (!slot_pending[0] && !slot_pending[1])))

/* What has left for memory is forgotten where it was: fewer states. */
#define DRAIN(pending, new, memory)                                                                \
    d_step { pending -> memory = new; new = 0; pending = false }

active proctype memory()
{
end:
    do
    :: DRAIN(index_pending[P], index_new[P], index[P])
    :: DRAIN(index_pending[C], index_new[C], index[C])
    :: DRAIN(sleep_pending[P], sleep_new[P], sleep[P])
    :: DRAIN(sleep_pending[C], sleep_new[C], sleep[C])
    :: DRAIN(slot_pending[0], slot_new[0], slot[0])
    :: DRAIN(slot_pending[1], slot_new[1], slot[1])
    od
}

/* One death, of either side, at any point. */
active proctype killer()
{
    if
    :: kill[P] = true
    :: kill[C] = true
    :: true
    fi
}

inline full_fence(me)
{
    ALL_DONE(me)
}

/* nx_ring_needs_bell() and the send that follows. */
inline ring_if_needed(me)
{
#ifndef NO_WAKER_FENCE
    full_fence(me);
#endif
    d_step { word = sleep[1 - me]; rung = (word & 1) == 0 || word == bell_sent; };
    if
    :: rung -> d_step { word = 0; rung = 0 }
    :: else -> d_step { bell_sent = word; word = 0; bell[1 - me] = true }
    fi
}

/* nx_ring_sleep_prepare(), recv, nx_ring_sleep_cancel(). `nothing` is about the peer's index `seen`. */
inline sleep_unless(me, nothing)
{
    d_step { my_sleep = ANNOUNCE(my_sleep); sleep_new[me] = my_sleep; sleep_pending[me] = true };
#ifndef NO_SLEEPER_FENCE
    full_fence(me);
#endif
#ifndef NO_LOOK_AGAIN
    seen = index[1 - me];
#endif
    if
    :: nothing -> d_step { bell[me] -> bell[me] = false } /* recv */
    :: else
    fi;
    d_step { my_sleep = AWAKE(my_sleep); sleep_new[me] = my_sleep; sleep_pending[me] = true }
}

/* Death: the stores made arrive, the nucleus drops or keeps the bell; then nx_ring_attach(). */
inline die_and_attach(me)
{
    d_step {
        kill[me] = false;
        word = 0;
        rung = 0
    };
    full_fence(me);
    if
    :: bell[me] = false
    :: true
    fi;
    d_step {
        own = index[me];
        bell_sent = 0;
#ifdef COUNT_RESET
        my_sleep = 0;
#else
        my_sleep = AWAKE(sleep[me]);
#endif
        sleep_new[me] = my_sleep;
        sleep_pending[me] = true
    };
    seen = index[1 - me];
#ifndef NO_ATTACH_BELL
    ring_if_needed(me)
#endif
}

active proctype producer()
{
    byte own, seen, my_sleep, bell_sent, word;
    bool rung, done;
    do
    :: done -> break
    :: else ->
        {
            do
            :: own == MESSAGES -> break
            :: else ->
                if
                :: IDX(own - seen) == SLOTS -> seen = index[C]
                :: else
                fi;
                if
                :: IDX(own - seen) == SLOTS -> sleep_unless(P, IDX(own - seen) == SLOTS)
                :: else ->
                    d_step { slot_new[own % SLOTS] = own; slot_pending[own % SLOTS] = true };
#ifndef NO_PUBLISH
                    !slot_pending[own % SLOTS];
#endif
                    d_step { own++; index_new[P] = own; index_pending[P] = true };
                    ring_if_needed(P)
                fi
            od;
            done = true
        } unless {
            kill[P];
            die_and_attach(P)
        }
    od
}

active proctype consumer()
{
    byte own, seen, my_sleep, bell_sent, word, value, early;
    bool rung, done;
    do
    :: done -> break
    :: else ->
        {
            do
            :: own == MESSAGES -> break
            :: else ->
                if
#ifdef NO_OBSERVE
                :: own == seen -> d_step { value = slot[own % SLOTS]; early = 1 }; seen = index[P]
#else
                :: own == seen -> seen = index[P]
#endif
                :: else
                fi;
                if
                :: own == seen -> early = 0; value = 0; sleep_unless(C, own == seen)
                :: else ->
#ifdef NO_RELEASE
                    d_step { index_new[C] = own + 1; index_pending[C] = true };
                    assert(slot[own % SLOTS] == own);
                    own++;
#else
#ifdef NO_OBSERVE
                    if
                    :: early
                    :: else -> value = slot[own % SLOTS]
                    fi;
                    d_step { assert(value == own); value = 0; early = 0 };
#else
                    assert(slot[own % SLOTS] == own);
#endif
                    d_step { own++; index_new[C] = own; index_pending[C] = true };
#endif
                    ring_if_needed(C)
                fi
            od;
            done = true
        } unless {
            kill[C];
            die_and_attach(C)
        }
    od
}
