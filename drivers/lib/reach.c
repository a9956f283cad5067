/* What a driver may let its device read and write.  See driver.h.
 *
 * There is nothing between the device and the memory of the whole machine, so this is looked at last thing before the
 * device sees a request: what a driver keeps of addresses, offsets and lengths may have been damaged meanwhile.
 */
#include "driver.h"

#include <nx_base.h>

bool driver_reaches(const struct virtio *v, uint64_t phys, uint64_t len)
{
    const struct driver *d = container_of(v, const struct driver, virtio);
    bool found = phys >= d->dma.phys && nx_in_bounds(phys - d->dma.phys, len, d->dma.size);
    for (unsigned i = 0; i < d->server_count && !found; i++) {
        found = server_reaches(&d->servers[i], phys, len);
    }
    return found;
}
