/*
 * lock.pml - Spin model of the personality lock of lock.c: word, inbox, queue, states, kicks.
 * cc: -DSAFETY
 *
 * Checked, for every interleaving: one holder at a time; no wake-up is lost: it cannot come to pass that
 * a waiter sleeps and nobody is left who will wake it (that would be an invalid end state, as every
 * fiber stops after a few rounds of taking the lock and giving it back); nobody touches the node of a
 * waiter that has gone on; the queue holds exactly those who wait.
 *
 * Time is free choice: a waiter may tire of watching at any moment, and a sleeper may have waited long
 * enough for a hand-over at any moment. So is whose turn it is, among those in the queue. Kicks come
 * from elsewhere too (STRAYS of them).
 * Memory is sequential: all that the protocol rests on are operations with full order in lock.c.
 * The models: this one with two fibers, lock_three.pml with three.
 * Not modelled: the order within the queue, the Treiber stack (push and drain are one step each).
 *
 * Mutants: with one of these defined, Spin must find an error; each has a file lock_mutant_*.pml.
 *      NO_ANNOUNCE    a waiter sleeps without seeing to it that the word says WAITERS
 *      LATE_CLEAR     the holder looks for waiters first and clears WAITERS then
 *      BLIND_WAKE     who wakes up stores AWAKE, whatever the holder made of its state
 *      PLAIN_RELEASE  the holder stores 0 after waking, whoever has come to wait meanwhile
 *      BARE_HAND_OVER the word of the new holder does not say WAITERS
 */
#ifndef FIBERS
#define FIBERS 2
#define ROUNDS 2
#define STRAYS 1
#endif

#define FREE 0
#define ME (_pid + 1)
#define W 8 /* WAITERS */
#define OWNER_OF(word) ((word) & 7)

mtype = { NONE, AWAKE, ASLEEP, KICKED, OWNER };

byte word;
bool inbox[FIBERS], queue[FIBERS]; /* who is in there */
mtype state[FIBERS] = NONE;        /* of the node; NONE: there is none, and it must not be touched */
bool kick[FIBERS];                 /* the nucleus' latch */
byte inside;                       /* holders: 0 or 1 */

/* By the holder. */
inline drain()
{
    d_step {
        i = 0;
        do
        :: i < FIBERS ->
            queue[i] = queue[i] | inbox[i];
            inbox[i] = false;
            i++
        :: else -> break
        od;
        i = 0
    }
}

#define WAITS(f) (f < FIBERS && queue[f])

/* Atomically: read, and act on what was read as lock.c's compare-and-swap does. */
inline take_or_announce()
{
    do
    :: state[_pid] == OWNER -> mine = true; break
    :: else ->
        seen = word;
        if
        :: seen == FREE ->
            if
            :: atomic { word == FREE -> word = ME | W };
                drain();
                d_step { assert(queue[_pid]); queue[_pid] = false };
                mine = true;
                break
            :: atomic { word != FREE -> skip }
            fi
#ifdef NO_ANNOUNCE
        :: else -> mine = false; break
#else
        :: else ->
            if
            :: (seen & W) != 0 -> mine = false; break
            :: else ->
                if
                :: atomic { word == seen -> word = seen | W }; mine = false; break
                :: atomic { word != seen -> skip }
                fi
            fi
#endif
        fi
    od;
    seen = 0
}

inline lock_slow()
{
    d_step { state[_pid] = AWAKE; inbox[_pid] = true };
    do
    :: take_or_announce(); /* watch */
        if
        :: mine -> break
        :: !mine -> skip /* go on watching */
        :: !mine ->      /* had enough of it */
            if
            :: atomic { state[_pid] == AWAKE -> state[_pid] = ASLEEP }
            :: atomic { state[_pid] == OWNER -> break }
            fi;
            atomic { kick[_pid] -> kick[_pid] = false }; /* recv */
#ifdef BLIND_WAKE
            state[_pid] = AWAKE
#else
            if
            :: atomic { state[_pid] == KICKED || state[_pid] == ASLEEP -> state[_pid] = AWAKE }
            :: atomic { state[_pid] == OWNER -> break }
            fi
#endif
        fi
    od;
    state[_pid] = NONE;
    mine = false
}

inline hand_over()
{
    d_step { assert(queue[next]); queue[next] = false };
#ifdef BARE_HAND_OVER
    word = next + 1;
#else
    word = (next + 1) | W;
#endif
    d_step {
        assert(state[next] != NONE && state[next] != OWNER);
        owed = state[next] == ASLEEP;
        state[next] = OWNER
    };
    if
    :: owed -> d_step { owed = false; kick[next] = true }
    :: else
    fi
}

/* released tells whether the compare-and-swap took place. */
inline wake_and_release()
{
    d_step {
        assert(state[next] != NONE && state[next] != OWNER);
        owed = state[next] == ASLEEP;
        state[next] = (owed -> KICKED : state[next])
    };
#ifdef PLAIN_RELEASE
    d_step { word = FREE; released = true };
#else
    d_step { released = word == ME; word = (released -> FREE : word) };
#endif
    if
    :: owed -> d_step { owed = false; kick[next] = true }
    :: else
    fi
}

inline unlock_slow()
{
    do
    :: assert(OWNER_OF(word) == ME);
#ifdef LATE_CLEAR
        drain();
        word = ME;
#else
        word = ME;
        drain();
#endif
        if
        :: WAITS(0) -> next = 0
        :: WAITS(1) -> next = 1
        :: WAITS(2) -> next = 2
        :: !WAITS(0) && !WAITS(1) && !WAITS(2) -> next = FIBERS
        fi;
        if
        :: next == FIBERS ->
            d_step { released = word == ME; word = (released -> FREE : word) }
        :: next != FIBERS -> /* it is awake or waited long; state_of() may be old by now */
            hand_over();
            released = true
        :: next != FIBERS && state[next] != AWAKE -> wake_and_release()
        fi;
        if
        :: released -> released = false; next = 0; break
        :: else
        fi
    od
}

active [FIBERS] proctype fiber()
{
    byte rounds, seen, next, i;
    bool mine, owed, released;
    do
    :: rounds == ROUNDS -> break
    :: rounds < ROUNDS ->
        rounds++;
        if
        :: atomic { word == FREE -> word = ME } /* mb_arch_lock_try */
        :: atomic { word != FREE -> skip }; lock_slow()
        fi;
        d_step { inside++; assert(inside == 1); assert(OWNER_OF(word) == ME) };
        inside--;
        if
        :: atomic { word == ME -> word = FREE } /* mb_arch_lock_release */
        :: atomic { word != ME -> skip }; unlock_slow()
        fi
    od
}

active proctype stray()
{
    byte n;
    do
    :: n == STRAYS -> break
    :: n < STRAYS ->
        n++;
        if
        :: kick[0] = true
        :: kick[1] = true
        :: kick[FIBERS - 1] = true
        fi
    od
}
