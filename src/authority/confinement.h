/* SPDX-License-Identifier: Apache-2.0 */
/* What the authority may still do when everything is open: reach its database, and no more. */
#ifndef AUTHORITY_CONFINEMENT_H
#define AUTHORITY_CONFINEMENT_H

#include "authority/authority.h"
#include "base/error.h"

/* For good; nothing at all, unless the options say so. */
bool authority_confine(const struct authority_options *options, struct error *error) MUST_CHECK;

#endif
