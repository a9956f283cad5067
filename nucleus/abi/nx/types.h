/* Constants and shared structures of the nucleus' calls.  See calls.tbl for the calls themselves. */
#ifndef NX_TYPES_H
#define NX_TYPES_H

#include <stdint.h>

/* Errors: a call answers the negated code. */
enum nx_error {
    NX_EPERM = 1,     /* a right or pledge is missing */
    NX_ENOENT = 2,    /* nothing there */
    NX_EIO = 5,       /* stored data is damaged */
    NX_EBADF = 9,     /* slot or handle names nothing, or was revoked */
    NX_ENOMEM = 12,   /* quota or machine exhausted */
    NX_EFAULT = 14,   /* a window address is not readable or writable */
    NX_EBUSY = 16,    /* in use, or not schedulable */
    NX_EINVAL = 22,   /* malformed argument */
    NX_ENOSYS = 38,   /* no such call or op */
    NX_ETIME = 62,    /* the deadline passed */
    NX_EIMAGE = 80,   /* malformed image or manifest */
    NX_EPEER = 81,    /* the other side of a ring broke the protocol */
    NX_EFULL = 82,    /* ring full */
    NX_EEMPTY = 83,   /* ring empty */
    NX_EHARMONY = 84, /* periods that do not divide one another */
};

#define NX_SLOTS 64
#define NX_SHELF_PLACES 128
#define NX_SELF 255u    /* in place of a cell slot: the calling cell */
#define NX_KICKED 64    /* recv: this fiber was kicked */
#define NX_NEVER (~0ul) /* deadline that never comes */

/* Spectrum tiers, highest priority first. */
enum nx_tier { NX_TIER_PHOTON, NX_TIER_MATTER, NX_TIER_GRAVITY, NX_TIER_VOID, NX_TIERS };

/* Object types of capabilities. */
enum nx_type {
    NX_T_NONE,
    NX_T_MEM,     /* pages */
    NX_T_DEVMEM,  /* device registers */
    NX_T_RING,    /* one direction of a channel */
    NX_T_EVENT,   /* software event */
    NX_T_IRQ,     /* interrupt line */
    NX_T_CELL,    /* another cell */
    NX_T_MACHINE, /* right to make DEVMEM and IRQ */
    NX_T_SHELF,   /* places for capabilities to memory and rings */
    NX_TYPES
};

/* Rights of capabilities. */
#define NX_R_READ 1u
#define NX_R_WRITE 2u
#define NX_R_EXEC 4u
#define NX_R_SEND 8u  /* ring: producer's doorbell; event: signal */
#define NX_R_RECV 16u /* ring: consumer's side; event, interrupt, cell death: listen */
#define NX_R_GRANT \
    32u /* may be copied to other cells; on a cell: capabilities may be put into it */
#define NX_R_REVOKE 64u /* may revoke the object */
#define NX_R_KILL 128u  /* cell: may start and end it */
#define NX_R_DMA 256u   /* memory: its physical address may be read */
#define NX_R_LEND 512u  /* ring: the producer's bells lend its tier to who serves it */
#define NX_R_ALL 1023u

/* Protection bits of map. */
#define NX_PROT_R 1u
#define NX_PROT_W 2u
#define NX_PROT_X 4u
#define NX_MAP_PRIVATE 256u /* SHARE: copy-on-write instead of shared */

#define NX_MEM_CONTIG 1u

/* Pledge: classes of calls a cell may use. */
#define NX_PLEDGE_SPAWN 1u    /* spawn, exit KILL */
#define NX_PLEDGE_MAKE 2u     /* make */
#define NX_PLEDGE_MAP 4u      /* map */
#define NX_PLEDGE_GRANT 8u    /* grant to others, revoke */
#define NX_PLEDGE_IPC 16u     /* send, recv */
#define NX_PLEDGE_TIME 32u    /* tick */
#define NX_PLEDGE_FOREIGN 64u /* enter, spaces */
#define NX_PLEDGE_META 128u   /* meta */
#define NX_PLEDGE_DEBUG 256u  /* statistics of other cells, the whole log */
#define NX_PLEDGE_ALL 511u

