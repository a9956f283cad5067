/* host: the machine's power, memory, clock, console; other harts; the end. */
#include "boot.h"
#include "host.h"
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct host host;
char *host_memory;
uint64_t host_memory_size;

_Noreturn void host_bug(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)fputs("host: ", stderr);
    (void)vfprintf(stderr, fmt, ap);
    (void)fputs("\n", stderr);
    va_end(ap);
    abort();
}

/* Memory holds rubbish at first, as a real machine's does. */
void host_reset(uint64_t bytes)
{
    free(host_memory);
    host_memory = aligned_alloc(NX_PAGE_SIZE, bytes);
    if (host_memory == NULL) {
        host_bug("no memory for a machine of %lu bytes", (unsigned long)bytes);
    }
    host_memory_size = bytes;
    memset(host_memory, 0xa5, bytes);
    memset(&host, 0, sizeof(host));
    host.asids = 1u << 16;
    for (unsigned i = 0; i < HARTS_MAX; i++) {
        host.hart[i].deadline = NX_NEVER;
    }
}

struct hart *arch_this_hart(void)
{
    return &harts[host.current];
}

uint64_t arch_time(void)
{
    return host.time;
}

uint64_t arch_instret(void)
{
    return host.instret;
}

int arch_hart_start(unsigned hart)
{
    if ((host.start_fails >> hart & 1) != 0) {
        return -1;
    }
    host.hart[hart].started = true;
    return 0;
}

/* The first page of memory, in place of the pages of the nucleus' image. */
uint64_t arch_systable_page(bool fused)
{
    return HOST_MEMORY_BASE;
}

void arch_console_write(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (host.console_len == HOST_CONSOLE - 1) {
            memmove(host.console, host.console + HOST_CONSOLE / 2, HOST_CONSOLE / 2);
            host.console_len -= HOST_CONSOLE / 2;
        }
        host.console[host.console_len++] = text[i];
        host.console[host.console_len] = 0;
    }
}

void arch_timer_set(uint64_t deadline)
{
    host.hart[host.current].deadline = deadline;
}

void arch_ipi(unsigned hart)
{
    host.hart[hart].ipi = true;
}

_Noreturn void arch_reset(void)
{
    host.reset = true;
    arch_halt();
}

_Noreturn void arch_halt(void)
{
    nucleus_lock_word = 0; /* a panic may hold it */
    host.exit = HOST_HALTED;
    longjmp(host.back, 1);
}

void arch_backtrace(uint64_t pc, uint64_t fp)
{
}

const char *symbol_name(uint64_t addr, uint64_t *off)
{
    *off = 0;
    return "?";
}
