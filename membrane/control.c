/* The client side of the supervisor's service (nexus/control.h): one command at a time, in the channel's
 * pool, which is all its own.
 *
 * Without the channel every command is refused. */
#include "service.h"

#include "patience.h"

#include <nexus/control.h>
#include <nexus/exit.h>
#include <string.h>

static struct nexus_client client;
static bool works;
static struct nexus_request request;
static void (*answered)(long n); /* NULL: nothing is asked */

static void request_done(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    void (*done)(long n) = answered;
    struct nexus_control_command_answer answer;
    nexus_control_command_answered(reply, &answer);
    long n = reply != NULL && result == 0 ? (long)answer.length : mb_errno(result);
    if (n == 0 && result != 0) {
        n = -EIO;
    }
    answered = NULL;
    done(n <= (long)client.pool_size ? n : -EIO);
}

static void lost(struct nexus_client *c)
{
    cell_exit(NEXUS_EXIT_PEER | MB_SLOT_CONTROL);
}

void mb_control_init(void)
{
    int e = client_open(&client, MB_SLOT_CONTROL);
    works = e == 0 && client.pool != NULL;
    if (works) {
        mb_service_add(&client, lost);
    } else {
        mb_log("no way to talk to the supervisor: error %d", e);
    }
}

int control_complain(struct nexus_request *r, unsigned type, const char *what)
{
    if (!works) {
        return -EIO;
    }
    const uint32_t n = (uint32_t)strnlen(what, NX_RING_PAYLOAD);
    if (type == NEXUS_CONTROL_DOUBT) {
        nexus_control_doubt_request(r, what, n);
    } else {
        nexus_control_complain_request(r, what, n);
    }
    return mb_errno(client_submit(&client, r));
}

void *mb_control_room(size_t *size)
{
    *size = client.pool_size;
    return works ? client.pool : NULL;
}

int mb_control_run(size_t n, void (*done)(long n))
{
    if (!works || answered != NULL || n > client.pool_size) {
        return !works ? -EIO : answered != NULL ? -EBUSY : -EFBIG;
    }
    const struct nexus_control_command ask = {.length = (uint32_t)n};
    nexus_control_command_request(&request, &ask, 0, (uint32_t)client.pool_size);
    request.done = request_done;
    answered = done;
    int e = client_submit(&client, &request);
    if (e != 0) {
        answered = NULL;
    }
    return mb_errno(e);
}
