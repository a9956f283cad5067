/* Address spaces against a model: thousands of random operations over several spaces and the window,
 * with pages touched from four harts, and with memory that runs out at random moments.
 *
 * The model knows the pages at three places of each space (around borders of 2 MiB and 1 GiB); ranges
 * may reach over everything between them.  It follows the rules, not the code: a page is a hole,
 * demand-zero, or a page with a content, an access and whether it is shared, sealed or copied when
 * written.  NX_SEED=n in the environment repeats a run.
 */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "audit.h"

#define BLOCKS 3
#define N 1088u /* pages of a block: a whole 2 MiB and something on both sides */
#define SPACES 4
#define WINDOW SPACES /* number of the window among the model's spaces */
#define W_PAGES 64u
#define W_BASE (NX_FREE + 16 * PAGE)
#define STATE NX_FREE
#define MEM_PAGES 16u
#define QUOTA 3000u

enum kind { HOLE, ZERO, PRESENT };

/* The content of a page. */
struct content {
    uint64_t pa, value;
    unsigned users;
};

struct mpage {
    uint8_t kind, prot;
    bool shared, sealed, cow;
    struct content *is;
};

struct mspace {
    uint64_t handle;
    struct mpage page[BLOCKS * N];
};

static struct cell *cell;
static struct mspace model[SPACES + 1];
static struct content mem[2][MEM_PAGES]; /* slots 10 (all rights) and 11 (read only) */
static unsigned bound[4]; /* model space the fiber of each hart is bound to; WINDOW: none */
static struct rng rng;
static uint64_t next_value = 1000;

/* ---- where the model's pages are ---- */
static unsigned pages_of(unsigned s)
{
    return s == WINDOW ? W_PAGES : BLOCKS * N;
}

static uint64_t va_of(unsigned s, unsigned i)
{
    static const uint64_t base[BLOCKS] = {GIB - N / 2 * PAGE, 3 * GIB + 2 * MIB - 32 * PAGE,
                                          5 * GIB - N / 2 * PAGE};
    return s == WINDOW ? W_BASE + i * PAGE : base[i / N] + i % N * PAGE;
}

/* First page of the model at or above va. */
static unsigned index_of(unsigned s, uint64_t va)
{
    unsigned i = 0;
    while (i < pages_of(s) && va_of(s, i) < va) {
        i++;
    }
    return i;
}

static struct space *real(unsigned s)
{
    return space_get(cell, model[s].handle);
}

/* ---- the model's rules ---- */
static uint8_t norm(unsigned prot)
{
    return (uint8_t)((prot & NX_PROT_W) != 0 ? prot | NX_PROT_R : prot);
}

static void drop(struct mpage *p)
{
    if (p->kind == PRESENT && --p->is->users == 0) {
        free(p->is);
    }
    *p = (struct mpage){0};
}

static void put(struct mpage *p, struct mpage new)
{
    if (new.kind == PRESENT) {
        new.is->users++;
    }
    drop(p);
    *p = new;
}

static struct content *content_new(uint64_t value)
{
    struct content *c = calloc(1, sizeof(*c));
    c->value = value;
    return c;
}

/* May user code do this; and what comes of it.  *pa is filled in from the real table afterwards. */
static bool touch(struct mpage *p, unsigned access)
{
    if (p->kind == HOLE || (p->prot & access) == 0) {
        return false;
    }
    if (p->kind == ZERO) {
        put(p, (struct mpage){.kind = PRESENT, .prot = p->prot, .is = content_new(0)});
    } else if (access == NX_PROT_W && p->cow) {
        if (p->is->users != 1) {
            struct mpage copy = *p;
            copy.is = content_new(p->is->value);
            put(p, copy);
        }
        p->cow = false;
    }
    return true;
}

static bool can_read(const struct mpage *p)
{
    return p->kind == PRESENT && (p->prot & NX_PROT_R) != 0;
}

static bool can_write_now(const struct mpage *p)
{
    return p->kind == PRESENT && (p->prot & NX_PROT_W) != 0 && !p->cow;
}

static struct mpage as_shared(const struct mpage *w, uint64_t prot_flags)
{
    struct mpage p = {.kind = PRESENT, .prot = norm(prot_flags & 7), .is = w->is};
    if ((prot_flags & NX_MAP_PRIVATE) != 0) {
        p.cow = (p.prot & NX_PROT_W) != 0;
    } else {
        p.shared = true;
        p.sealed = !can_write_now(w) && !(w->shared && !w->sealed);
    }
    return p;
}

