/*
 * Private to the line discipline: what its files share.
 */
#ifndef POSIX_TTY_LDISC_INT_H
#define POSIX_TTY_LDISC_INT_H

#include "tty/ldisc.h"

#define DISABLED 0 /* a c_cc entry that is off; as a queued end of line: end of file */

static inline bool iflag(const struct ldisc *ld, tcflag_t f)
{
    return (ld->t.c_iflag & f) != 0;
}
static inline bool oflag(const struct ldisc *ld, tcflag_t f)
{
    return (ld->t.c_oflag & f) != 0;
}
static inline bool lflag(const struct ldisc *ld, tcflag_t f)
{
    return (ld->t.c_lflag & f) != 0;
}

/* Character classes are those of Latin-1 (Linux). */
static inline bool is_upper(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7);
}

static inline bool is_lower(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 0xdf && c != 0xf7);
}

static inline bool is_word(uint8_t c)
{
    return is_upper(c) || is_lower(c) || (c >= '0' && c <= '9') || c == '_';
}

static inline bool is_cntrl(uint8_t c)
{
    return c < 0x20 || c == 0x7f;
}

/* A byte inside a UTF-8 character: takes no column of its own, is erased with its first byte. */
static inline bool is_continuation(const struct ldisc *ld, uint8_t c)
{
    return iflag(ld, IUTF8) && (c & 0xc0) == 0x80;
}

/* Is c this control character? A control character set to 0 is switched off. */
static inline bool is_cc(const struct ldisc *ld, unsigned which, uint8_t c)
{
    return c != DISABLED && ld->t.c_cc[which] == c;
}

static inline bool bit_get(const uint8_t *map, uint32_t i)
{
    return (map[i / 8] >> (i % 8)) & 1;
}

static inline void bit_set(uint8_t *map, uint32_t i)
{
    map[i / 8] = (uint8_t)(map[i / 8] | 1u << (i % 8));
}

static inline void bit_clear(uint8_t *map, uint32_t i)
{
    map[i / 8] = (uint8_t)(map[i / 8] & ~(1u << (i % 8)));
}

static inline uint32_t slot(uint32_t index)
{
    return index & (LDISC_QUEUE - 1);
}

static inline size_t ldisc_queued(const struct ldisc *ld)
{
    return ld->head - ld->tail;
}

/* ldisc_flow.c */
void ldisc_output_start(struct ldisc *ld); /* unless a call stopped it */
void ldisc_start_by_any(struct ldisc *ld); /* IXANY: anything typed restarts output */
/* Tells the sender to stop before the queue overflows, and to go on when it is nearly empty. */
void ldisc_check_throttle(struct ldisc *ld);
void ldisc_queue_reset(struct ldisc *ld); /* forget all input */

/* ldisc_edit.c */
enum ldisc_erase { LDISC_ERASE_CHAR, LDISC_ERASE_WORD, LDISC_ERASE_LINE };
void ldisc_erase(struct ldisc *ld, enum ldisc_erase what);
void ldisc_reprint(struct ldisc *ld);

/* The echo queue, in ldisc_out.c. Entries reach the screen with the next ldisc_pump. */
void ldisc_echo_raw(struct ldisc *ld, uint8_t c);   /* as it is */
void ldisc_echo_char(struct ldisc *ld, uint8_t c);  /* control characters as ^C, under ECHOCTL */
void ldisc_echo_typed(struct ldisc *ld, uint8_t c); /* the same, for a byte that joins the line */
void ldisc_echo_back_column(struct ldisc *ld);      /* the byte before took no column */
/* The tab erased last: columns used since the tab before it (then bit 7 is set) or since the start
 * of the line. */
void ldisc_echo_erase_tab(struct ldisc *ld, uint8_t columns);
void ldisc_echo_finish_erasing(struct ldisc *ld); /* ends an ECHOPRT group */

#endif
