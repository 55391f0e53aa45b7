/* SPDX-License-Identifier: Apache-2.0 */
/* What orders ask the database, each kind of call in a lane of its own. */
#include "access.h"
#include "oauth_db.h"

#define BATCH_MAX 256
#define KEYS_MAX  16 /* signatures verified in one turn of the loop */
#define COMMIT_MS 2000
/* What takes rights away may have to wait until another node's batch has been ended for it. */
#define TAKING_MS 5000

static void on_failed(void *arg, struct db_ask *ask, const struct error *error)
{
	(void)arg;
	flow_resume(&((struct access *)ask)->flow, error);
}

/* Each goes on with its row; where it waits again, the row is not needed any more. */
static void on_decided(void *arg, struct db_asks *asks, PGresult *rows)
{
	const struct error none = { 0 };
	struct db_ask *ask;

	(void)arg;
	for (int row = 0; (ask = STAILQ_FIRST(asks)) != NULL; row++) {
		struct access *access = (struct access *)ask;

		STAILQ_REMOVE_HEAD(asks, link);
		access->rows = rows;
		access->row = row;
		flow_resume(&access->flow, &none);
	}
	PQclear(rows);
}

static void bind_clock(void *arg, struct db_call *call, const uint8_t clock[DB_TIME_LEN])
{
	(void)arg;
	db_bind_bytes(call, 0, clock, DB_TIME_LEN);
}

#define LANE_ADD(name)                                                                             \
	static bool add_to_##name(void *arg, struct db_ask *ask, int64_t unix_us,                  \
				  struct db_array *arrays, struct error *error)                    \
	{                                                                                          \
		(void)arg;                                                                         \
		(void)unix_us;                                                                     \
		(void)error;                                                                       \
		oauth_##name##_add((struct access *)ask, arrays);                                  \
		return true;                                                                       \
	}

LANE_ADD(keys)
LANE_ADD(hashes)
LANE_ADD(grants)
LANE_ADD(revocations)
LANE_ADD(reports)

#define LANE(name, scalars_, max, ms)                                                              \
	{                                                                                          \
		.statement = &oauth_##name, .scalars = (scalars_),                                 \
		.arrays = oauth_##name##_arrays, .batch_max = (max), .answer_ms = (ms),            \
		.bind = bind_clock, .add = add_to_##name, .decided = on_decided,                   \
		.failed = on_failed,                                                               \
	}

static const struct db_lane_kind kinds[LANE_COUNT] = {
	[LANE_KEYS] = LANE(keys, 0, KEYS_MAX, COMMIT_MS),
	[LANE_HASHES] = LANE(hashes, 0, BATCH_MAX, COMMIT_MS),
	[LANE_GRANTS] = LANE(grants, OAUTH_GRANTS_SCALARS, BATCH_MAX, COMMIT_MS),
	[LANE_REVOCATIONS] = LANE(revocations, 0, BATCH_MAX, TAKING_MS),
	[LANE_REPORTS] = LANE(reports, 0, BATCH_MAX, TAKING_MS),
};

bool lanes_make(struct oauth *oauth, struct db_desk *desk, unsigned int queue_max,
		struct error *error)
{
	for (size_t i = 0; i < LANE_COUNT; i++) {
		oauth->lanes[i] = db_lane_new(desk, &kinds[i], queue_max, oauth);
		if (oauth->lanes[i] == NULL)
			return error_set(error, ERROR_UNAVAILABLE, "no memory for a lane");
	}
	return true;
}
