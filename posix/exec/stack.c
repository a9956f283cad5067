/* The stack a program starts with.
 *
 *   sp -> argc | argv... 0 | envp... 0 | auxv... AT_NULL | (gap) | 16 random bytes |
 *         argument strings | environment strings | name of the file | 0 |  stack_top
 *
 * sp is aligned to 16, as the psABI wants it.
 */
#include "exec/exec_int.h"
#include "mem/mm_int.h"

#include <asm/errno.h>
#include <linux/auxvec.h>
#include <string.h>

#define EXTRA (32 * MB_PAGE) /* stack mapped below what is there; the rest grows */
#define RANDOM_BYTES 16u
#define HWCAP_BIT(letter) (1ul << ((letter) - 'A'))
#define HWCAP                                                                             \
    (HWCAP_BIT('I') | HWCAP_BIT('M') | HWCAP_BIT('A') | HWCAP_BIT('F') | HWCAP_BIT('D') | \
     HWCAP_BIT('C'))

/* Words on their way to the stack. */
struct words {
    struct mm_layout *layout;
    uint64_t at;
    unsigned n;
    int err;
    uint64_t word[64];
};

static void flush(struct words *w)
{
    if (w->err == 0 && w->n) {
        w->err = mb_copy_out(w->at, w->word, w->n * sizeof(w->word[0]));
    }
    w->at += w->n * sizeof(w->word[0]);
    w->n = 0;
}

static void put(struct words *w, uint64_t v)
{
    if (w->n == sizeof(w->word) / sizeof(w->word[0])) {
        flush(w);
    }
    w->word[w->n++] = v;
}

/* Also kept for /proc/<pid>/auxv. */
static void put_aux(struct words *w, uint64_t type, uint64_t v)
{
    struct mm_layout *l = w->layout;
    if (l->auxv_words + 2 <= 2 * MM_AUXV_PAIRS) {
        l->auxv[l->auxv_words++] = type;
        l->auxv[l->auxv_words++] = v;
    }
    put(w, type);
    put(w, v);
}

#define AUX_PAIRS 19

static void put_auxv(struct words *w, const struct exec *x, uint64_t random_at, uint64_t name_at)
{
    put_aux(w, AT_HWCAP, HWCAP);
    put_aux(w, AT_PAGESZ, MB_PAGE);
    put_aux(w, AT_CLKTCK, 100);
    put_aux(w, AT_PHDR, x->image.phdr ? x->image.phdr + x->bias : 0);
    put_aux(w, AT_PHENT, ELF_SEGMENT);
    put_aux(w, AT_PHNUM, x->image.phnum);
    put_aux(w, AT_BASE, x->interp_base);
    put_aux(w, AT_FLAGS, 0);
    put_aux(w, AT_ENTRY, x->image.entry + x->bias);
    put_aux(w, AT_UID, x->cred.ruid);
    put_aux(w, AT_EUID, x->cred.euid);
    put_aux(w, AT_GID, x->cred.rgid);
    put_aux(w, AT_EGID, x->cred.egid);
    put_aux(w, AT_SECURE, x->secure);
    put_aux(w, AT_RANDOM, random_at);
    put_aux(w, AT_EXECFN, name_at);
    put_aux(w, AT_MINSIGSTKSZ, 2048);
    put_aux(w, AT_SYSINFO_EHDR, mm_vdso_addr(x->mm));
    put_aux(w, AT_NULL, 0);
}

/* Pointers to n strings that lie one after the other in `text`, which is at `at` on the stack.
 * Answers where the next one is. */
static size_t put_pointers(struct words *w, uint32_t n, const char *text, uint64_t at)
{
    size_t off = 0;
    for (uint32_t i = 0; text && i < n; i++) {
        put(w, at + off);
        off += strlen(text + off) + 1;
    }
    return off;
}

/* How many of the arguments are in the head. */
static uint32_t head_count(const struct args *a)
{
    uint32_t n = 0;
    for (size_t at = a->head_at; a->head && at < ARGS_HEAD_MAX; n++) {
        at += strlen(a->head + at) + 1;
    }
    return n;
}

static int map_stack(struct exec *x, uint64_t sp)
{
    uint64_t top = x->mm->layout.stack_top, start = page_down(sp) - EXTRA;
    unsigned prot = NX_PROT_R | NX_PROT_W | (x->image.exec_stack ? NX_PROT_X : 0);
    if (!vma_range_free(x->mm, start, top)) {
        return -ENOMEM;
    }
    return mm_map_zero(x->mm, start, top, prot, VMA_GROWSDOWN | VMA_STACK);
}

static int put_strings(const struct exec *x, uint64_t head_at, uint64_t text_at, uint64_t name_at)
{
    const struct args *a = &x->args;
    size_t head = args_head_len(a);
    int err = head ? mb_copy_out(head_at, a->head + a->head_at, head) : 0;
    if (err == 0) {
        err = mb_copy_out(text_at, a->text + a->skip, a->used - a->skip);
    }
    return err < 0 ? err : mb_copy_out(name_at, x->name, strlen(x->name) + 1);
}

int exec_build_stack(struct exec *x)
{
    const struct args *a = &x->args;
    struct mm_layout *l = &x->mm->layout;
    uint64_t name_at = l->stack_top - sizeof(uint64_t) - (strlen(x->name) + 1);
    uint64_t text_at = name_at - (a->used - a->skip);
    uint64_t head_at = text_at - args_head_len(a);
    uint64_t random_at = (head_at - RANDOM_BYTES) & ~15ul;
    uint64_t count = 1 + (uint64_t)a->argc + 1 + a->envc + 1 + 2 * AUX_PAIRS;
    x->sp = (random_at - count * sizeof(uint64_t)) & ~15ul;
    int err = map_stack(x, x->sp);
    if (err == 0) {
        err = put_strings(x, head_at, text_at, name_at);
    }
    if (err < 0) {
        return -ENOMEM;
    }
    uint64_t random[RANDOM_BYTES / sizeof(uint64_t)];
    mb_random(random, sizeof(random));
    err = mb_copy_out(random_at, random, sizeof(random));

    struct words w = {.layout = l, .at = x->sp, .err = err};
    uint32_t in_head = head_count(a);
    put(&w, a->argc);
    put_pointers(&w, in_head, a->head ? a->head + a->head_at : NULL, head_at);
    size_t env = put_pointers(&w, a->argc - in_head, a->text + a->skip, text_at);
    put(&w, 0);
    put_pointers(&w, a->envc, a->text + a->env, text_at + env);
    put(&w, 0);
    put_auxv(&w, x, random_at, name_at);
    flush(&w);

    l->arg_start = head_at;
    l->arg_end = l->env_start = text_at + (a->env - a->skip);
    l->env_end = name_at;
    return w.err < 0 ? -ENOMEM : 0;
}
