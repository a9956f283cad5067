/*
 * kick.pml - Spin model of how a kick reaches a fiber: the latch of fiber.c, the look at it on the way into foreign mode
 * (trap.S, enter_fast), in recv (call_ipc.c) and after an interrupt (sched_reschedule).
 * cc: -DSAFETY
 *
 * A fiber looks at its mailbox in host mode and then enters a program, or sleeps in recv. Somebody on another hart posts
 * and kicks. Checked, for every interleaving: it cannot come to pass that the fiber stays in the program, or asleep,
 * with something in the mailbox and nobody left who will get it out (that would be an invalid end state: the program
 * here never comes back by itself). And a kick is spent once: there are never more ends by a kick than kicks.
 *
 * The interrupt of another hart is one bit a hart, taken only outside the nucleus. A timer may take the hart away at any
 * moment, and the fiber may go on upon the other one. All that changes the fiber is done with the nucleus lock; what the way
 * into foreign mode reads, it reads without.
 *
 * Mutants: with one of these defined, Spin must find an error; each has a file kick_mutant_*.pml.
 *      EARLY_LOOK     after an interrupt the latch is looked at before the lock is taken (it was so once)
 *      NO_IPI         who runs a program on another hart is not interrupted
 *      NO_IPI_HOST    nor is who runs in host mode there: it may be just past its look at the latch
 *      NO_LATCH       who runs in host mode is not kicked: it will look by itself
 *      BLIND_SLEEP    recv does not look at the latch
 *      READY_LATCH    who waits for its turn in foreign mode gets the latch only
 */
#define KICKS 2
#define TIMERS 2

mtype = { HOST, FOREIGN, READY, BLOCKED };

mtype where = HOST;
bool in_foreign; /* READY: where it goes on */
bit on;          /* its hart: last or current */
bit lock;
bool kick;
bool ipi[2];
byte posted, seen, ended, timers;

#define LOCK atomic { lock == 0 -> lock = 1 }
#define UNLOCK lock = 0
#define ALL_KICKED (posted == KICKS && _nr_pr == 1)

/* Its hart is given to another one; later it goes on, on either. */
inline lose_hart()
{
    in_foreign = (where == FOREIGN);
    where = READY;
    UNLOCK;
    atomic {
        lock == 0 -> lock = 1;
        if
        :: on = 0
        :: on = 1
        fi;
        if
        :: in_foreign -> where = FOREIGN
        :: else -> where = HOST
        fi;
        lock = 0
    }
}

active proctype fiber()
{
    bool latched;
host:
    seen = posted;
    ipi[on] = false; /* in host mode it is taken, and there is nothing to leave */
    if
    :: timers < TIMERS -> LOCK; timers++; lose_hart(); goto host
    :: true -> goto enter
    :: true -> goto sleep
    fi;

enter: /* without the lock, but no interrupt comes in between */
    if
    :: kick ->
        LOCK;
        kick = false;
        ended++;
        UNLOCK;
        goto host
    :: !kick -> where = FOREIGN
    fi;
program:
    if
    :: ipi[on] -> ipi[on] = false; goto interrupted
    :: timers < TIMERS -> timers++; goto preempted
    :: where == HOST -> goto host /* taken out by the kicker, while it waited for its turn */
    :: atomic { seen == KICKS && ALL_KICKED && where == FOREIGN -> goto done }
    fi;

interrupted:
#ifdef EARLY_LOOK
    latched = kick;
    LOCK;
#else
    LOCK;
    latched = kick;
#endif
    if
    :: latched -> kick = false; ended++; where = HOST; UNLOCK; goto host
    :: else -> UNLOCK; goto program
    fi;

preempted:
#ifdef EARLY_LOOK
    latched = kick;
    LOCK;
#else
    LOCK;
    latched = kick;
#endif
    if
    :: latched -> kick = false; ended++; where = HOST; UNLOCK; goto host
    :: else -> lose_hart(); goto program
    fi;

sleep:
    LOCK;
    if
#ifndef BLIND_SLEEP
    :: kick -> kick = false; ended++; UNLOCK; goto host
#else
    :: false
#endif
    :: else -> where = BLOCKED; UNLOCK
    fi;
    if
    :: where != BLOCKED -> where = HOST; goto host
    :: atomic { seen == KICKS && ALL_KICKED && where == BLOCKED -> goto done }
    fi;
done:
    assert(ended <= KICKS)
}

active proctype kicker()
{
    byte n;
    do
    :: n < KICKS ->
        n++;
        posted++;
        LOCK;
        if
        :: where == BLOCKED -> where = HOST; ended++
        :: where == HOST ->
            skip
#ifndef NO_LATCH
            ; kick = true
#endif
#ifndef NO_IPI_HOST
            ; ipi[on] = true
#endif
        :: where == FOREIGN ->
            kick = true
#ifndef NO_IPI
            ; ipi[on] = true
#endif
        :: where == READY && !in_foreign -> kick = true
        :: where == READY && in_foreign ->
#ifdef READY_LATCH
            kick = true
#else
            in_foreign = false;
            ended++
#endif
        fi;
        UNLOCK
    :: else -> break
    od
}
