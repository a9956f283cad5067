/*
 * visit.pml - Spin model of visits (visit.c, arch/riscv64/visit.S): a client on hart 0 that visits, a waker and an ender on other
 * harts, and the server's fiber.
 * cc: -DSAFETY
 *
 * Checked, for every interleaving: nobody ever runs on the server's stack twice at once, nor when the fiber is gone; who uses the
 * nucleus' structures is alone there, with the lock or with that of who waits for his visit; what was posted is seen,
 * unless the server has ended (a wake-up that is lost is an invalid end state); its end is carried out; nobody waits for ever.
 *
 * The handler may fault: over a page, which is resolved, or for good, which ends the server. The client visits another server
 * now and then, of which nothing else is here (visit == OTHER).
 *
 * Mutants: with one of these defined, Spin must find an error; each has a file visit_mutant_*.pml.
 *      NO_LOCK        who visits looks at the door without the lock
 *      NO_WAIT        who takes the server out of its wait does not wait for the end of a visit
 *      LEAVE_OPEN     nor shuts the door
 *      EARLY_END      a visit is over before its stack is left
 *      BLIND_AWAIT    who shuts a door says that he waits, whoever is being visited
 *      PLAIN_LOCK     a fault in a handler takes the lock as everybody does
 *      LATE_END       a fault for good takes the lock before the visit is over
 */
#define VISITS 3
#define BELLS 2
#define NOBODY 0
#define SERVER 1
#define OTHER 2

mtype = { RUNNING, BLOCKED, READY, GONE };

mtype server = RUNNING;
bit hart; /* of the server: last or current */
bool open, pending, ending, lock, awaited, free;
byte visit, stack, inside, posted, seen, done;

#define LOCK atomic { !lock -> lock = true }
#define UNLOCK lock = false
/* Something of the nucleus is changed. */
#define CHANGE(what) inside++; assert(inside == 1); what; inside--
#define ON_STACK stack++; assert(stack == 1 && !free)

/* With the lock: it is about to be no longer blocked. */
inline shut()
{
#ifdef BLIND_AWAIT
    awaited = true;
#endif
#ifndef NO_WAIT
    if
    :: visit == SERVER && hart == 0 -> awaited = true; visit != SERVER
    :: else -> skip
    fi;
#endif
    awaited = false;
#ifndef LEAVE_OPEN
    open = false
#endif
}

inline end_server()
{
    if
    :: server == BLOCKED -> shut(); CHANGE(server = GONE; free = true)
    :: server == READY -> CHANGE(server = GONE; free = true)
    :: server == RUNNING -> ending = true
    :: server == GONE -> skip
    fi
}

active proctype client()
{
    byte n;
    bool own;
    do
    :: n == VISITS -> break
    :: n < VISITS ->
        n++;
        if /* somebody else is visited */
        :: LOCK; visit = OTHER; UNLOCK
        :: posted++;
#ifndef NO_LOCK
            LOCK;
#endif
            if
            :: open && hart == 0 -> visit = SERVER
            :: else -> skip
            fi;
#ifndef NO_LOCK
            UNLOCK;
#endif
            if
            :: visit == NOBODY -> /* as ever: ring */
                LOCK;
                if
                :: server == BLOCKED -> shut(); CHANGE(server = READY)
                :: else -> pending = true
                fi;
                UNLOCK
            :: else -> ON_STACK; seen = posted
            fi
        fi;
        if
        :: visit != NOBODY ->
            if
            :: true -> skip
            :: true -> /* a page */
#ifdef PLAIN_LOCK
                LOCK; own = true;
#else
                if
                :: atomic { awaited -> own = false }
                :: atomic { !awaited && !lock -> lock = true; own = true }
                fi;
#endif
                CHANGE(skip);
                if
                :: own -> UNLOCK
                :: else -> skip
                fi
            :: visit == SERVER -> /* for good */
#ifdef LATE_END
                LOCK; stack--; visit = NOBODY;
#else
                stack--; visit = NOBODY;
                LOCK;
#endif
                end_server();
                UNLOCK
            fi
        :: else -> skip
        fi;
#ifdef EARLY_END
        if
        :: visit == SERVER -> visit = NOBODY; stack--
        :: else -> visit = NOBODY
        fi
#else
        if
        :: visit == SERVER -> stack--
        :: else -> skip
        fi;
        visit = NOBODY
#endif
    od;
    done++
}

active proctype waker()
{
    byte n;
    do
    :: n == BELLS -> break
    :: n < BELLS ->
        n++;
        posted++;
        LOCK;
        if
        :: server == BLOCKED -> shut(); CHANGE(server = READY)
        :: else -> pending = true
        fi;
        UNLOCK
    od;
    done++
}

active proctype ender()
{
    if
    :: LOCK; end_server(); UNLOCK
    :: skip
    fi;
    done++
}

/* The server's fiber: on whatever hart it goes on after a wake-up. */
active proctype fiber()
{
work:
    ON_STACK;
    seen = posted;
    stack--;
    LOCK;
    if
    :: ending -> CHANGE(server = GONE; free = true); UNLOCK; goto gone
    :: !ending && pending -> pending = false; UNLOCK; goto work
    :: else -> CHANGE(server = BLOCKED; open = true); UNLOCK
    fi;
    if
    :: atomic { server == READY && !lock -> lock = true }
        if
        :: hart = 0
        :: hart = 1
        fi;
        server = RUNNING;
        UNLOCK;
        goto work
    :: server == GONE
    :: atomic { done == 3 && server == BLOCKED && seen == posted -> skip }
    fi;
gone:
    assert(server != RUNNING)
}
