/* SPDX-License-Identifier: Apache-2.0 */
#include "confinement.h"

#include "config/config.h"
#include "confine/confine.h"
#include "db/place.h"
#include "metrics/metrics.h"

static unsigned int parts_for(const struct db_place *place)
{
	return CONFINE_DIALS | CONFINE_RECORDS | (place->by_unix ? CONFINE_UNIX : 0) |
	       (place->by_inet ? CONFINE_INET : 0) | (place->by_inet6 ? CONFINE_INET6 : 0) |
	       (place->reads ? CONFINE_READS : 0);
}

bool authority_confine(const struct authority_options *options, struct error *error)
{
	struct confine_profile profile = { .log = options->log };
	struct db_place place;

	if (!options->confined)
		return true;
	if (!db_place_of(options->config->database, &place, error))
		return false;
	profile.parts = parts_for(&place);
	profile.refused = meter_counter(options->meter, METRIC_CALLS_REFUSED, 0);
	return confine_enter(&profile, error);
}
