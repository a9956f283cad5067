/* A cell's manifest: ELF section .nexus.manifest (its own read-only bytes of the image).
 *
 * What a cell may hold is what stands here, at its first start and at every restart.  The nucleus
 * reads the head (quota, tier, pledge); the supervisor reads the wants and fills the slots, and heeds
 * the placement unless the boot arguments say otherwise (nexus.place).
 */
#ifndef NX_MANIFEST_H
#define NX_MANIFEST_H

#include <stdint.h>

#define NX_MANIFEST_MAGIC 0x3130464e414d584eul /* "NXMANF01" */
#define NX_MANIFEST_WANTS 24

enum nx_want_kind {
    NX_WANT_NONE,
    NX_WANT_DEVMEM,  /* slot: register window of the device `what` (FDT compatible) */
    NX_WANT_IRQ,     /* slot: interrupt of the device `what` */
    NX_WANT_SERVE,   /* slot: ring from the client, slot + 1: ring to it; serves interface `what` */
    NX_WANT_USE,     /* slot: ring to the server, slot + 1: ring from it; uses interface `what` */
    NX_WANT_ARCHIVE, /* slot: read-only memory with the boot bundle (root archives) */
};

enum nx_restart { NX_RESTART_NEVER, NX_RESTART_ALWAYS };
enum nx_placement {
    NX_PLACE_ISOLATED, /* user mode, calls trap */
    NX_PLACE_FUSED, /* the nucleus' privilege, calls are function calls: fast, and trusted with all */
};

struct nx_want {
    uint32_t kind; /* enum nx_want_kind */
    uint32_t slot;
    uint32_t rights; /* NX_R_* at most */
    uint32_t arg;    /* SERVE: slots of each ring (power of two) */
    char what[32];
};

struct nx_manifest {
    uint64_t magic;
    char name[32];
    uint32_t tier;        /* enum nx_tier of its fibers */
    uint32_t placement;   /* enum nx_placement */
    uint32_t restart;     /* enum nx_restart */
    uint32_t backoff_ms;  /* wait before a restart after repeated quick deaths */
    uint32_t pledge;      /* NX_PLEDGE_* */
    uint32_t window_gb;   /* 1..NX_WINDOW_GB_MAX */
    uint64_t quota_pages; /* 0: all memory but a reserve */
    uint32_t quota_fibers;
    uint32_t quota_spaces;
    struct nx_want want[NX_MANIFEST_WANTS];
};
_Static_assert(sizeof(struct nx_want) == 48, "nx_want layout");
_Static_assert(sizeof(struct nx_manifest) == 80 + 48 * NX_MANIFEST_WANTS, "nx_manifest layout");

#define NX_MANIFEST __attribute__((section(".nexus.manifest"), used)) const struct nx_manifest

#endif
