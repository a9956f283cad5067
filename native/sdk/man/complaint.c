/* A client that does not wait for ever: its server is asked once, and given to its supervisor's care when it does not answer, or
 * answers with an error. The manifest: use random slot=random optional=#true */
#include <idl/entropy.h>
#include <nexus/cell.h>
#include <nexus/complaint.h>

#define SLOT_RANDOM 0 /* the first want's */

int cell_main(const struct nx_cellinfo *info)
{
    static struct nexus_client random;
    struct nexus_entropy_read_answer answer;
    int e = client_open(&random, SLOT_RANDOM);
    if (e == 0) {
        e = nexus_entropy_read(&random, 0, 16, &answer, cell_now() + cell_ticks_of_ms(60000));
        if (e == -NX_ETIME) {
            e = client_complain(&random); /* its next life will say HELLO: ask again */
        } else if (e != 0) {
            e = client_doubt(&random);
        }
    }
    if (e != 0 && e != -NX_EBADF) { /* EBADF: all its channels are taken, so we have none */
        cell_panic("error %d", -e);
    }
    cell_log("ok");
    return 0;
}
