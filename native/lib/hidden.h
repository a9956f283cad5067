/* What the files of a cell declare is in the cell: included before everything else in each (see the Makefile), where
 * -fvisibility=hidden is about definitions only. */
#pragma GCC visibility push(hidden)