/* meta STAT */
enum nx_stat {
    NX_STAT_PAGES_TOTAL,
    NX_STAT_PAGES_FREE,
    NX_STAT_FIBERS,
    NX_STAT_SPACES,
    NX_STAT_CELLS,
    NX_STAT_MEMS,
    NX_STAT_RINGS,
    NX_STAT_EVENTS,
    NX_STAT_CAPS,
    NX_STAT_LOG_END, /* number of the next line of the log, of the next entry of the BEB */
    NX_STAT_BEB_END,
    NX_STAT_SWITCHES, /* fiber switches since boot, all harts */
    NX_STAT_IPIS,
    NX_STAT_IDLE_TICKS, /* time all harts together spent idle */
    NX_STAT_TABLES,     /* pages used for page tables */
    NX_STATS
};

/* meta CELL */
enum nx_cell_value {
    NX_CELL_STATE, /* enum nx_cell_state */
    NX_CELL_GENERATION,
    NX_CELL_EXIT_WHY,  /* enum nx_why */
    NX_CELL_EXIT_CODE, /* code of exit, or the fault's cause */
    NX_CELL_EXIT_PC,   /* of a fault */
    NX_CELL_EXIT_ADDR,
    NX_CELL_PAGES, /* charged now */
    NX_CELL_QUOTA,
    NX_CELL_FIBERS,
    NX_CELL_RUNTIME,     /* ticks */
    NX_CELL_TIER,        /* now: its own, or Void while it has no energy */
    NX_CELL_PLEDGE,      /* NX_PLEDGE_* it has left */
    NX_CELL_PLACEMENT,   /* enum nx_placement */
    NX_CELL_ENERGY_USED, /* units (microseconds of a hart) in this life */
    NX_CELL_ENERGY_LEFT, /* units; INT64_MAX: no limit */
    NX_CELL_VALUES
};
enum nx_cell_state { NX_CS_NEW, NX_CS_RUNNING, NX_CS_DYING, NX_CS_DEAD };
enum nx_why { NX_WHY_NONE, NX_WHY_EXIT, NX_WHY_KILLED, NX_WHY_FAULT, NX_WHY_NOMEM };

/* meta SPACE, FIBER, MACHINE */
enum nx_space_value { NX_SPACE_RESIDENT /* pages */, NX_SPACE_VALUES };
enum nx_fiber_value {
    NX_FIBER_RUNTIME, /* ticks */
    NX_FIBER_TIER,    /* now */
    NX_FIBER_STRIKES,
    NX_FIBER_DEMOTIONS,
    NX_FIBER_HANDLE, /* what others of the cell call the fiber; asked for 0, the caller's own */
    NX_FIBER_HART,   /* the index of the one it runs on, or ran last */
    NX_FIBER_VALUES
};
enum nx_machine_value {
    NX_MACHINE_HARTS,
    NX_MACHINE_TIMEBASE,
    NX_MACHINE_MEMORY,
    NX_MACHINE_VALUES
};

/* What the nucleus measured of a hart (crucible.h). */
enum nx_hart_value {
    NX_HART_CLASS,     /* enum nx_hart_class */
    NX_HART_SPEED,     /* rounds of a fixed piece of work in a millisecond */
    NX_HART_MEASURING, /* ticks that measuring took when it came up */
    NX_HART_IDLE,      /* ticks it was idle */
    NX_HART_VALUES
};
enum nx_hart_class { NX_CLASS_APEX, NX_CLASS_FORGE, NX_CLASS_MILL, NX_CLASS_EMBER, NX_CLASSES };

