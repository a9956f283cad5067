/* The console as a terminal: /dev/console, and /dev/tty for whatever controls the opener. */
#include <asm/errno.h>
#include <asm/fcntl.h>
#include "proc.h"
#include "ptime.h"
#include "tty/tty.h"
#include "vfs.h"

#define MAJOR_TTYAUX 5 /* /dev/tty 0, /dev/console 1 */
#define S_IFCHR_ 0020000u
#define DRAIN_NS 2000000000ul

static struct tty console;

static void console_input(const void *buf, size_t n)
{
    tty_input(&console, buf, n);
}

static void console_writable(void)
{
    tty_writable(&console);
}

static int open_console(struct file *f)
{
    return tty_open(&console, f);
}

static int open_tty(struct file *f)
{
    struct tty *t = tty_current();
    return t ? tty_open(t, f) : -ENXIO;
}

int console_init(void)
{
    tty_init(&console, "console", MAJOR_TTYAUX << 8 | 1, mb_console_write);
    mb_console_input_hook = console_input;
    mb_console_writable_hook = console_writable;
    int err = devfs_register("console", S_IFCHR_ | 0600, MAJOR_TTYAUX, 1, open_console);
    return err ? err : devfs_register("tty", S_IFCHR_ | 0666, MAJOR_TTYAUX, 0, open_tty);
}

void tty_drain(void)
{
    uint64_t deadline = time_ticks_after(DRAIN_NS);
    while (tty_out_count(&console) && mb_ticks() < deadline)
        if (wait_on_killable(&console.writers, time_ticks_after(1000000)) == -EINTR)
            mb_park(time_ticks_after(1000000));
}
