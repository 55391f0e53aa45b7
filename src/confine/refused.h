/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to a forbidden call: the kernel sends SIGSYS in its place, and its handler says so
 * in the log and makes EPERM of it. */
#ifndef CONFINE_REFUSED_H
#define CONFINE_REFUSED_H

#include "confine/confine.h"

/* Set the handler up. */
bool refused_heed(const struct confine_profile *profile, struct error *error) MUST_CHECK;

#endif
