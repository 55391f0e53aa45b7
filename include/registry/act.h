/* SPDX-License-Identifier: Apache-2.0 */
/* Who acts and why: the first two arguments of every function that changes the registry. */
#ifndef REGISTRY_ACT_H
#define REGISTRY_ACT_H

#include "db/query.h"

struct act {
	const char *actor;
	const char *reason;
};

#endif
