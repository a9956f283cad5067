/*
 * execve's strings and the stack a program starts with.
 * test-sources: posix/exec/args.c posix/exec/stack.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/auxvec.h>
#include <stdlib.h>
#include <string.h>

#include "exec/exec_int.h"
#include "mem/mm_int.h"
#include "task.h"

#define VDSO 0x3ffff7e000ul

uint64_t mm_vdso_addr(const struct mm *m)
{
    return VDSO;
}

/* ---- program memory: one range, the rest is not there ---- */

#define MEM 0x100000ul
#define MEM_SIZE 0x900000ul
static uint8_t *memory;
static unsigned countdown; /* the n-th allocation fails */
static int64_t blocks;

static bool inside(uint64_t a, size_t n)
{
    return a >= MEM && n <= MEM_SIZE && a - MEM <= MEM_SIZE - n;
}

int mb_copy_in(void *dst, uint64_t src, size_t n)
{
    if (!inside(src, n)) {
        return -EFAULT;
    }
    memcpy(dst, memory + (src - MEM), n);
    return 0;
}

int mb_copy_out(uint64_t dst, const void *src, size_t n)
{
    if (!inside(dst, n)) {
        return -EFAULT;
    }
    memcpy(memory + (dst - MEM), src, n);
    return 0;
}

long mb_str_in(char *dst, uint64_t src, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (mb_copy_in(dst + i, src + i, 1) < 0) {
            return -EFAULT;
        }
        if (dst[i] == 0) {
            return (long)i;
        }
    }
    return -ENAMETOOLONG;
}

void *mb_alloc(size_t n)
{
    if (countdown > 0 && --countdown == 0) {
        return NULL;
    }
    blocks++;
    return malloc(n ? n : 1);
}

void mb_free(void *p)
{
    blocks -= p != NULL;
    free(p);
}

void mb_random(void *buf, size_t n)
{
    memset(buf, 0x77, n);
}

static uint64_t stack_limit = 8ul << 20;
uint64_t rlimit_soft(unsigned what)
{
    return stack_limit;
}

static uint64_t mapped_from;
bool vma_range_free(const struct mm *mm, uint64_t start, uint64_t end)
{
    return true;
}
int mm_map_zero(struct mm *mm, uint64_t start, uint64_t end, unsigned prot, unsigned flags)
{
    assert_int_equal(start % MB_PAGE, 0);
    assert_int_equal(end, mm->layout.stack_top);
    mapped_from = start;
    return 0;
}

static int set_up(void **state)
{
    memory = calloc(1, MEM_SIZE);
    stack_limit = 8ul << 20;
    return memory == NULL;
}

static int tear_down(void **state)
{
    free(memory);
    return blocks != 0;
}

/* ---- putting arrays of strings into program memory ---- */

static uint64_t put_at;

static uint64_t put_string(const char *s)
{
    uint64_t at = put_at;
    mb_copy_out(at, s, strlen(s) + 1);
    put_at += strlen(s) + 1;
    return at;
}

