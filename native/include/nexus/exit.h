/* Exit codes by which a cell asks its supervisor for something: nx_exit_cell(code), seen by the
 * supervisor as NX_CELL_EXIT_CODE with NX_CELL_EXIT_WHY == NX_WHY_EXIT. */
#ifndef NEXUS_EXIT_H
#define NEXUS_EXIT_H

#define NEXUS_EXIT_POWEROFF 0x10000 /* | status 0..255: switch the machine off with this status */
#define NEXUS_EXIT_RESET 0x20000    /* start the machine anew */
#define NEXUS_EXIT_PEER \
    0x30000 /* | slot: the peer on this channel broke the ring protocol: make
                                       the channel anew and start both sides again; see
                                       native/supervisor/service.c for who is believed */

#define NEXUS_EXIT_RINGS \
    0x90000 /* | slot: it could not attach to this channel, and its peer has not mended it in time:
                                       put the rings in order for the next life */

/* Codes with which the supervisor ends a cell (NX_WHY_KILLED). */
#define NEXUS_KILL_ASKED 0x40000  /* somebody asked for it: nexus kill, restart, swap */
#define NEXUS_KILL_HUNG 0x50000   /* no heartbeat */
#define NEXUS_KILL_SILENT 0x70000 /* does not answer, says a client (nexus/control.h) */
#define NEXUS_KILL_BURNS 0x80000  /* runs and runs and never waits */
#define NEXUS_KILL_DOUBTED \
    0xa0000 /* answers with errors, says a client: no fault (nexus/control.h) */
#define NEXUS_EXIT_KIND(code) ((code) & ~0xfful)
#define NEXUS_EXIT_VALUE(code) ((code)&0xff)

#endif
