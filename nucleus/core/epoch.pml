/*
 * epoch.pml - Spin model of capabilities and their revocation: cap.c, object.c, the grants and revoke of call.c.
 * cc: -DSAFETY
 *
 * An owner makes an object, grants it to a cell, revokes, drops, and makes another object, for which there is only the first
 * one's memory. The cell uses what it was granted, hands it on to a third one, drops it. Checked, for every interleaving:
 * a capability never gives access to any other object than the one it was granted for, and none that begins after
 * revoke has returned; memory is given back once, when no capability names it.
 *
 * What is done with the nucleus lock is one step here.
 *
 * Mutants: with one of these defined, Spin must find an error; each has a file epoch_mutant_*.pml.
 *      SPLIT_GRANT   grant looks whether the capability lives, and copies it in a second critical section: with the
 *                    epoch of then, so what was revoked in between lives again
 *      SPLIT_USE     a use looks the object up in one critical section and does its work in another
 *      NO_REF        a capability holds no reference: the object's memory is given back with the owner's
 *      NO_CHECK      a use looks at the object and not at the epoch
 */
#define OWNER 0
#define CELL 1
#define THIRD 2
#define TRIES 3

typedef Object { byte ident, epoch, refs }
typedef Cap { bool there; byte epoch; byte granted /* what it was granted for */ }

Object memory; /* ident 0: free */
Cap cap[3];
bool revoked[3];

#ifdef NO_CHECK
#define LIVE(c) (cap[c].there)
#else
#define LIVE(c) (cap[c].there && cap[c].epoch == memory.epoch)
#endif

inline put(c, what)
{
    cap[c].there = true;
    cap[c].epoch = memory.epoch;
    cap[c].granted = what;
#ifdef NO_REF
    if
    :: c == OWNER -> memory.refs++
    :: else
    fi
#else
    memory.refs++
#endif
}

inline drop(c)
{
    atomic {
        if
        :: cap[c].there ->
            cap[c].there = false;
#ifdef NO_REF
            if
            :: c == OWNER -> memory.refs--
            :: else
            fi;
#else
            assert(memory.refs > 0);
            memory.refs--;
#endif
            if
            :: memory.refs == 0 -> memory.ident = 0
            :: else
            fi
        :: else
        fi
    }
}

inline make(what)
{
    atomic {
        if
        :: memory.ident == 0 ->
            memory.ident = what;
            memory.epoch = 0;
            put(OWNER, what)
        :: else /* no memory */
        fi
    }
}

/* By c: `was`, what revoke had returned for when the call began. */
inline use(c)
{
    atomic {
        was = cap[c].there && revoked[cap[c].granted];
        live = LIVE(c);
        which = cap[c].granted;
#ifdef SPLIT_USE
    }
    atomic {
        was = was || revoked[which];
#endif
        if
        :: live -> assert(!was); assert(memory.ident == which)
        :: else
        fi
    }
}

inline grant(from, to)
{
    atomic {
        live = LIVE(from) && !cap[to].there;
        which = cap[from].granted;
#ifdef SPLIT_GRANT
    }
    atomic {
        live = live && cap[from].there && !cap[to].there;
#endif
        if
        :: live -> put(to, which)
        :: else
        fi
    }
}

active proctype owner()
{
    bool live;
    byte which;
    make(1);
    grant(OWNER, CELL);
    if
    :: atomic {
        if
        :: LIVE(OWNER) -> memory.epoch++; revoked[1] = true
        :: else
        fi
    }
    :: true /* just goes */
    fi;
    drop(OWNER);
    make(2); /* nobody is granted that one */
}

active [2] proctype cell()
{
    bool live, was;
    byte which, n, me = CELL + _pid - 1;
    do
    :: n < TRIES ->
        n++;
        if
        :: use(me)
        :: me == CELL -> grant(CELL, THIRD)
        :: drop(me)
        fi
    :: else -> break
    od
}