/* ---- comparing ---- */
static pte_t entry(const struct space *s, uint64_t va)
{
    const pte_t *t = arch_phys(s->root[ROOT_HOST]);
    for (unsigned level = ARCH_PT_LEVELS - 1;; level--) {
        pte_t p = t[LEVEL_INDEX(va, level)];
        if (level == 0 || !pte_valid(p)) {
            return p;
        }
        t = table_at(p);
    }
}

static bool same(const struct mpage *m, pte_t p)
{
    switch (m->kind) {
    case HOLE:
        return p == 0;
    case ZERO:
        return pte_is_zero(p) && pte_prot(p) == m->prot;
    default:
        return pte_has_page(p) && pte_pa(p) == m->is->pa && ((p & PTE_SHARED) != 0) == m->shared &&
               pte_is_sealed(p) == m->sealed && ((p & PTE_SEALED) == PTE_COW) == m->cow &&
               (pte_prot(p) | (m->cow ? NX_PROT_W : 0)) == m->prot &&
               pte_valid(p) == (m->prot != 0);
    }
}

static void compare_page(unsigned s, unsigned i)
{
    pte_t p = entry(real(s), va_of(s, i));
    const struct mpage *m = &model[s].page[i];
    if (!same(m, p)) {
        fail_msg("space %u page %u (%#lx): entry %#lx, model kind %u prot %u%s%s%s pa %#lx", s, i,
                 (unsigned long)va_of(s, i), (unsigned long)p, m->kind, m->prot,
                 m->shared ? " shared" : "", m->sealed ? " sealed" : "", m->cow ? " cow" : "",
                 m->kind == PRESENT ? (unsigned long)m->is->pa : 0);
    }
    if (m->kind == PRESENT) {
        const uint64_t *word = arch_phys(m->is->pa);
        assert_int_equal(word[0], m->is->value);
        assert_int_equal(word[511], m->is->value);
    }
}

static void compare(unsigned s)
{
    uint64_t resident = 0;
    for (unsigned i = 0; i < pages_of(s); i++) {
        compare_page(s, i);
        resident += model[s].page[i].kind == PRESENT;
    }
    if (s != WINDOW) {
        assert_int_equal(real(s)->resident, resident);
    }
}

/* ---- memory that runs out ---- */
static bool tight;

static void maybe_tight(void)
{
    tight = rng_below(&rng, 6) == 0;
    if (tight) {
        cell->quota->limit = cell->quota->used + rng_below(&rng, 4) * PAGE;
    }
}

static void relax(void)
{
    cell->quota->limit = QUOTA * PAGE;
}

static bool short_of_memory(void)
{
    return tight || cell->quota->used > (QUOTA - 16) * PAGE;
}

/* After an operation that failed half way: page by page it happened or it did not (or left a hole
 * where it replaces something); the model takes over what is there. */
static void settle(unsigned s, unsigned i, const struct mpage *after)
{
    pte_t p = entry(real(s), va_of(s, i));
    struct mpage *m = &model[s].page[i];
    static const struct mpage hole;
    if (same(m, p)) {
        return;
    }
    put(m, after != NULL && same(after, p) ? *after : hole);
    compare_page(s, i);
}

/* ---- ranges ---- */
struct span {
    uint64_t va, len;
    unsigned first, end; /* pages of the model in it */
};

static struct span range_of(unsigned s, uint64_t va, uint64_t len)
{
    return (struct span){va, len, index_of(s, va), index_of(s, va + len)};
}

