/* SPDX-License-Identifier: Apache-2.0 */
/* OpenMetrics 1.0: https://openmetrics.io, the text format of its section 4. */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "block.h"

static const char *const type_names[] = {
	[METRIC_COUNTER] = "counter",
	[METRIC_GAUGE] = "gauge",
	[METRIC_HISTOGRAM] = "histogram",
};

static uint64_t sum(const struct metrics *metrics, enum metric metric, unsigned int n)
{
	const _Atomic uint64_t *cell = metrics->cells + metrics->first[metric] + n;
	uint64_t all = 0;

	for (unsigned int i = 0; i < metrics->processes; i++, cell += metrics->slot_cells)
		all += atomic_load_explicit(cell, memory_order_relaxed);
	return all;
}

static void print_head(FILE *file, const struct metric_row *row)
{
	fprintf(file, "# TYPE %s %s\n", row->name, type_names[row->type]);
	if (row->unit != NULL)
		fprintf(file, "# UNIT %s %s\n", row->name, row->unit);
	fprintf(file, "# HELP %s %s\n", row->name, row->help);
}

/* The labels of combination @n, in braces. */
static void print_labels(FILE *file, const struct metric_row *row, unsigned int n)
{
	unsigned int rest = metric_combinations(row);

	for (size_t i = 0; i < METRIC_LABELS_MAX && row->labels[i].name != NULL; i++) {
		const struct metric_label *label = &row->labels[i];
		unsigned int values = metric_values(label);

		rest /= values;
		fprintf(file, "%s%s=\"%s\"", i == 0 ? "{" : ",", label->name,
			label->values[n / rest % values]);
	}
	if (row->labels[0].name != NULL)
		fputc('}', file);
}

static void print_counter(FILE *file, const struct metrics *metrics, enum metric metric)
{
	const struct metric_row *row = &metric_table[metric];

	for (unsigned int n = 0; n < metrics->cells_of[metric]; n++) {
		fprintf(file, "%s_total", row->name);
		print_labels(file, row, n);
		fprintf(file, " %" PRIu64 "\n", sum(metrics, metric, n));
	}
}

static void print_gauge(FILE *file, const struct metrics *metrics, enum metric metric)
{
	fprintf(file, "%s %" PRId64 "\n", metric_table[metric].name,
		(int64_t)sum(metrics, metric, 0));
}

/* Whole numbers with ".0", as OpenMetrics has them in labels. */
static void print_bound(FILE *file, int64_t bound, int64_t scale)
{
	if (bound % scale == 0)
		fprintf(file, "%" PRId64 ".0", bound / scale);
	else
		fprintf(file, "%g", (double)bound / (double)scale);
}

static void print_histogram(FILE *file, const struct metrics *metrics, enum metric metric)
{
	const struct metric_row *row = &metric_table[metric];
	unsigned int buckets = metric_buckets(row);
	int64_t scale = row->scale == 0 ? 1 : row->scale;
	uint64_t so_far = 0;

	for (unsigned int n = 0; n < buckets; n++) {
		so_far += sum(metrics, metric, n);
		fprintf(file, "%s_bucket{le=\"", row->name);
		print_bound(file, row->bounds[n], scale);
		fprintf(file, "\"} %" PRIu64 "\n", so_far);
	}
	so_far += sum(metrics, metric, buckets);
	fprintf(file, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", row->name, so_far);
	fprintf(file, "%s_count %" PRIu64 "\n", row->name, so_far);
	fprintf(file, "%s_sum %.6f\n", row->name,
		(double)sum(metrics, metric, buckets + 1) / (double)scale);
}

static void (*const printers[])(FILE *file, const struct metrics *metrics, enum metric metric) = {
	[METRIC_COUNTER] = print_counter,
	[METRIC_GAUGE] = print_gauge,
	[METRIC_HISTOGRAM] = print_histogram,
};

char *metrics_to_text(const struct metrics *metrics, size_t *len)
{
	char *text = NULL;
	FILE *file = open_memstream(&text, len);
	bool whole;

	if (file == NULL)
		return NULL;
	for (int i = 0; i < METRIC_COUNT; i++) {
		print_head(file, &metric_table[i]);
		printers[metric_table[i].type](file, metrics, i);
	}
	fputs("# EOF\n", file);
	whole = ferror(file) == 0;
	if (fclose(file) == 0 && whole)
		return text;
	free(text);
	return NULL;
}
