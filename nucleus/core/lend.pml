/*
 * lend.pml - Spin model of a tier that is lent along a bell (lend.c): a client of tier 0 rings a server of tier 2, which may ring an inner
 * one of tier 3, while a hog of tier 1 always wants the hart.
 * cc: -DSAFETY
 *
 * One hart; the best tier that is ready runs, and who overruns gets a new budget at the end of its line. Whoever serves may do
 * anything at any time: compute, ring on, wait, answer. Checked, in every state:
 *      - nobody sleeps on a loan, but who has lent it on to somebody who does not sleep;
 *      - who has nothing lent to it is of its own tier;
 *      - since its budget was last filled the client and all who ran on its loans have run, in tier 0, no longer than that budget;
 *      - whoever the client waits for, having lent to it, runs before the hog.
 *
 * Mutants: with one of these defined, Spin must find an error; each has a file lend_mutant_*.pml.
 *      KEEP           who waits keeps the loan
 *      FILL           who waits on a loan, having lent it on, wakes up with all of it
 *      FREE           nobody pays for what was run on a loan
 *      TWICE          a second bell lends the client's budget once more, and leaves the first loan as it was
 */
#define CLIENT 0
#define HOG 1
#define SERVER 2
#define INNER 3
#define N 4
#define NOBODY 9
#define QUANTUM 2

mtype = { RUNS, WAITS, SLEEPS };

mtype state[N];
byte own[N];               /* tier */
byte tier[N];              /* now */
byte left[N], quantum[N];
byte lender[N] = NOBODY, debtor[N] = NOBODY, lent[N];
byte hart;
byte spent;  /* in tier 0 since the client's budget was filled */
byte paid, who, by, down;
bool over;

/* Its lender pays, and it is itself again. */
inline settle(f)
{
    who = f;
    by = lender[who];
    paid = lent[who] - left[who];
#ifndef FREE
    left[by] = (left[by] > paid -> left[by] - paid : 0);
#endif
    debtor[by] = NOBODY;
    lender[who] = NOBODY;
    tier[who] = own[who];
    quantum[who] = QUANTUM;
    left[who] = QUANTUM
}

/* With what was lent on of it; and who waited for it on a loan has nobody at work any more. */
inline lend_end(f)
{
    if
    :: f != INNER && debtor[f] != NOBODY -> down = debtor[f]; settle(down)
    :: else
    fi;
    if
    :: lender[f] == SERVER -> settle(f);
        if
        :: state[SERVER] == SLEEPS && lender[SERVER] != NOBODY -> settle(SERVER)
        :: else
        fi
    :: lender[f] != NOBODY && lender[f] != SERVER -> settle(f)
    :: else
    fi
}

inline lend(f, to)
{
    if
    :: tier[to] > tier[f] && debtor[to] == NOBODY ->
#ifndef TWICE
        if
        :: debtor[f] != NOBODY -> was = debtor[f]; lend_end(was)
        :: else
        fi;
#endif
        if
        :: left[f] > 0 ->
            if
            :: lender[to] != NOBODY -> lend_end(to)
            :: else
            fi;
            debtor[f] = to;
            lender[to] = f;
            lent[to] = left[f];
            quantum[to] = left[f];
            left[to] = left[f];
            tier[to] = tier[f]
        :: else
        fi
    :: else
    fi
}

/* Of the best tier that wants to; among equals any. */
inline run_best()
{
    if
    :: state[hart] == RUNS -> state[hart] = WAITS
    :: else
    fi;
    best = (state[INNER] == WAITS -> tier[INNER] : 9);
    best = (state[SERVER] == WAITS && tier[SERVER] < best -> tier[SERVER] : best);
    best = (state[HOG] == WAITS && tier[HOG] < best -> tier[HOG] : best);
    best = (state[CLIENT] == WAITS && tier[CLIENT] < best -> tier[CLIENT] : best);
    if
    :: state[CLIENT] == WAITS && tier[CLIENT] == best -> hart = CLIENT
    :: state[HOG] == WAITS && tier[HOG] == best -> hart = HOG
    :: state[SERVER] == WAITS && tier[SERVER] == best -> hart = SERVER
    :: state[INNER] == WAITS && tier[INNER] == best -> hart = INNER
    fi;
    state[hart] = RUNS
}