static struct span pick_range(unsigned s)
{
    if (s == WINDOW) {
        unsigned i = (unsigned)rng_below(&rng, W_PAGES);
        return range_of(s, va_of(s, i), (1 + rng_below(&rng, W_PAGES - i)) * PAGE);
    }
    unsigned i = (unsigned)rng_below(&rng, BLOCKS * N);
    uint64_t va = va_of(s, i);
    switch (rng_below(&rng, 8)) {
    case 0: { /* a whole gigabyte, or several */
        uint64_t from = rng_below(&rng, 4) * GIB;
        uint64_t len = (1 + rng_below(&rng, 3)) * GIB;
        return from == 0 ? range_of(s, PAGE, len - PAGE) : range_of(s, from, len);
    }
    case 1:
    case 2: /* whole tables */
        return range_of(s, va & ~(2 * MIB - 1), (1 + rng_below(&rng, 2)) * 2 * MIB);
    case 3: { /* from one place to another */
        uint64_t to = va_of(s, (unsigned)rng_below(&rng, BLOCKS * N));
        return range_of(s, NX_MIN(va, to), NX_MAX(va, to) - NX_MIN(va, to) + PAGE);
    }
    case 4:
        return range_of(s, va, (1 + rng_below(&rng, N)) * PAGE);
    default:
        return range_of(s, va, (1 + rng_below(&rng, 24)) * PAGE);
    }
}

static unsigned pick_prot(void)
{
    return rng_below(&rng, 3) != 0 ? RW : (unsigned)rng_below(&rng, 8);
}

/* ---- operations; each ends with model and nucleus agreeing ---- */
static void op_anon(unsigned s)
{
    struct span r = pick_range(s);
    unsigned prot = pick_prot();
    const struct mpage zero = {.kind = ZERO, .prot = norm(prot)};
    maybe_tight();
    long e = nx_map_anon(model[s].handle, r.va, r.len, prot);
    assert_true(e == 0 || (e == -NX_ENOMEM && short_of_memory()));
    relax();
    for (unsigned i = r.first; i < r.end; i++) {
        if (e == 0) {
            put(&model[s].page[i], zero);
        } else {
            settle(s, i, &zero);
        }
    }
}

static void op_unmap(unsigned s)
{
    struct span r = pick_range(s);
    maybe_tight();
    long e = nx_map_unmap(model[s].handle, r.va, r.len);
    assert_true(e == 0 || (e == -NX_ENOMEM && short_of_memory()));
    relax();
    for (unsigned i = r.first; i < r.end && e == 0; i++) { /* all or nothing */
        drop(&model[s].page[i]);
    }
}

static struct mpage protected(struct mpage p, unsigned prot)
{
    if (p.kind != HOLE) {
        p.prot = norm(prot);
    }
    if (p.kind == PRESENT && !p.shared) {
        p.cow = (prot & NX_PROT_W) != 0;
    }
    return p;
}

static void op_protect(unsigned s)
{
    struct span r = pick_range(s);
    unsigned prot = pick_prot();
    maybe_tight();
    long e = nx_map_protect(model[s].handle, r.va, r.len, prot);
    assert_true(e == 0 || e == -NX_EPERM || (e == -NX_ENOMEM && short_of_memory()));
    relax();
    bool stopped = false;
    for (unsigned i = r.first; i < r.end; i++) {
        struct mpage *m = &model[s].page[i], after = protected(*m, prot);
        if (e == -NX_ENOMEM) {
            settle(s, i, &after);
            continue;
        }
        stopped |= m->kind == PRESENT && m->sealed && (prot & NX_PROT_W) != 0;
        if (!stopped) {
            *m = after;
        }
    }
    assert_int_equal(e == -NX_EPERM, stopped);
}

static void op_share(unsigned s)
{
    unsigned src = (unsigned)rng_below(&rng, W_PAGES);
    unsigned n = 1 + (unsigned)rng_below(&rng, NX_MIN(W_PAGES - src, 16u));
    uint64_t flags = pick_prot() | rng_below(&rng, 2) * NX_MAP_PRIVATE;
    unsigned to = (unsigned)rng_below(&rng, s == WINDOW ? W_PAGES - n + 1 : N - n + 1);
    to += s == WINDOW ? 0 : N * (unsigned)rng_below(&rng, BLOCKS);
    maybe_tight();
    long e = nx_map_share(model[s].handle, va_of(s, to), n * PAGE, flags, va_of(WINDOW, src));
    relax();
    long count = 0;
    for (unsigned i = 0; i < n; i++) {
        const struct mpage *w = &model[WINDOW].page[src + i];
        bool write = (flags & NX_PROT_W) != 0 && (flags & NX_MAP_PRIVATE) == 0;
        if (!can_read(w) || (write && !can_write_now(w))) {
            continue;
        }
        struct mpage after = as_shared(w, flags);
        if (e >= 0) {
            put(&model[s].page[to + i], after);
            count++;
        } else {
            settle(s, to + i, &after);
        }
    }
    assert_true(e == count || (e == -NX_ENOMEM && short_of_memory()));
}

