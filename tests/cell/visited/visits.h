/* What the visitor asks of the visited: the type of a message. */
#ifndef VISITS_H
#define VISITS_H

#include <stdint.h>

enum { VISITS_ANSWER = 1, VISITS_PAGE, VISITS_CALL, VISITS_FAULT };

static inline uint64_t visits_answer(uint64_t word)
{
    return word * 0x9e3779b97f4a7c15ul + 1;
}

#endif
