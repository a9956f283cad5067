/* Random numbers from rngd, by the stub of the interface and by hand. The manifest: use random slot=random */
#include <nexus/cap.h>
#include <nexus/cell.h>
#include <nexus/entropy.h>

static void never(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    cell_panic("this request was given up");
}

int cell_main(const struct nx_cellinfo *info)
{
    static struct nexus_client rngd;
    static struct nexus_request given_up = {.done = never};
    struct nexus_entropy_read_answer answer;
    struct nexus_call call;
    const uint64_t deadline = cell_now() + cell_ticks_of_ms(10000);
    int e = client_open(&rngd, bus_find(NX_WANT_USE, "random"));
    if (e != 0) {
        cell_panic("nobody serves random numbers: error %d", -e);
    }
    while (rngd.generation == 0 && e == 0) {
        e = client_wait(&rngd, deadline); /* for its HELLO; a call does this by itself */
    }
    /* By the generated stub: 16 bytes to the beginning of the pool. */
    e = nexus_entropy_read(&rngd, 0, 16, &answer, deadline);
    if (e != 0 || answer.length == 0 || answer.length > 16) {
        cell_panic("no random numbers: error %d", -e);
    }
    /* The same by hand. */
    nexus_entropy_read_request(&call.request, 0, 16);
    e = client_call(&rngd, &call, deadline);
    if (e != 0 || call.reply.word32[1] == 0) {
        cell_panic("no random numbers: error %d", -e);
    }
    /* Asked, and not wanted any more. */
    nexus_entropy_read_request(&given_up, 64, 16);
    if (client_submit(&rngd, &given_up) != 0 || !client_cancel(&rngd, &given_up)) {
        cell_panic("cancel");
    }
    cell_log("ok");
    return 0;
}