static void op_mem(unsigned s)
{
    unsigned which = (unsigned)rng_below(&rng, 2);
    unsigned off = (unsigned)rng_below(&rng, MEM_PAGES);
    unsigned n = 1 + (unsigned)rng_below(&rng, MEM_PAGES - off);
    unsigned prot = which == 1 ? (unsigned)rng_below(&rng, 2) * 4 + NX_PROT_R : pick_prot();
    unsigned to = (unsigned)rng_below(&rng, s == WINDOW ? W_PAGES - n + 1 : N - n + 1);
    maybe_tight();
    long e =
        nx_map_mem(model[s].handle, va_of(s, to), n * PAGE, (10 + which) | prot << 8, off * PAGE);
    assert_true(e == 0 || (e == -NX_ENOMEM && short_of_memory()));
    relax();
    for (unsigned i = 0; i < n; i++) {
        struct mpage after = {.kind = PRESENT,
                              .prot = norm(prot),
                              .shared = true,
                              .sealed = which == 1,
                              .is = &mem[which][off + i]};
        if (e == 0) {
            put(&model[s].page[to + i], after);
        } else {
            settle(s, to + i, &after);
        }
    }
}

static void op_clone(unsigned dst, unsigned src)
{
    if (rng_below(&rng, 8) != 0) {
        assert_int_equal(nx_map_unmap(model[dst].handle, PAGE, 8 * GIB - PAGE), 0);
        for (unsigned i = 0; i < pages_of(dst); i++) {
            drop(&model[dst].page[i]);
        }
    }
    bool empty = real(dst)->resident == 0;
    maybe_tight();
    long e = nx_map_clone(model[dst].handle, model[src].handle);
    relax();
    assert_int_equal(e == -NX_EINVAL, !empty);
    assert_true(!empty || e == 0 || (e == -NX_ENOMEM && short_of_memory()));
    for (unsigned i = 0; i < pages_of(src) && empty; i++) {
        struct mpage *m = &model[src].page[i], after = *m;
        if (m->kind == PRESENT && !m->shared && can_write_now(m)) {
            after.cow = true;
        }
        if (e == 0) {
            m->cow = after.cow;
            put(&model[dst].page[i], after);
        } else {
            settle(dst, i, &after);
            if (!same(m, entry(real(src), va_of(src, i)))) {
                m->cow = after.cow;
            }
            compare_page(src, i); /* the source says what it said */
        }
    }
}

static void op_move(unsigned s)
{
    unsigned per = s == WINDOW ? W_PAGES : N;
    unsigned n = 1 + (unsigned)rng_below(&rng, rng_below(&rng, 4) == 0 ? per / 2 : 16);
    unsigned from = (unsigned)rng_below(&rng, per - n + 1);
    unsigned to = (unsigned)rng_below(&rng, per - n + 1);
    if (s != WINDOW) {
        from += N * (unsigned)rng_below(&rng, BLOCKS);
        to += N * (unsigned)rng_below(&rng, BLOCKS);
    }
    maybe_tight();
    long e = nx_map_move(model[s].handle, va_of(s, from), n * PAGE, va_of(s, to));
    relax();
    bool overlap = from < to + n && to < from + n;
    assert_int_equal(e == -NX_EINVAL, overlap);
    assert_true(overlap || e == 0 || (e == -NX_ENOMEM && short_of_memory()));
    for (unsigned i = 0; i < n && !overlap; i++) {
        if (e != 0) {
            settle(s, to + i, NULL);
            compare_page(s, from + i);
            continue;
        }
        put(&model[s].page[to + i], model[s].page[from + i]);
        drop(&model[s].page[from + i]);
    }
}

static void op_renew(unsigned s)
{
    long e = nx_revoke_space(model[s].handle);
    bool in_use = bound[0] == s || bound[1] == s || bound[2] == s || bound[3] == s;
    assert_int_equal(e, in_use ? -NX_EBUSY : 0);
    if (e == 0) {
        for (unsigned i = 0; i < pages_of(s); i++) {
            drop(&model[s].page[i]);
        }
        long made = nx_make_space();
        assert_true(made > 0);
        model[s].handle = (uint64_t)made;
    }
}

