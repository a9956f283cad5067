/*
 * Programs that go wrong: wild pointers, wild jumps, illegal instructions. Each must cost the
 * program its life, by the right signal, and nobody else anything.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

/* Addresses no program may use. */
static const uintptr_t wild[] = {
    0,
    1,
    4095,
    0x1000,
    0x7fffffffe000,
    0x0000800000000000,
    0x00007ffffffff000,
    0xdeadbeefdeadbee8,
    0xffffffc000000000,
    0xffffffff80000000,
    0xffffffff80200000,
    0xfffffffffffff000,
    0xfffffffffffffff8,
    0x3ffffff000,
    0x4000000000,
    0x8000000000000000,
};
#define WILD (sizeof wild / sizeof wild[0])

static volatile unsigned char sink;

/* A pointer whose value the compiler does not know, or it would warn. */
static volatile int *bad_place(uintptr_t address)
{
    __asm__("" : "+r"(address));
    return (volatile int *)address;
}

/* Is something mapped there in this process? Then it is not a wild address. */
static bool mapped(uintptr_t address)
{
    unsigned char vec;

    return mincore((void *)(address & ~(uintptr_t)4095), 1, &vec) == 0;
}

static void wait_fault(pid_t pid)
{
    int status = wait_status(pid);

    if (!WIFSIGNALED(status) || (WTERMSIG(status) != SIGSEGV && WTERMSIG(status) != SIGBUS)) {
        FAIL("status is 0x%x", status);
    }
}

static void wild_read(void)
{
    pid_t pid;

    for (size_t i = 0; i < WILD; i++) {
        if (mapped(wild[i])) {
            continue;
        }
        CHILD(pid)
        {
            sink = *(volatile unsigned char *)wild[i];
        }
        wait_fault(pid);
    }
}

static void wild_write(void)
{
    pid_t pid;

    for (size_t i = 0; i < WILD; i++) {
        if (mapped(wild[i])) {
            continue;
        }
        CHILD(pid)
        {
            *(volatile unsigned char *)wild[i] = 1;
        }
        wait_fault(pid);
    }
}

static void wild_jump(void)
{
    pid_t pid;

    for (size_t i = 0; i < WILD; i++) {
        if (mapped(wild[i])) {
            continue;
        }
        CHILD(pid)
        {
            ((void (*)(void))wild[i])();
        }
        wait_fault(pid);
    }
}

static void jump_to_null(void)
{
    pid_t pid;

    CHILD(pid)
    {
        void (*volatile f)(void) = NULL;

        f();
    }
    wait_killed(pid, SIGSEGV);
}

static void write_own_text(void)
{
    pid_t pid;

    CHILD(pid)
    {
        *(volatile unsigned char *)(uintptr_t)write_own_text = 0;
    }
    wait_killed(pid, SIGSEGV);
}

static void run_own_data(void)
{
    static unsigned char data[64];
    pid_t pid;

    CHILD(pid)
    {
        ((void (*)(void))(void *)data)();
    }
    wait_killed(pid, SIGSEGV);
}

static void illegal_instruction(void)
{
    pid_t pid;

    CHILD(pid)
    {
#ifdef __riscv
        __asm__ volatile(".option push\n.option norvc\n.word 0\n.option pop");
#else
        __builtin_trap();
#endif
    }
    wait_killed(pid, SIGILL);
}

static void breakpoint(void)
{
    pid_t pid;

    CHILD(pid)
    {
#ifdef __riscv
        __asm__ volatile("ebreak");
#else
        __asm__ volatile("int3");
#endif
    }
    wait_killed(pid, SIGTRAP);
}

#ifdef __riscv
#define PRIVILEGED(name, instruction)                         \
    static void name(void)                                    \
    {                                                         \
        pid_t pid;                                            \
        CHILD(pid)                                            \
        {                                                     \
            __asm__ volatile(instruction ::: "memory", "t0"); \
        }                                                     \
        wait_killed(pid, SIGILL);                             \
    }

