/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics that there are, and what is told of each. */
#ifndef METRICS_TABLE_H
#define METRICS_TABLE_H

#include "metrics/metrics.h"

#define METRIC_LABELS_MAX     2
#define METRIC_STATUS_CLASSES 5

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric_label {
	const char *name;
	const char *const *values; /* at least one, up to a NULL */
};

struct metric_row {
	const char *name; /* a counter's without _total */
	const char *help;
	enum metric_type type;
	const char *unit;			       /* the end of the name, or NULL */
	struct metric_label labels[METRIC_LABELS_MAX]; /* the last one changes fastest */
	const int64_t *bounds;			       /* of a histogram's buckets, up to a 0 */
	int64_t scale; /* what is observed, in one unit of what is printed; 0: 1 */
};

extern const struct metric_row metric_table[METRIC_COUNT];

unsigned int metric_values(const struct metric_label *label);
/* Combinations of label values; 1 without a label. */
unsigned int metric_combinations(const struct metric_row *row);
unsigned int metric_buckets(const struct metric_row *row); /* without that of all the rest */

/* Numbers that it has in a slot: one for each combination, or the buckets, that of all the rest and
 * the sum. */
unsigned int metric_cells(const struct metric_row *row);

/* The number of a label's value, or that of its last one. */
unsigned int metric_value_or_last(const struct metric_label *label, const char *value);

#endif
