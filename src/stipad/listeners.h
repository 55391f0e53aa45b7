/* SPDX-License-Identifier: Apache-2.0 */
/* The sockets that a generation binds, or has from the one before it, and its edges share. */
#ifndef STIPAD_LISTENERS_H
#define STIPAD_LISTENERS_H

#include "base/error.h"
#include "config/config.h"
#include "sockets.h"

/* All that the configuration names, listening: a copy of the @inherited one, or bound anew.  A
 * socket file on which nobody listens is replaced.  Nothing stays open after a failure. */
bool listeners_open(struct sockets *listeners, const struct config *config,
		    const struct sockets *inherited, struct error *error) MUST_CHECK;

#endif
