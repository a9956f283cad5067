/* The personality starts: file layer, terminal, clock, then process 1.
 *
 * Process 1 is /sbin/init with the console as its files 0, 1 and 2; without one, a shell, which then
 * leads a session on the console so that it has job control.
 */
#include <asm/errno.h>
#include <asm/fcntl.h>
#include "dev/dev.h"
#include "exec.h"
#include "mm.h"
#include "proc.h"
#include "ptime.h"
#include "sys.h"
#include "tty/tty.h"
#include "vfs.h"

#define INIT_ENV                     \
    (const char *const[])            \
    {                                \
        "HOME=/", "TERM=linux", NULL \
    }

static void open_console(void)
{
    struct file *f;
    int err = vfs_open("/dev/console", O_RDWR, 0, &f);
    if (err) {
        mb_log("init: no /dev/console (%d)", err);
        return;
    }
    fd_install(f, 0, false);
    fd_install(file_ref(f), 1, false);
    fd_install(file_ref(f), 2, false);
}

static void start_program(void)
{
    static const char *const init[] = {"/sbin/init", NULL};
    static const char *const shell[] = {"/bin/sh", NULL};
    static const uint64_t none[6];
    devices_settle();
    open_console();
    int err = exec_kernel(init[0], init, INIT_ENV);
    if (err == 0)
        return;
    mb_log("init: %s: error %d", init[0], err);
    struct file *f = fd_get(0);
    sys_setsid(none);
    if (f)
        tty_acquire(f->priv, current->proc);
    if (f)
        file_unref(f);
    err = exec_kernel(shell[0], shell, INIT_ENV);
    if (err) {
        static const char text[] = "\r\nnexus: cannot start: no /sbin/init, no /bin/sh to run\r\n";
        mb_log("init: %s: error %d; nothing to run", shell[0], err);
        mb_console_write(text, sizeof(text) - 1);
        mb_power_off(127);
    }
}

int posix_start(void)
{
    mb_lock();
    time_init();
    int err = mm_init();
    if (!err)
        err = vfs_init();
    if (!err)
        err = console_init();
    if (!err)
        err = pty_init();
    if (!err)
        err = ktimer_init();
    devices_init();
    if (!err && !proc_make_init(start_program))
        err = -ENOMEM;
    mb_unlock();
    return err;
}
