/* What tests/posix/busring.c may ask of tests/cell/ringbad: each is a way to be a bad server. */
#ifndef TEST_RINGBAD_H
#define TEST_RINGBAD_H

#define BAD_OK \
    (1 | 0x8000) /* word32[1] of the answer: this life's generation; word[1]: what was asked */
#define BAD_TWICE (2 | 0x8000) /* answered twice */
#define BAD_LATE (3 | 0x8000)  /* answered after word[0] milliseconds */
#define BAD_COOKIE \
    (4 | 0x8000) /* answered to another cookie, with another type, as an event; and then well */
#define BAD_DIE (5 | 0x8000)  /* dies in generation word[0], else answers as OK */
#define BAD_DIE_ONCE 6        /* the same, and is not to be repeated */
#define BAD_KEEP (7 | 0x8000) /* never answered */
#define BAD_BREAK \
    (8 | 0x8000) /* in generation word[0]: writes impossible indices and dies; else as OK */

#endif
