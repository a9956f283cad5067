/* The middle cell of the web-log analyser, and the analyser itself: lines from one cell, records to another.
 *
 * Lines are parsed where they lie, in the pool shared with the source, into records where the tally reads them, in the pool
 * shared with that: nothing is copied here.  Compare weblog_posix/rings.c, which is the same program with a Linux life.
 */
#include "weblog.h"

#include <idl/logfile.h>
#include <idl/tally.h>
#include <manifest/weblog_parser.h>
#include <nexus/cell.h>
#include <nx/sys.h>

#define PATIENCE_MS 20000

static struct nexus_client source, tally;

static uint64_t soon(void)
{
    return cell_now() + cell_ticks_of_ms(PATIENCE_MS);
}

/* The records of these lines to the tally, a pool full at a time: 0 or an error. */
static int pass_on(const char *text, size_t n)
{
    struct weblog_record *records = (struct weblog_record *)tally.pool;
    const size_t most = tally.pool_size / sizeof(*records);
    struct tally_add_answer answer;
    int e = 0;
    while (n > 0 && e == 0) {
        size_t used;
        const size_t count = weblog_lines(text, n, records, most, &used);
        e = tally_add(&tally, 0, (uint32_t)(count * sizeof(*records)), &answer, soon());
        text += used;
        n -= used;
    }
    return e;
}

static int analyse(void)
{
    struct logfile_lines ask = {0};
    struct logfile_lines_answer lines;
    int e = tally_clear(&tally, soon());
    while (e == 0) {
        e = logfile_lines(&source, &ask, 0, (uint32_t)source.pool_size, &lines, soon());
        if (e != 0 || lines.length == 0) {
            break;
        }
        if (lines.length > source.pool_size) {
            return -NX_EPEER; /* more than we have room for: the source lies */
        }
        ask.from = lines.next;
        e = pass_on((const char *)source.pool, lines.length);
    }
    return e;
}

static int tell(void)
{
    struct tally_report_answer report;
    int e = tally_report(&tally, 0, (uint32_t)tally.pool_size, &report, soon());
    if (e == 0 && report.length < tally.pool_size) {
        tally.pool[report.length] = 0;
        cell_log("%s", (const char *)tally.pool);
    }
    return e;
}

int cell_main(const struct nx_cellinfo *info)
{
    int e = client_open(&source, SLOT_SOURCE);
    e = e == 0 ? client_open(&tally, SLOT_TALLY) : e;
    if (e != 0 || source.pool == NULL || tally.pool == NULL) {
        cell_panic("no source or no tally: error %d", -e);
    }
    e = analyse();
    e = e == 0 ? tell() : e;
    if (e != 0) {
        cell_panic("error %d", -e);
    }
    cell_log("%lu ticks of run time", (unsigned long)nx_meta_cell(NX_SELF, NX_CELL_RUNTIME));
    return 0;
}
