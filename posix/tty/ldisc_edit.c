/* The line discipline's editing in canonical mode: erasing a character, a word, the line, and showing it. */
#include "tty/ldisc_int.h"

/* How many columns were used between the last tab, or the start of the line, and the tab that
 * was at `index` and has just been erased. */
static uint8_t tab_columns(const struct ldisc *ld, uint32_t index)
{
    uint8_t columns = 0, after_tab = 0;

    while (index != ld->line) {
        uint8_t c = ld->in[slot(--index)];

        if (c == '\t') {
            after_tab = 0x80;
            break;
        }
        if (is_cntrl(c)) {
            columns = (uint8_t)(columns + (lflag(ld, ECHOCTL) ? 2 : 0));
        } else if (!is_continuation(ld, c)) {
            columns++;
        }
    }
    return (uint8_t)((columns & 7) | after_tab);
}

/* ECHOPRT, for paper: shows erased characters between \ and /. */
static void echo_erased_on_paper(struct ldisc *ld, uint32_t at, uint32_t bytes)
{
    if (!ld->erasing) {
        ldisc_echo_raw(ld, '\\');
        ld->erasing = true;
    }
    ldisc_echo_char(ld, ld->in[slot(at)]);
    while (--bytes > 0) {
        ldisc_echo_raw(ld, ld->in[slot(++at)]);
        ldisc_echo_back_column(ld);
    }
}

static void echo_rubout(struct ldisc *ld)
{
    ldisc_echo_raw(ld, '\b');
    ldisc_echo_raw(ld, ' ');
    ldisc_echo_raw(ld, '\b');
}

/* The screen's part of erasing the character of `bytes` bytes that was at `at`. */
static void echo_erased(struct ldisc *ld, uint32_t at, uint32_t bytes, bool by_char)
{
    uint8_t c = ld->in[slot(at)];

    if (lflag(ld, ECHOPRT)) {
        echo_erased_on_paper(ld, at, bytes);
    } else if (by_char && !lflag(ld, ECHOE)) {
        ldisc_echo_char(ld, ld->t.c_cc[VERASE]);
    } else if (c == '\t') {
        ldisc_echo_erase_tab(ld, tab_columns(ld, at));
    } else {
        if (is_cntrl(c) && lflag(ld, ECHOCTL)) {
            echo_rubout(ld);
        }
        if (!is_cntrl(c) || lflag(ld, ECHOCTL)) {
            echo_rubout(ld);
        }
    }
}

/* VKILL when the screen cannot be rubbed out: the line is forgotten and a mark shown. */
static void input_kill_plain(struct ldisc *ld)
{
    ld->head = ld->line;
    if (lflag(ld, ECHO)) {
        ldisc_echo_finish_erasing(ld);
        ldisc_echo_char(ld, ld->t.c_cc[VKILL]);
        if (lflag(ld, ECHOK)) {
            ldisc_echo_raw(ld, '\n');
        }
    }
}

void ldisc_erase(struct ldisc *ld, enum ldisc_erase what)
{
    const tcflag_t rubout = ECHO | ECHOK | ECHOKE | ECHOE;
    bool in_word = false;

    if (ld->head == ld->line) {
        return;
    }
    if (what == LDISC_ERASE_LINE && (ld->t.c_lflag & rubout) != rubout) {
        input_kill_plain(ld);
        return;
    }
    while (ld->head != ld->line) {
        uint32_t at = ld->head, bytes;
        uint8_t c;

        do {
            c = ld->in[slot(--at)];
        } while (is_continuation(ld, c) && at != ld->line);
        if (is_continuation(ld, c)) {
            break; /* half a character: its start is gone */
        }
        if (what == LDISC_ERASE_WORD) {
            if (is_word(c)) {
                in_word = true;
            } else if (in_word) {
                break;
            }
        }
        bytes = ld->head - at;
        ld->head = at;
        if (lflag(ld, ECHO)) {
            echo_erased(ld, at, bytes, what == LDISC_ERASE_CHAR);
        }
        if (what == LDISC_ERASE_CHAR) {
            break;
        }
    }
    if (ld->head == ld->line && lflag(ld, ECHO)) {
        ldisc_echo_finish_erasing(ld);
    }
}

void ldisc_reprint(struct ldisc *ld)
{
    ldisc_echo_finish_erasing(ld);
    ldisc_echo_char(ld, ld->t.c_cc[VREPRINT]);
    ldisc_echo_raw(ld, '\n');
    for (uint32_t i = ld->line; i != ld->head; i++) {
        ldisc_echo_char(ld, ld->in[slot(i)]);
    }
}
