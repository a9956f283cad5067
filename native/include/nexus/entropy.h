/* Interface "entropy" (from a hardware source, virtio-rng) and "random" (from rngd's generator): bytes
 * nobody can guess.  Over a session (nexus/session.h) with a pool; its message is in native/idl/entropy.idl.
 */
#ifndef NEXUS_ENTROPY_H
#define NEXUS_ENTROPY_H

#include <idl/entropy.h>

/* HELLO of "random": there is a source, so there is hope for who waits. */
#define NEXUS_RANDOM_SOURCE 1u

#endif
