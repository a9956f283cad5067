/* host: one word in place of the floating point registers. */
#include "host.h"

static struct host_hart *me(void)
{
    return &host.hart[host.current];
}

void arch_fp_off(void)
{
    me()->fp_on = false;
    me()->fp_dirty = false;
    me()->fp = 0xdead; /* nobody may see it */
}

bool arch_fp_dirty(void)
{
    return me()->fp_on && me()->fp_dirty;
}

void arch_fp_save(struct nx_state *s)
{
    s->fp[0] = me()->fp;
    me()->fp_dirty = false;
}

void arch_fp_load(const struct nx_state *s)
{
    me()->fp = s->fp[0];
    me()->fp_on = true;
    me()->fp_dirty = false;
}
