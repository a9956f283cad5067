/* The page of code that the personality gives every program, shared by all.
 *
 * So far it holds what a signal handler returns to.  It is no ELF image and AT_SYSINFO_EHDR is not set:
 * programs do not look for functions in it.
 */
#include "mem/mm_int.h"

#include <asm/errno.h>
#include <asm/unistd.h>
#include <string.h>

static struct pagevec *pages;

/* li a7, __NR_rt_sigreturn; ecall: as Linux' vDSO has it; debuggers know these bytes. */
static const uint32_t sigreturn_code[] = {
    0x00000893u | (uint32_t)__NR_rt_sigreturn << 20,
    0x00000073u,
};

int vdso_init(void)
{
    pages = pagevec_make(1);
    int err;
    char *page = pages ? pagevec_page(pages, 0, &err) : NULL;
    if (!page) {
        return -ENOMEM;
    }
    memcpy(page + VDSO_SIGRETURN, sigreturn_code, sizeof(sigreturn_code));
    return 0;
}

struct pagevec *vdso_pages(void)
{
    return pages;
}
