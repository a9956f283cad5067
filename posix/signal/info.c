/* siginfo as programs hand it in, and the one of a plain kill.
 *
 * A signal keeps the first part of a siginfo (struct ksiginfo), which is all there is of those whose code is known;
 * the rest of another must be zero, so that whoever takes the signal sees what was sent.
 */
#include <asm/errno.h>
#include "signal_int.h"

struct ksiginfo sig_info_user(int sig, int code)
{
    const struct task *t = current;
    struct ksiginfo info = {.signo = sig, .code = code};
    if (t) {
        info.u.rt.pid = t->proc->pid;
        info.u.rt.uid = t->cred.ruid;
    }
    return info;
}

/* Codes above SI_USER are of one signal, or of SIGIO. */
static int last_code(int sig)
{
    static const uint8_t last[] = {
        [SIGILL] = 11, [SIGFPE] = 15, [SIGSEGV] = 9, [SIGBUS] = 5,
        [SIGTRAP] = 6, [SIGCHLD] = 6, [SIGPOLL] = 6, [SIGSYS] = 2,
    };
    int of = sig > 0 && sig < (int)sizeof last ? last[sig] : 0;
    return of ? of : last[SIGPOLL];
}

static bool is_known(const struct ksiginfo *info)
{
    const int lowest = -7 /* SI_DETHREAD */, name_found = -60 /* SI_ASYNCNL */;
    if (info->code > SI_USER)
        return info->code == SI_KERNEL || info->code <= last_code(info->signo);
    return info->code >= lowest || info->code == name_found;
}

int sig_info_in(struct ksiginfo *info, uint64_t uinfo, int sig)
{
    uint64_t rest[(SIGINFO_SIZE - sizeof *info) / 8], any = 0;
    if (mb_copy_in(info, uinfo, sizeof *info))
        return -EFAULT;
    if (sig >= 0)
        info->signo = sig;
    if (is_known(info))
        return 0;
    if (mb_copy_in(rest, uinfo + sizeof *info, sizeof rest))
        return -EFAULT;
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
        any |= rest[i];
    return any ? -E2BIG : 0;
}
