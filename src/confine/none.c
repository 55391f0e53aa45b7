/* SPDX-License-Identifier: Apache-2.0 */
/* Of a build without confinement: in place of filter.c, rules.c and refused.c. */
#include "confine/confine.h"

bool confine_is_built(void)
{
	return false;
}

bool confine_enter(const struct confine_profile *profile, struct error *error)
{
	(void)error;
	log_warning(profile->log, "not confined: this build is without confinement");
	return true;
}
