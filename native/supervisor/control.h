/* The supervisor's own service: the interface "control" (nexus/control.h). */
#ifndef SUPERVISOR_CONTROL_H
#define SUPERVISOR_CONTROL_H

#include "answer.h"
#include "command.h"
#include "service.h"

#include <nexus/bundle.h>

/* `self` is the service that stands for the supervisor; its end of the channel is in SLOT_CONTROL. */
void control_init(struct service *self, const struct bundle *b);

/* Slots to watch; true in *busy: do not sleep, there is something to do.  Then, after the wait: */
uint64_t control_prepare(bool *busy);
void control_serve(void);

/* The channel's rings are new ones: take our end of them. */
void control_renewed(void);

/* Carry out a command; `data` came after its line.  show.c has those that only tell. */
void command_run(const struct command *c, const void *data, size_t n, struct answer *a);
void show_ps(struct answer *a);
void show_top(struct answer *a);
void show_cores(struct answer *a);
void show_services(struct answer *a);
/* record.c */
void run_record(const struct command *c, struct answer *a);
void show_switches(const struct command *c, struct answer *a);
void show_beb(const struct command *c, struct answer *a);
void show_log(const struct command *c, struct answer *a);
void show_pledge(const struct service *s, struct answer *a);

#endif