/* What user code may find, and writes, at a page. */
static void after_touch(unsigned s, unsigned i, uint64_t *word, unsigned access)
{
    struct mpage *m = &model[s].page[i];
    assert_true(touch(m, access));
    m->is->pa = pte_pa(entry(real(s), va_of(s, i)));
    assert_ptr_equal(arch_phys(m->is->pa), word);
    assert_int_equal(word[0], m->is->value);
    assert_int_equal(word[511], m->is->value);
    if (access == NX_PROT_W) {
        word[0] = word[511] = m->is->value = next_value++;
    }
    compare_page(s, i);
}

static bool allowed(unsigned s, unsigned i, unsigned access)
{
    const struct mpage *m = &model[s].page[i];
    return m->kind != HOLE && (m->prot & access) != 0;
}

/* A foreign program on hart h. */
static void user(unsigned h, unsigned s, unsigned i)
{
    unsigned access = 1u << rng_below(&rng, 3);
    hart(h);
    bool ok = allowed(s, i, access);
    uint64_t *word = host_access(va_of(s, i), access);
    if (word != NULL) {
        assert_true(ok);
        after_touch(s, i, word, access);
        return;
    }
    uint64_t why = harts[h].fiber->reg[10];
    assert_null(harts[h].foreign);
    assert_int_equal(harts[h].fiber->state->addr, va_of(s, i));
    assert_true(ok ? why == NX_LEAVE_NOMEM : why == NX_LEAVE_FAULT);
    compare_page(s, i);
    assert_int_equal(nx_enter_run(), HOST_SWITCHED);
}

/* The cell itself, which may not be refused. */
static void native(void)
{
    unsigned i = (unsigned)rng_below(&rng, W_PAGES), access = 1u << rng_below(&rng, 3);
    hart(0);
    if (allowed(WINDOW, i, access)) {
        after_touch(WINDOW, i, host_access(va_of(WINDOW, i), access), access);
    }
}

static void op_fault(unsigned s)
{
    unsigned i = (unsigned)rng_below(&rng, pages_of(s));
    unsigned access = rng_below(&rng, 2) != 0 ? NX_PROT_W : NX_PROT_R;
    bool ok = allowed(s, i, access);
    maybe_tight();
    long e = nx_map_fault(model[s].handle, va_of(s, i) + rng_below(&rng, PAGE), access >> 1);
    relax();
    assert_true(ok ? e == 0 || (e == -NX_ENOMEM && short_of_memory()) : e == -NX_ENOENT);
    if (e == 0) {
        after_touch(s, i, arch_phys(pte_pa(entry(real(s), va_of(s, i)))), access);
    }
}

static void rebind(unsigned h)
{
    hart(h);
    host_foreign_call();
    bound[h] = (unsigned)rng_below(&rng, SPACES);
    assert_int_equal(nx_enter_bind(model[bound[h]].handle, STATE + h * NX_STATE_SIZE), 0);
    assert_int_equal(nx_enter_run(), HOST_SWITCHED);
}

/* The cell's own fiber sees its window through the roots of all its spaces. */
static void rebind_native(void)
{
    bound[0] = (unsigned)rng_below(&rng, SPACES + 1);
    assert_int_equal(nx_enter_bind(bound[0] == WINDOW ? 0 : model[bound[0]].handle, STATE), 0);
}

static void step(void)
{
    unsigned s = (unsigned)rng_below(&rng, SPACES + 1);
    unsigned f = (unsigned)rng_below(&rng, SPACES);
    hart(0);
    switch (rng_below(&rng, 16)) {
    case 0:
    case 1:
        op_anon(s);
        break;
    case 2:
        op_unmap(s);
        break;
    case 3:
    case 4:
        op_protect(s);
        break;
    case 5:
        op_share(s);
        break;
    case 6:
        op_mem(s);
        break;
    case 7:
        op_clone(f, (f + 1 + (unsigned)rng_below(&rng, SPACES - 1)) % SPACES);
        break;
    case 8:
        op_move(s);
        break;
    case 9:
        op_fault(s);
        break;
    case 10:
        op_renew(f);
        break;
    case 11:
        rebind(1 + (unsigned)rng_below(&rng, 3));
        break;
    case 12:
        rebind_native();
        break;
    default:
        break;
    }
    for (unsigned n = 0; n < 12; n++) {
        native();
        unsigned h = 1 + (unsigned)rng_below(&rng, 3);
        /* Some pages again and again, so that translations are there to go stale. */
        unsigned i =
            n < 6 ? (unsigned)rng_below(&rng, BLOCKS) * N + 530 + (unsigned)rng_below(&rng, 28)
                  : (unsigned)rng_below(&rng, BLOCKS * N);
        user(h, bound[h], i);
    }
}