static uint64_t put_array(uint64_t at, const char *const list[])
{
    uint64_t start = at;
    for (; *list; list++, at += 8) {
        uint64_t p = put_string(*list);
        mb_copy_out(at, &p, 8);
    }
    uint64_t end = 0;
    mb_copy_out(at, &end, 8);
    return start;
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static int copy(struct args *a, const char *const argv[], const char *const envp[])
{
    put_at = MEM + 0x80000 + 3;
    uint64_t av = put_array(MEM + 0x1000 - 16, argv); /* across the end of a page */
    uint64_t ev = put_array(MEM + 0x40000, envp);
    return args_copy(a, av, ev);
}

static void joins(const struct args *a, const char *argv, size_t argv_len, const char *env,
                  size_t env_len)
{
    size_t head = args_head_len(a), text = a->env - a->skip;
    assert_int_equal(head + text, argv_len);
    if (head) {
        assert_memory_equal(a->head + a->head_at, argv, head);
    }
    assert_memory_equal(a->text + a->skip, argv + head, text);
    assert_int_equal(a->used - a->env, env_len);
    assert_memory_equal(a->text + a->env, env, env_len);
}

#define JOINS(a, argv, env) joins(a, argv, sizeof(argv), env, sizeof(env))

static void copies(void **state)
{
    struct args a;
    assert_int_equal(copy(&a, LIST("ls", "-l", "", "x"), LIST("A=1", "B=")), 0);
    assert_int_equal(a.argc, 4);
    assert_int_equal(a.envc, 2);
    JOINS(&a, "ls\0-l\0\0x", "A=1\0B=");
    args_free(&a);
    /* No arguments at all: one empty name. */
    assert_int_equal(args_copy(&a, 0, 0), 0);
    assert_int_equal(a.argc, 1);
    assert_int_equal(a.envc, 0);
    assert_int_equal(a.env - a.skip, 1);
    assert_int_equal(a.text[a.skip], 0);
    args_free(&a);
    assert_int_equal(args_copy_kernel(&a, LIST("init", "s"), LIST("HOME=/")), 0);
    JOINS(&a, "init\0s", "HOME=/");
    args_free(&a);
}

static void scripts(void **state)
{
    struct args a;
    assert_int_equal(copy(&a, LIST("name", "x", "y"), LIST("A=1")), 0);
    assert_int_equal(args_script(&a, "/bin/awk", "-f", "/tmp/script"), 0);
    assert_int_equal(a.argc, 5);
    JOINS(&a, "/bin/awk\0-f\0/tmp/script\0x\0y", "A=1");
    /* Its interpreter is a script too; the name it is told is in our own buffer. */
    assert_int_equal(args_script(&a, "/bin/sh", NULL, a.head + a.head_at), 0);
    assert_int_equal(a.argc, 6);
    JOINS(&a, "/bin/sh\0/bin/awk\0-f\0/tmp/script\0x\0y", "A=1");
    args_free(&a);
}

static void faults(void **state)
{
    struct args a;
    uint64_t bad = 0x10;
    assert_int_equal(args_copy(&a, 0x10, 0), -EFAULT);
    args_free(&a);
    mb_copy_out(MEM, &bad, 8);
    assert_int_equal(args_copy(&a, MEM, 0), -EFAULT);
    args_free(&a);
    assert_int_equal(args_copy(&a, 0, MEM), -EFAULT);
    args_free(&a);
    memset(memory + MEM_SIZE - 100, 'x', 100); /* a string that runs out of memory */
    bad = MEM + MEM_SIZE - 100;
    mb_copy_out(MEM, &bad, 8);
    assert_int_equal(args_copy(&a, MEM, 0), -EFAULT);
    args_free(&a);
}

/* One string of n bytes, without its NUL. */
static int one_long(struct args *a, size_t n)
{
    uint64_t p[2] = {MEM + 0x10000, 0};
    memset(memory + 0x10000, 'x', n);
    memory[0x10000 + n] = 0;
    mb_copy_out(MEM, p, sizeof(p));
    return args_copy(a, MEM, 0);
}

static void limits(void **state)
{
    struct args a;
    assert_int_equal(one_long(&a, 131071), 0);
    assert_int_equal(a.used, 131072);
    args_free(&a);
    assert_int_equal(one_long(&a, 131072), -E2BIG);
    args_free(&a);
    assert_int_equal(one_long(&a, 1 << 20), -E2BIG);
    args_free(&a);
    /* Many strings: a quarter of the stack's limit, pointers counted. */
    memset(memory, 0, MEM_SIZE);
    uint64_t n = 40000;
    uint64_t p = MEM + 0x800000;
    memcpy(memory + 0x800000, "0123456789012345678901234567890123456789", 41);
    for (uint64_t i = 0; i < n; i++) {
        mb_copy_out(MEM + i * 8, &p, 8);
    }
    assert_int_equal(args_copy(&a, MEM, 0), 0); /* 49 * 40000 < 2 MiB */
    assert_int_equal(a.argc, n);
    args_free(&a);
    assert_int_equal(args_copy(&a, MEM, MEM), -E2BIG);
    args_free(&a);
    stack_limit = 1ul << 20;
    assert_int_equal(args_copy(&a, MEM, 0), -E2BIG);
    args_free(&a);
    stack_limit = ~0ul; /* 6 MiB is the end in any case */
    assert_int_equal(args_copy(&a, MEM, MEM), 0);
    args_free(&a);
}

static void no_memory(void **state)
{
    for (unsigned at = 1; at < 12; at++) {
        struct args a;
        countdown = at;
        int e = one_long(&a, 100000);
        if (e == 0) {
            e = args_script(&a, "/bin/sh", NULL, "x");
        }
        assert_true(e == 0 || e == -ENOMEM);
        args_free(&a);
    }
    countdown = 0;
}

/* ---- the stack ---- */

static uint64_t word(uint64_t at)
{
    uint64_t v = 0;
    assert_int_equal(mb_copy_in(&v, at, 8), 0);
    return v;
}

static void check_string(uint64_t at, const char *want)
{
    char buf[200];
    assert_true(mb_str_in(buf, at, sizeof(buf)) >= 0);
    assert_string_equal(buf, want);
}

static void stack(void **state)
{
    static struct mm mm;
    static struct exec x;
    memset(&x, 0, sizeof(x));
    x.mm = &mm;
    x.name = "/bin/prog";
    x.image.phdr = 0x40;
    x.image.phnum = 9;
    x.image.entry = 0x500;
    x.bias = 0x2000000;
    x.interp_base = 0x3000000;
    x.cred.ruid = 1;
    x.cred.euid = 0;
    x.secure = true;
    mm.layout.stack_top = MEM + MEM_SIZE;
    assert_int_equal(copy(&x.args, LIST("prog", "a", "bc"), LIST("E=1", "F=2")), 0);
    assert_int_equal(args_script(&x.args, "/bin/sh", "-x", "/s"), 0);
    assert_int_equal(exec_build_stack(&x), 0);

    uint64_t sp = x.sp;
    assert_int_equal(sp % 16, 0);
    assert_true(sp > mapped_from);
    assert_int_equal(word(sp), 5);
    static const char *const argv[] = {"/bin/sh", "-x", "/s", "a", "bc"};
    for (unsigned i = 0; i < 5; i++) {
        check_string(word(sp + 8 + i * 8), argv[i]);
    }
    assert_int_equal(word(sp + 48), 0);
    check_string(word(sp + 56), "E=1");
    check_string(word(sp + 64), "F=2");
    assert_int_equal(word(sp + 72), 0);

    uint64_t aux[64] = {0};
    uint64_t at = sp + 80;
    for (; word(at) != AT_NULL; at += 16) {
        assert_true(word(at) < 64);
        aux[word(at)] = word(at + 8);
    }
    assert_int_equal(aux[AT_PHDR], 0x2000040);
    assert_int_equal(aux[AT_PHNUM], 9);
    assert_int_equal(aux[AT_ENTRY], 0x2000500);
    assert_int_equal(aux[AT_BASE], 0x3000000);
    assert_int_equal(aux[AT_PAGESZ], 4096);
    assert_int_equal(aux[AT_SYSINFO_EHDR], VDSO);
    assert_int_equal(aux[AT_UID], 1);
    assert_int_equal(aux[AT_SECURE], 1);
    check_string(aux[AT_EXECFN], "/bin/prog");
    assert_int_equal(word(aux[AT_RANDOM]), 0x7777777777777777ul);
    assert_true(aux[AT_RANDOM] >= at + 16);
    assert_int_equal(mm.layout.arg_start, word(sp + 8));
    assert_int_equal(mm.layout.env_start, word(sp + 56));
    assert_int_equal(mm.layout.arg_end, mm.layout.env_start);
    assert_int_equal(mm.layout.env_end, aux[AT_EXECFN]);
    assert_int_equal(word(mm.layout.stack_top - 8), 0);
    args_free(&x.args);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(copies), TEST(scripts), TEST(faults), TEST(limits), TEST(no_memory), TEST(stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
