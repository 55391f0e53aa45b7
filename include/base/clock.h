/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The three clocks.  Nobody else asks the kernel for a time that is to be compared.  A test that
 * turns time by hand defines all the functions itself.
 *
 * Two of them never go back and differ while the machine sleeps (a suspended or moved virtual
 * machine).  Which one: would somebody outside say that the time has passed?  Then it has.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Counts the time in which the machine slept: for the age of what others know of too, such as a
 * commit, an order, an allowance of requests.  The database's clock has gone on meanwhile. */
int64_t clock_steady_ms(void);

/* Stands still while the machine sleeps, as the timers of the event loop do: for deadlines that
 * such a timer keeps, for the silence of another process of this machine, which slept as well, and
 * for how long our own work took. */
int64_t clock_running_us(void);
int64_t clock_running_ms(void);

/* Unix time in microseconds: for what others read.  It may be set back. */
int64_t clock_unix_us(void);

#endif
