/* Interface "victim": what tests/cell/hostile may ask of tests/cell/victim.  Every request is answered
 * with the same cookie; word[0] of the answer is the result.
 */
#ifndef VICTIM_H
#define VICTIM_H

enum victim_request {
    VICTIM_ECHO = 1, /* word[0] comes back */
    VICTIM_BYTES,    /* the sum of buf_len bytes at buf_off of the shared buffer, or -NX_EINVAL */
    VICTIM_WAIT, /* answer, then watch both rings until one is found broken, and say so under the
                        name in the payload */
    VICTIM_DIE,  /* answer, then end: the next life attaches to what it finds */
};

#define VICTIM_SLOTS 16u
#define VICTIM_DIED 0xdead /* exit code of VICTIM_DIE */

#endif
