/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "block.h"

#define CACHE_LINE 64 /* slots of two processes share none */

static bool has_label(const struct metrics *metrics, enum metric metric, unsigned int label)
{
	return label < metrics->cells_of[metric];
}

static _Atomic uint64_t *cell_at(struct meter *meter, enum metric metric, unsigned int n)
{
	return &meter->cells[meter->metrics->first[metric] + n];
}

static void add(_Atomic uint64_t *cell, uint64_t n)
{
	atomic_fetch_add_explicit(cell, n, memory_order_relaxed);
}

/* ---- counting ---- */

_Atomic uint64_t *meter_counter(struct meter *meter, enum metric metric, unsigned int label)
{
	if (meter == NULL || !has_label(meter->metrics, metric, label))
		return NULL;
	return cell_at(meter, metric, label);
}

void meter_count(struct meter *meter, enum metric metric, unsigned int label)
{
	if (meter != NULL && has_label(meter->metrics, metric, label))
		add(cell_at(meter, metric, label), 1);
}

void meter_change(struct meter *meter, enum metric gauge, int64_t by)
{
	if (meter != NULL)
		add(cell_at(meter, gauge, 0), (uint64_t)by);
}

void meter_set(struct meter *meter, enum metric gauge, int64_t value)
{
	if (meter != NULL)
		atomic_store_explicit(cell_at(meter, gauge, 0), (uint64_t)value,
				      memory_order_relaxed);
}

void meter_observe(struct meter *meter, enum metric histogram, int64_t value)
{
	const int64_t *bounds = metric_table[histogram].bounds;
	unsigned int bucket = 0;

	if (meter == NULL)
		return;
	if (value < 0) /* a clock that was set back */
		value = 0;
	while (bounds[bucket] != 0 && value > bounds[bucket])
		bucket++;
	add(cell_at(meter, histogram, bucket), 1);
	add(cell_at(meter, histogram, meter->metrics->cells_of[histogram] - 1), (uint64_t)value);
}

void meter_count_request(struct meter *meter, const char *route, int status, int64_t us)
{
	const struct metric_label *labels = metric_table[METRIC_REQUESTS].labels;
	unsigned int n, class = (unsigned int)status / 100 - 1;

	if (status < 100 || status > 599)
		return;
	n = metric_value_or_last(&labels[0], route == NULL ? "" : route);
	meter_count(meter, METRIC_REQUESTS, n * METRIC_STATUS_CLASSES + class);
	meter_observe(meter, METRIC_REQUEST_DURATION, us);
}

bool metrics_has_route(const char *route)
{
	const struct metric_label *label = &metric_table[METRIC_REQUESTS].labels[0];

	return strcmp(label->values[metric_value_or_last(label, route)], route) == 0;
}

/* ---- life ---- */

static void lay_out(struct metrics *metrics)
{
	const size_t in_line = CACHE_LINE / sizeof(_Atomic uint64_t);

	for (int i = 0; i < METRIC_COUNT; i++) {
		metrics->first[i] = metrics->cells_max;
		metrics->cells_of[i] = metric_cells(&metric_table[i]);
		metrics->cells_max += metrics->cells_of[i];
	}
	metrics->slot_cells = (metrics->cells_max + in_line - 1) / in_line * in_line;
	metrics->size = metrics->slot_cells * sizeof(_Atomic uint64_t) * metrics->processes;
}

struct metrics *metrics_new(unsigned int processes)
{
	struct metrics *metrics =
		calloc(1, sizeof(*metrics) + processes * sizeof(metrics->meters[0]));

	if (metrics == NULL)
		return NULL;
	metrics->processes = processes;
	lay_out(metrics);
	metrics->cells = mmap(NULL, metrics->size, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (metrics->cells == MAP_FAILED) {
		free(metrics);
		return NULL;
	}
	for (unsigned int i = 0; i < processes; i++)
		metrics->meters[i] =
			(struct meter){ metrics, metrics->cells + i * metrics->slot_cells };
	return metrics;
}

void metrics_free(struct metrics *metrics)
{
	if (metrics == NULL)
		return;
	munmap(metrics->cells, metrics->size);
	free(metrics);
}

struct meter *metrics_meter(struct metrics *metrics, unsigned int process)
{
	return process < metrics->processes ? &metrics->meters[process] : NULL;
}

void metrics_clear_gauges(struct metrics *metrics, unsigned int process)
{
	struct meter *meter = metrics_meter(metrics, process);

	for (int i = 0; i < METRIC_COUNT; i++) {
		if (metric_table[i].type == METRIC_GAUGE)
			meter_set(meter, i, 0);
	}
}