static void start(uint64_t seed, unsigned asids, uint32_t placement)
{
    rng = (struct rng){seed * 2 + 1};
    host.asids = asids;
    struct nx_manifest m = test_manifest("p");
    m.quota_pages = QUOTA;
    m.placement = placement;
    cell = test_cell_with(&m);
    assert_non_null(run(0));
    assert_int_equal(nx_make_mem(10, MEM_PAGES, 0), 0);
    assert_int_equal(nx_make_mem(11, MEM_PAGES, NX_MEM_CONTIG), 0);
    for (unsigned k = 0; k < 2; k++) {
        for (unsigned i = 0; i < MEM_PAGES; i++) {
            mem[k][i] = (struct content){
                .pa = (uint64_t)nx_meta_phys(10 + k, i * PAGE),
                .users = 1,
            };
        }
    }
    assert_int_equal(nx_mask_rights(11, NX_R_READ | NX_R_EXEC), 0);
    memset(model, 0, sizeof(model));
    bound[0] = WINDOW;
    for (unsigned i = 0; i < W_PAGES; i++) {
        model[WINDOW].page[i] = (struct mpage){.kind = ZERO, .prot = RW};
    }
    assert_int_equal(nx_map_anon(0, W_BASE, W_PAGES * PAGE, RW), 0);
    for (unsigned s = 0; s < SPACES; s++) {
        long made = nx_make_space();
        assert_true(made > 0);
        model[s].handle = (uint64_t)made;
    }
    for (unsigned h = 1; h < 4; h++) {
        hart(0);
        assert_true(nx_spawn_fiber(NX_IMAGE, 0, 0, NX_TIER_MATTER) > 0);
        assert_non_null(run(h));
        bound[h] = h;
        assert_int_equal(nx_enter_bind(model[h].handle, STATE + h * NX_STATE_SIZE), 0);
        assert_int_equal(nx_enter_run(), HOST_SWITCHED);
    }
}

static void finish(void)
{
    for (unsigned s = 0; s <= SPACES; s++) {
        compare(s);
        for (unsigned i = 0; i < pages_of(s); i++) {
            drop(&model[s].page[i]);
        }
    }
    for (unsigned k = 0; k < 2; k++) {
        for (unsigned i = 0; i < MEM_PAGES; i++) {
            assert_int_equal(mem[k][i].users, 1);
        }
    }
    test_end(cell);
}

static void random_operations(uint64_t usual_seed, unsigned asids, uint32_t placement,
                              unsigned steps)
{
    struct rng r = rng_seed(usual_seed);
    start(r.s, asids, placement);
    for (unsigned n = 0; n < steps; n++) {
        step();
        compare(n % (SPACES + 1));
        audit_tlb();
        if (n % 64 == 0) {
            audit();
        }
    }
    finish();
    host.asids = 1u << 16;
}

static void spaces_agree_with_the_model(void **state)
{
    random_operations(1, 1u << 16, NX_PLACE_ISOLATED, 12000);
}

static void also_with_few_address_space_numbers(void **state)
{
    random_operations(2, 12, NX_PLACE_ISOLATED, 5000);
}

static void also_without_address_space_numbers(void **state)
{
    random_operations(3, 1, NX_PLACE_ISOLATED, 5000);
}

static void of_a_fused_cell(void **state)
{
    random_operations(4, 1u << 16, NX_PLACE_FUSED, 6000);
}

static void of_a_fused_cell_without_numbers(void **state)
{
    random_operations(5, 1, NX_PLACE_FUSED, 3000);
}

int main(void)
{
    test_boot(4, 24 * MIB);
    const struct CMUnitTest tests[] = {
        TEST(spaces_agree_with_the_model),        TEST(also_with_few_address_space_numbers),
        TEST(also_without_address_space_numbers), TEST(of_a_fused_cell),
        TEST(of_a_fused_cell_without_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
