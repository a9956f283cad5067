/* The machine's serial lines as terminals: /dev/console, /dev/hvc0 when there is a virtio console, and
 * /dev/tty for whatever controls the opener. */
#include <asm/errno.h>
#include <asm/fcntl.h>
#include "proc.h"
#include "ptime.h"
#include "tty/tty.h"
#include "vfs.h"
#include <devices.h>

#define MAJOR_TTYAUX 5 /* /dev/tty 0, /dev/console 1 */
#define MAJOR_HVC 229
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

/* ---- the virtio console ---- */

static struct tty *hvc; /* it is large, and not every machine has one */

static void hvc_input(const void *buf, size_t n)
{
    tty_input(hvc, buf, n);
}

static void hvc_writable(void)
{
    tty_writable(hvc);
}

static int open_hvc(struct file *f)
{
    return tty_open(hvc, f);
}

static int hvc_init(void)
{
    if (!mb_hvc_present())
        return 0;
    hvc = mb_alloc(sizeof *hvc);
    if (!hvc)
        return -ENOMEM;
    tty_init(hvc, "hvc0", MAJOR_HVC << 8, mb_hvc_write);
    mb_hvc_input_hook = hvc_input;
    mb_hvc_writable_hook = hvc_writable;
    return devfs_register("hvc0", S_IFCHR_ | 0600, MAJOR_HVC, 0, open_hvc);
}

int console_init(void)
{
    tty_init(&console, "console", MAJOR_TTYAUX << 8 | 1, mb_console_write);
    console.never_hung = true;
    mb_console_input_hook = console_input;
    mb_console_writable_hook = console_writable;
    int err = devfs_register("console", S_IFCHR_ | 0600, MAJOR_TTYAUX, 1, open_console);
    err = err ? err : devfs_register("tty", S_IFCHR_ | 0666, MAJOR_TTYAUX, 0, open_tty);
    return err ? err : hvc_init();
}

void tty_drain(void)
{
    uint64_t deadline = time_ticks_after(DRAIN_NS);
    while (tty_out_count(&console) && mb_ticks() < deadline)
        if (wait_on_killable(&console.writers, time_ticks_after(1000000)) == -EINTR)
            mb_park(time_ticks_after(1000000));
}
