/*
 * handover.pml - Spin model of the hand-over: a bell for who sleeps in recv gives it the hart at once, with what is left of its
 * budget (budget.h), and the sender goes on before all who are in line: by the long way (call_ipc.c, sched_hand_over) it is
 * put at the head of it, by the short one (handover.c) it is the hart's lender, who is in no line, until something
 * else has to do with the line (sched_settle).
 * cc: -DSAFETY
 *
 * A client and a server send each other messages without end, as a client that asks again at once does; a third fiber
 * of their tier wants its turn, or sleeps until an interrupt. One hart. Checked: somebody always runs; nobody is lost, in
 * line twice or both in line and asleep; no bell is lost (the two never sleep both, with a message on its way); the third
 * one waits at most for one budget of each of the others; and who has lent the hart at most for one budget of who it was
 * lent to. So the hart that is handed to and fro is a loan: the two together get no more at a stretch than each of them would
 * alone.
 *
 * A tick passes between any two steps of who runs, or none.
 *
 * Mutants: with one of these defined, Spin must find an error; each has a file handover_mutant_*.pml.
 *      REFILL         who is handed the hart gets a full budget (it was so once): the two keep the hart for ever
 *      NO_PENDING     a bell for who does not sleep is forgotten
 *      LOSE_SENDER    the sender is not put in line
 *      BLIND_RECV     recv does not look whether a bell has rung already
 *      BLIND_OVER     when a budget is used up only the line is looked at, not the lender
 *      KEEP_LENDER    who is put in line stays the lender
 */
#define CLIENT 0
#define SERVER 1
#define THIRD 2
#define NOBODY 3
#define QUANTUM 2

mtype = { RUNS, WAITS, SLEEPS };

mtype state[3];
byte line[3] = NOBODY; /* in order */
byte left[3];          /* of the budget */
byte hart = CLIENT;
byte lender = NOBODY;
byte lent;              /* ticks the lender has waited */
bool pending[2], message[2]; /* bells that rang; messages in the ring to CLIENT and to SERVER */
bool asked;                  /* the client waits for an answer */
bool drowsy[2];              /* it has found nothing, and is about to call recv */
byte waited;                 /* ticks the third one has waited */

inline to_front(f)
{
    assert(line[2] == NOBODY);
    line[2] = line[1];
    line[1] = line[0];
    line[0] = f;
    state[f] = WAITS
}

inline to_back(f)
{
    assert(line[2] == NOBODY);
    if
    :: line[0] == NOBODY -> line[0] = f
    :: line[0] != NOBODY && line[1] == NOBODY -> line[1] = f
    :: else -> line[2] = f
    fi;
    state[f] = WAITS
}

inline give(f)
{
    hart = f;
    state[f] = RUNS
}

inline settle()
{
    if
    :: lender != NOBODY ->
        to_front(lender);
#ifndef KEEP_LENDER
        lender = NOBODY
#endif
    :: else
    fi
}

inline run_next()
{
    if
    :: lender != NOBODY -> give(lender); lender = NOBODY
    :: else ->
        assert(line[0] != NOBODY);
        give(line[0]);
        line[0] = line[1];
        line[1] = line[2];
        line[2] = NOBODY
    fi
}

inline refill(f)
{
    left[f] = QUANTUM
}

/* The running one has used up its budget. */
inline over()
{
    refill(hart);
#ifndef BLIND_OVER
    settle();
#endif
    if
    :: line[0] != NOBODY -> to_back(hart); run_next()
    :: else /* it goes on */
    fi
}

inline send(to)
{
    message[to] = true;
    if
    :: state[to] == SLEEPS ->
        me = hart;
#ifndef LOSE_SENDER
        if
        :: lender == NOBODY -> lender = me; lent = 0; state[me] = WAITS
        :: settle(); to_front(me)
        fi;
#endif
#ifdef REFILL
        refill(to);
#endif
        give(to)
    :: else ->
#ifndef NO_PENDING
        pending[to] = true
#else
        skip
#endif
    fi
}

inline recv()
{
    if
#ifndef BLIND_RECV
    :: pending[hart] -> pending[hart] = false
#else
    :: false
#endif
    :: else -> state[hart] = SLEEPS; run_next()
    fi
}

inline check()
{
    assert((state[CLIENT] == RUNS) + (state[SERVER] == RUNS) + (state[THIRD] == RUNS) == 1 && state[hart] == RUNS);
    assert((state[CLIENT] == WAITS) + (state[SERVER] == WAITS) + (state[THIRD] == WAITS) ==
           (line[0] != NOBODY) + (line[1] != NOBODY) + (line[2] != NOBODY) + (lender != NOBODY));
    assert(state[CLIENT] != SLEEPS || state[SERVER] != SLEEPS) /* a message is on its way, or an answer is due */
}

/* One step of whoever runs; all are with the nucleus lock, or a tick. */
active proctype machine()
{
    byte me;
    d_step {
        refill(CLIENT);
        refill(SERVER);
        refill(THIRD);
        state[CLIENT] = RUNS;
        state[SERVER] = SLEEPS;
        to_back(THIRD)
    }
step:
    atomic { check() };
    if
    :: hart == THIRD -> atomic { waited = 0; over() } /* it computes */
    :: hart == THIRD && (line[0] != NOBODY || lender != NOBODY) -> atomic { state[THIRD] = SLEEPS; run_next() }
    :: state[THIRD] == SLEEPS -> atomic { waited = 0; settle(); to_back(THIRD) } /* its interrupt */
    :: hart != THIRD && left[hart] > 0 -> /* a tick */
        atomic {
            left[hart]--;
            if
            :: state[THIRD] == WAITS -> waited++; assert(waited <= 2 * QUANTUM)
            :: else
            fi;
            if
            :: lender != NOBODY -> lent++; assert(lent <= QUANTUM)
            :: else
            fi;
            if
            :: left[hart] == 0 -> over()
            :: else
            fi
        }
    :: hart == CLIENT && !asked -> atomic { asked = true; send(SERVER) }
    :: hart == CLIENT && asked && message[CLIENT] && !drowsy[CLIENT] -> atomic { message[CLIENT] = false; asked = false }
    :: hart == SERVER && message[SERVER] && !drowsy[SERVER] -> atomic { message[SERVER] = false; send(CLIENT) }
    :: (hart == SERVER || (hart == CLIENT && asked)) && !message[hart] -> drowsy[hart] = true
    :: hart != THIRD && drowsy[hart] -> atomic { drowsy[hart] = false; recv() }
    fi;
    goto step
}
