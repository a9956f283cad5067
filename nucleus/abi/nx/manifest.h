/* A cell's manifest in its binary form, BKDL: ELF section .nexus.manifest (its own read-only bytes of
 * the image).  docs/manifest.md has the source form, KDL, every key and every rule; nx_manifest.h the
 * check.
 *
 *      0  +-----------------------------------------------------------+
 *         | magic | name | tier placement restart ... quotas ...       |  the head, 128 bytes
 *    128  +-----------------------------------------------------------+
 *         | want 0: kind slot rights flags ... what                    |  64 bytes each
 *         :                                                           :
 *   1664  +-----------------------------------------------------------+
 *
 * Little endian; what is not used is zero.  What a cell may hold is what stands here, at its first
 * start and at every restart.  The nucleus reads the head (quota, tier, pledge, placement) and checks
 * all of it; the supervisor reads the wants and fills the slots, and heeds the placement unless the boot
 * arguments say otherwise (nexus.place).
 */
#ifndef NX_MANIFEST_H
#define NX_MANIFEST_H

#include <stdint.h>

#define NX_MANIFEST_MAGIC 0x31304c444b42584eul /* "NXBKDL01" */
#define NX_MANIFEST_WANTS 24

/* What a slot is to hold.  A channel takes three slots: the ring one receives from or sends to first,
 * the other ring, and the pool of memory that both sides share (empty when the server wants none). */
enum nx_want_kind {
    NX_WANT_NONE,
    NX_WANT_DEVMEM,  /* slot: register window of the device `what` (FDT compatible) */
    NX_WANT_IRQ,     /* slot: interrupt of the device `what` */
    NX_WANT_SERVE,   /* serves interface `what`, to client i: slot + 3 i: ring from the client,
                        slot + 3 i + 1: ring to it, slot + 3 i + 2: pool */
    NX_WANT_USE,     /* uses interface `what`: slot: ring to the server, slot + 1: ring from it,
                        slot + 2: pool */
    NX_WANT_ARCHIVE, /* slot: read-only memory with the boot bundle (root archives) */
    NX_WANT_DMA,     /* slot: pool_pages of physically contiguous memory, zeroed for every life */
    NX_WANT_KINDS
};

/* A want that cannot be met leaves its slots empty and is no reason not to start the cell. */
#define NX_WANT_OPTIONAL 1u
/* DMA: zeroed for the first life only.  The next finds what the last one left. */
#define NX_WANT_KEPT 2u

enum nx_restart { NX_RESTART_NEVER, NX_RESTART_ALWAYS, NX_RESTARTS };
enum nx_placement {
    NX_PLACE_ISOLATED, /* user mode, calls trap */
    NX_PLACE_FUSED, /* the nucleus' privilege, calls are function calls: fast, and trusted with all */
    NX_PLACEMENTS
};

/* One cell for each device of the manifest's first DEVMEM want instead of one: they are named
 * name0, name1 ..., and serve what.0, what.1 ... */
#define NX_MANIFEST_PER_DEVICE 1u

struct nx_want {
    uint32_t kind; /* enum nx_want_kind */
    uint32_t slot;
    uint32_t rights;     /* NX_R_* at most */
    uint32_t flags;      /* NX_WANT_OPTIONAL, NX_WANT_KEPT */
    uint32_t ring_slots; /* SERVE: slots of each ring (power of two) */
    uint32_t pool_pages; /* SERVE: of each channel's pool, contiguous; DMA: pages */
    uint32_t clients;    /* SERVE: channels, 1 .. NX_SERVE_CLIENTS_MAX */
    uint32_t device_id;  /* DEVMEM, IRQ of "virtio,mmio": the virtio device id; else 0 */
    char what[32];
};
#define NX_SERVE_CLIENTS_MAX 8

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
    uint32_t quota_objects; /* memories, rings and events it makes; 0: none */
    uint32_t
        heartbeat_ms; /* it beats at least this often (nexus/cell.h), or is restarted; 0: need not */
    uint64_t energy;  /* units it may use in a second: microseconds of a hart; 0: no limit */
    uint32_t flags;   /* NX_MANIFEST_PER_DEVICE */
    uint32_t want_count;
    uint8_t zero[24];
    struct nx_want want[NX_MANIFEST_WANTS];
};
_Static_assert(sizeof(struct nx_want) == 64, "nx_want layout");
_Static_assert(sizeof(struct nx_manifest) == 128 + 64 * NX_MANIFEST_WANTS, "nx_manifest layout");

/* For a cell without a manifest.kdl: it fills the structure itself. */
#define NX_MANIFEST __attribute__((section(".nexus.manifest"), used)) const struct nx_manifest

#endif
