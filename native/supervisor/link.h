/* Channels between cells: two rings and a pool each, made once and kept while their ends die and come
 * again (nexus/channel.h, nexus/session.h). */
#ifndef SUPERVISOR_LINK_H
#define SUPERVISOR_LINK_H

#include "service.h"

/* Make the channels that line `w` of a manifest serves.  False: there is no room or no memory. */
bool link_serve(struct service *s, const struct nx_want *w);

/* Take a free channel to who serves what line `w` uses.  False when all are taken, or there is none. */
bool link_use(struct service *s, const struct nx_want *w);

/* Fill the slots of a cell that is made and not yet started with its ends of the channels of line `w`.
 * Those of a server that no client is going to mend are made anew before. */
void link_give(const struct service *s, const struct nx_want *w);

/* Who is at the ends of the channel at `slot` of this cell; false when there is no such channel, or
 * nobody at its other end. */
bool link_ends(const struct service *s, unsigned slot, struct service **server,
               struct service **client);

/* Do the shared pages of that channel look as two honest sides leave them? */
bool link_intact(const struct service *s, unsigned slot);

/* `s`, which is dead, could not attach to that channel: put in order what is not, while its peer goes on.
 * A client that sees the damage does so itself and knows more (nexus/channel.h): so it has the first try. */
void link_mend(const struct service *s, unsigned slot);

/* Are programs behind that channel's client (interface "ring.N", nexus/bus.h)?  Which of them broke it nobody knows, and
 * the personality has no part in it. */
bool link_programs(const struct service *s, unsigned slot);

/* Make that channel's rings anew: for the next lives of both sides. */
void link_renew(const struct service *s, unsigned slot);

/* Who serves interface `what` to this client; NULL: it uses none of that name. */
struct service *link_server(const struct service *client, const char *what);

/* Call `told` for what clients have said of their servers since the last time (nexus/complaint.h); where it answers -NX_EBUSY, the
 * word waits for the next time, unless the server has another life by then.  True: words wait. */
typedef int (*link_told)(const struct service *client, struct service *server, bool silent);
bool link_words(link_told told);

/* A number that changes with every slot this cell puts into its channels or takes from them. */
uint64_t link_moved(const struct service *s);

/* The i-th channel, for who tells of them: false when there are no more.  *client is NULL when nobody
 * uses it. */
bool link_at(unsigned i, const char **what, const struct service **server,
             const struct service **client);

/* Does this cell use a console that somebody serves? */
bool link_console(const struct service *s);

/* Put a text on the console this cell uses, in its place: only while it is not running. */
void link_say(const struct service *s, const char *text);

/* Wait until the servers have done with all that clients have sent, or make no progress any more. */
void link_drain(void);

#endif
