/* For tests of the nucleus' watchdog: a supervisor that hangs when told to by the boot argument
 * `nexus.test=silence-supervisor`.  Without it this does nothing. */
#ifndef SUPERVISOR_SILENCE_H
#define SUPERVISOR_SILENCE_H

/* A cell has died.  In its first life, and told to, the supervisor hangs from the first death on. */
void silence_if_told(void);

#endif