PRIVILEGED(read_status_register, "csrr t0, 0x100")        /* sstatus */
PRIVILEGED(write_page_table_register, "csrw 0x180, zero") /* satp */
PRIVILEGED(write_trap_vector, "csrw 0x105, zero")         /* stvec */
PRIVILEGED(write_timer, "csrw 0x14d, zero")               /* stimecmp */
PRIVILEGED(return_from_trap, "sret")
PRIVILEGED(return_from_machine_trap, "mret")
PRIVILEGED(wait_for_interrupt, "wfi; csrr t0, 0x100") /* wfi alone may be allowed to pass */
PRIVILEGED(fence_translations, "sfence.vma")
#endif

/* A handler that returns from a fault meets it again; a blocked fault kills at once. */
static void blocked_fault(void)
{
    pid_t pid;

    CHILD(pid)
    {
        handle(SIGSEGV, count_signal, 0, 0);
        sig_block(SIGSEGV);
        *bad_place(8) = 1;
    }
    wait_killed(pid, SIGSEGV);
    CHILD(pid)
    {
        handle(SIGSEGV, SIG_IGN, 0, 0); /* cannot be ignored either */
        *bad_place(8) = 1;
    }
    wait_killed(pid, SIGSEGV);
}

static void fault_again(int signo)
{
    (void)signo;
    *bad_place(16) = 1;
}

static void fault_in_handler(void)
{
    pid_t pid;

    CHILD(pid)
    {
        handle(SIGSEGV, fault_again, 0, 0);
        *bad_place(8) = 1;
    }
    wait_killed(pid, SIGSEGV);
}

static void bad_stack_pointer(void)
{
    pid_t pid;

    CHILD(pid)
    { /* the signal frame has nowhere to go */
        handle(SIGUSR1, count_signal, 0, 0);
        handle(SIGSEGV, count_signal, 0, 0);
#if defined __riscv
        register long a7 __asm__("a7") = 172; /* getpid, so that a signal has its chance */
        __asm__ volatile("li sp, 16\n ecall\n sd zero, 0(sp)" ::"r"(a7) : "memory");
#elif defined __x86_64__
        __asm__ volatile("mov $16, %%rsp\n push %%rax" ::: "memory");
#endif
    }
    wait_killed(pid, SIGSEGV);
}

static void abort_status(void)
{
    extern _Noreturn void abort(void);
    struct rlimit none = {0, 0};
    pid_t pid;

    OK(setrlimit(RLIMIT_CORE, &none));
    CHILD(pid)
    {
        abort();
    }
    int status = wait_status(pid);
    CHECK(WIFSIGNALED(status));
    EQ(WTERMSIG(status), SIGABRT);
    CHECK(!WCOREDUMP(status));
}

static void others_go_on(void)
{
    pid_t pid, healthy;
    struct gate g;

    gate_init(&g);
    CHILD(healthy)
    {
        gate_wait(&g);
    }
    for (int i = 0; i < 50; i++) {
        CHILD(pid)
        {
            *bad_place((uintptr_t)i * 8) = 1;
        }
        wait_killed(pid, SIGSEGV);
    }
    gate_open(&g);
    wait_ok(healthy);
}

const struct test crash_tests[] = {
    {"wild_read", wild_read},
    {"wild_write", wild_write},
    {"wild_jump", wild_jump},
    {"jump_to_null", jump_to_null},
    {"write_own_text", write_own_text},
    {"run_own_data", run_own_data},
    {"illegal_instruction", illegal_instruction},
    {"breakpoint", breakpoint},
#ifdef __riscv
    {"read_status_register", read_status_register},
    {"write_page_table_register", write_page_table_register},
    {"write_trap_vector", write_trap_vector},
    {"write_timer", write_timer},
    {"return_from_trap", return_from_trap},
    {"return_from_machine_trap", return_from_machine_trap},
    {"wait_for_interrupt", wait_for_interrupt},
    {"fence_translations", fence_translations},
#endif
    {"blocked_fault", blocked_fault},
    {"fault_in_handler", fault_in_handler},
    {"bad_stack_pointer", bad_stack_pointer},
    {"abort_status", abort_status},
    {"others_go_on", others_go_on},
    {0},
};