/* A line of the log.  Levels are those of syslog(3). */
enum nx_log_level {
    NX_LOG_EMERG,
    NX_LOG_ALERT,
    NX_LOG_CRIT,
    NX_LOG_ERR,
    NX_LOG_WARNING,
    NX_LOG_NOTICE,
    NX_LOG_INFO,
    NX_LOG_DEBUG,
    NX_LOG_LEVELS
};
#define NX_LOG_TEXT 256u
struct nx_log {
    uint64_t number; /* of all lines since boot, from 0; numbers that are missing were lost */
    uint64_t time;   /* ticks */
    uint64_t seq;    /* of this writer's lines, from 1, over all its generations */
    uint32_t generation;
    uint16_t len; /* of text, which has no control characters but tabs, and no NUL at its end */
    uint8_t level;
    uint8_t zero;
    char cell[32]; /* "nucleus", generation 0: the nucleus itself */
    char text[NX_LOG_TEXT];
};
_Static_assert(sizeof(struct nx_log) == 64 + NX_LOG_TEXT, "nx_log layout");

/* An entry of the Boot Error Buffer. */
enum nx_beb_kind {
    NX_BEB_OVERRUN = 1, /* a fiber ran past its budget */
    NX_BEB_DEMOTED,     /* the Ratchet moved it down */
    NX_BEB_FAULT,       /* a cell faulted */
    NX_BEB_DENIED,      /* a call without the capability or pledge for it */
    NX_BEB_CELL_DEAD,
    NX_BEB_PROMOTED, /* good behaviour moved it up again */
    NX_BEB_SILENT,   /* the supervisor owes L0 an answer for too long */
    NX_BEB_RESTART,  /* soft restart: all cells end */
    NX_BEB_SYSTEMIC, /* several cells died by a fault together */
    NX_BEB_AUDIT,    /* the audit of capabilities found something */
};
struct nx_beb {
    uint64_t time; /* ticks */
    uint32_t kind; /* enum nx_beb_kind */
    uint32_t hart;
    char cell[16];
    uint32_t generation;
    uint32_t fiber;
    uint64_t arg0,
        arg1;        /* by kind: FAULT pc, addr; OVERRUN budget, ran of it; DENIED type or pledge
                            wanted, slot; CELL_DEAD why (enum nx_why), code; SILENT ms; RESTART 0 silent
                            or 1 ended, number of restarts; SYSTEMIC deaths, ticks from first to last;
                            AUDIT inconsistencies */
    uint64_t number; /* of this entry, counted since boot */
};
_Static_assert(sizeof(struct nx_beb) == 64, "nx_beb layout");

/* A switch of a hart to a fiber (meta SWITCHES). */
enum nx_switch_why {                  /* why the one before does not run any more */
                     NX_SWITCH_BEGIN, /* there was none: recording begins */
                     NX_SWITCH_WAITS,
                     NX_SWITCH_READY, /* it would go on: another has its turn, is better, or was handed the hart */
                     NX_SWITCH_ENDED,
                     NX_SWITCH_IDLE, /* the hart was idle */
};
struct nx_switch {
    uint64_t time;   /* ticks */
    uint64_t number; /* of the hart's switches since recording began, from 0 */
    uint64_t fiber;  /* 0: the hart is idle */
    uint32_t why;    /* enum nx_switch_why */
    uint16_t tier;   /* it runs in */
    uint16_t zero;
    uint32_t generation; /* of the cell */
    char cell[16];
    uint32_t zero2;
};
_Static_assert(sizeof(struct nx_switch) == 56, "nx_switch layout");

/* The read-only page at NX_CELLINFO. */
struct nx_cellinfo {
    char name[32];
    uint32_t generation; /* 1 for the first life, one more for every restart */
    uint32_t harts;
    uint64_t timebase;  /* ticks per second */
    uint64_t memory;    /* bytes of the machine */
    uint64_t arg;       /* from spawn START */
    uint64_t image_end; /* first free window address after the image */
    uint64_t window_end;
    uint64_t quota;     /* pages */
    uint32_t placement; /* enum nx_placement */
    uint32_t reserved;
    char bootargs[1024];
};

#endif
