/* SPDX-License-Identifier: Apache-2.0 */
/* The block of shared memory: the slots one behind the other, each with the cells of every metric
 * in the order of the table. */
#ifndef METRICS_BLOCK_H
#define METRICS_BLOCK_H

#include "table.h"

struct meter {
	const struct metrics *metrics;
	_Atomic uint64_t *cells;
};

/* Not itself shared: made before the fork, and never changed after. */
struct metrics {
	unsigned int processes;
	unsigned int first[METRIC_COUNT]; /* cell in a slot */
	unsigned int cells_of[METRIC_COUNT];
	unsigned int cells_max;
	size_t slot_cells; /* with what fills the last cache line */
	size_t size;
	_Atomic uint64_t *cells;
	struct meter meters[];
};

#endif
