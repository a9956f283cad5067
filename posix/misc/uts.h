/* The names of the system: what uname tells. */
#ifndef POSIX_UTS_H
#define POSIX_UTS_H

#define UTS_SIZE 65

enum uts_field { UTS_SYSTEM, UTS_NODE, UTS_RELEASE, UTS_VERSION, UTS_MACHINE, UTS_DOMAIN };
char *uname_text(enum uts_field field); /* UTS_SIZE bytes, NUL-terminated */

#endif
