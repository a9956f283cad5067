/* See wait.h. */
#include "wait.h"

const struct waiting *waiting;
