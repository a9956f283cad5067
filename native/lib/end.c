/* How a cell ends.  See nexus/cell.h. */
#include <nexus/cell.h>

#include <assert.h>
#include <nexus/exit.h>
#include <nx/sys.h>

_Noreturn void cell_exit(uint64_t code)
{
    for (;;) {
        nx_exit_cell(code);
    }
}

_Noreturn void cell_panic(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    cell_vlog(NX_LOG_CRIT, fmt, ap);
    va_end(ap);
    cell_exit(CELL_EXIT_PANIC);
}

_Noreturn void cell_no_channel(unsigned slot, const char *what, int e)
{
    if (e == -NX_EINVAL || e == -NX_EPEER) {
        cell_log_at(NX_LOG_ERR, "the rings of the %s channel make no sense: error %d", what, -e);
        cell_exit(NEXUS_EXIT_RINGS | slot);
    }
    cell_panic("no %s channel: error %d", what, -e);
}

/* The failing end of <assert.h>. */
_Noreturn void nx_assert_failed(const char *expr, const char *file, int line)
{
    cell_panic("%s:%d: assertion failed: %s", file, line, expr);
}
