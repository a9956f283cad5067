/* A virtio entropy source (virtio 1.2, 5.4) between its clients' sessions and its queue.
 *
 * Each READ is one request of the device.  The clients take turns: one that asks without end does not
 * keep the other from being served.
 */
#ifndef RNG_H
#define RNG_H

#include "driver.h"
#include "virtq.h"

#include <nexus/entropy.h>

#define RNG_CLIENTS 2u
#define RNG_DEPTH 4u /* of each client; power of two */

struct rng {
    struct nx_slot request[RNG_CLIENTS * RNG_DEPTH]; /* by slot */
    struct driver *driver;
    struct virtq queue;
    uint8_t client[RNG_CLIENTS * RNG_DEPTH]; /* whose it is */
};

/* Bring the device up and say HELLO.  driver: registers, memory and 1 .. RNG_CLIENTS open sessions. */
int rng_start(struct rng *r, struct driver *driver);
int rng_service(void *rng, bool config);

#endif
