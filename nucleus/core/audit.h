/* The audit of capabilities: does what cells hold agree with the objects it names?
 *
 * One call looks at every slot of every cell, at most 255 times 64, and at the 128 places of every shelf:
 * that is its bound, and it is no call for every day.  Nothing is repaired and nothing is trusted: an
 * object's address is looked at before what is there.  With the nucleus lock.
 *
 * Checked: an object is memory of the nucleus and has a type, an epoch not behind the capability's, a quota
 * that is in use, and no fewer references than capabilities to it; its listener is a cell that holds it;
 * rights are known ones; a slot that is empty is empty altogether; a shelf has nothing but memory and rings;
 * the number of all capabilities; the fibers of a cell, up to a number.
 */
#ifndef CAP_AUDIT_H
#define CAP_AUDIT_H

#include <stdint.h>

/* Number of inconsistencies; each is told in the log, the first few at least. */
uint32_t audit_capabilities(void);
/* The same for L0, after a systemic event: what it finds goes to the Boot Error Buffer. */
void audit_after_event(void);

#endif
