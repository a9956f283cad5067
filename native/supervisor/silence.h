/* For tests of the nucleus' watchdog: a supervisor that hangs when told to by the boot argument
 * `nexus.test=silence-supervisor`. Without it this does nothing. */
#ifndef SUPERVISOR_SILENCE_H
#define SUPERVISOR_SILENCE_H

#include <nx/types.h>

/* A cell's death was signalled. In its first life, and told to, the supervisor hangs from now on. */
void silence_if_told(const struct nx_cellinfo *info);

#endif