/* To a better tier only, or to an equal at the end of a budget. */
inline give_way()
{
    if
    :: tier[hart] == 0 && !over
    :: else -> run_best()
    fi;
    over = false
}

inline wake(f)
{
    state[f] = WAITS;
    left[f] = quantum[f];
    if
    :: f == CLIENT -> spent = 0
    :: else
    fi
}

/* What both have run since the bell is of one budget. */
inline share(f)
{
    down = debtor[f];
    paid = lent[down] - left[down];
#ifndef FREE
    left[f] = (left[f] > paid -> left[f] - paid : 0);
#endif
    lent[down] = (left[down] < left[f] -> left[down] : left[f]);
    quantum[down] = lent[down];
    left[down] = lent[down]
}

inline wait()
{
    if
    :: lender[hart] != NOBODY && debtor[hart] == NOBODY ->
#ifndef KEEP
        lend_end(hart)
#else
        skip
#endif
    :: lender[hart] != NOBODY && debtor[hart] != NOBODY ->
        share(hart);
#ifndef FILL
        quantum[hart] = left[hart]
#endif
    :: lender[hart] == NOBODY && debtor[hart] != NOBODY -> share(hart)
    :: else
    fi;
    state[hart] = SLEEPS;
    run_best()
}

/* Nothing left when it is switched to: the timer fires at once. */
inline tick()
{
    if
    :: left[hart] > 0 -> left[hart]--; spent = (tier[hart] == 0 -> spent + 1 : spent)
    :: else
    fi;
    if
    :: left[hart] == 0 && lender[hart] != NOBODY -> lend_end(hart); over = true
    :: left[hart] == 0 && lender[hart] == NOBODY -> left[hart] = QUANTUM; over = true
    :: else
    fi
}

inline check()
{
    for (i : 0 .. N - 1) {
        assert(state[i] != SLEEPS || lender[i] == NOBODY || (debtor[i] != NOBODY && state[debtor[i]] != SLEEPS));
        assert(tier[i] == own[i] || lender[i] != NOBODY);
        assert(lender[i] == NOBODY || (debtor[lender[i]] == i && left[i] <= lent[i] && tier[i] == 0))
    }
    assert(spent <= QUANTUM);
    assert(hart != HOG || debtor[CLIENT] == NOBODY || state[debtor[CLIENT]] == SLEEPS)
}

/* One step of whoever runs. The client rings, waits for its answer and does nothing else: it has its whole budget for those who serve it. */
active proctype machine()
{
    byte i, best, was;
    d_step {
        own[CLIENT] = 0; own[HOG] = 1; own[SERVER] = 2; own[INNER] = 3;
        for (i : 0 .. N - 1) {
            tier[i] = own[i];
            left[i] = QUANTUM;
            quantum[i] = QUANTUM;
            state[i] = WAITS
        }
        hart = CLIENT;
        state[CLIENT] = RUNS
    }
step:
    atomic { check() };
    if
    :: hart == CLIENT ->
        atomic { /* a call of one of them, or of both */
            if
            :: skip; lend(CLIENT, SERVER)
            :: skip; lend(CLIENT, INNER)
            :: skip; lend(CLIENT, SERVER); lend(CLIENT, INNER)
            fi;
            if
            :: debtor[CLIENT] != NOBODY && state[debtor[CLIENT]] == SLEEPS -> wake(debtor[CLIENT])
            :: else
            fi;
            wait()
        }
    :: hart == HOG -> atomic { tick(); give_way() }
    :: hart == SERVER || hart == INNER -> atomic { tick(); give_way() } /* it computes */
    :: hart == SERVER ->
        atomic {
            if
            :: state[INNER] == SLEEPS -> wake(INNER)
            :: else
            fi;
            lend(SERVER, INNER)
        }
    :: hart == SERVER || hart == INNER -> atomic { wait() }
    :: (hart == SERVER || hart == INNER) && state[CLIENT] == SLEEPS -> atomic { wake(CLIENT); give_way() }
    :: hart == INNER && state[SERVER] == SLEEPS -> atomic { wake(SERVER); give_way() }
    fi;
    goto step
}
