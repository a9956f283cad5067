/* What tests/cell/mutecaller may ask of tests/cell/mute. */
#ifndef TEST_MUTE_H
#define TEST_MUTE_H

#include <nx/ring.h>

#define MUTE_ASK (1 | NX_TYPE_REPEATABLE) /* word32[1] of the answer: which life says so */

#define MUTE_SILENT 2u /* so many lives answer nothing, */
#define MUTE_WRONG 3u  /* and up to this one they answer -NX_EIO */

#endif
