/* Interface "fall": requests of a session (nexus/session.h), without arguments. */
#ifndef FALL_H
#define FALL_H

#include <nx/ring.h>

#define FALL_ECHO (1u | NX_TYPE_REPEATABLE) /* is answered */
#define FALL_NOW 2u                         /* the server crashes */

#endif
