/* SPDX-License-Identifier: Apache-2.0 */
/* The two clocks.  A test that turns time by hand defines both functions itself. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Never goes back, and counts the time in which the machine slept: for deadlines. */
int64_t clock_steady_ms(void);

/* Unix time in microseconds: for what others read. */
int64_t clock_unix_us(void);

#endif
