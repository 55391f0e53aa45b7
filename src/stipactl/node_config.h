/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of a node: the file that stipad reads. */
#ifndef STIPACTL_NODE_CONFIG_H
#define STIPACTL_NODE_CONFIG_H

#include <jansson.h>

#include "base/error.h"
#include "config/config.h"

#define NODE_CONFIG_FILE "/etc/stipa/stipad.conf"

/* Every fault becomes a text of @faults (NULL: only the first is wanted).  NULL with ERROR_INVALID
 * that tells how many there are and which is the first.  Free with config_free(). */
struct config *node_config_load(const char *path, json_t *faults, struct error *error) MUST_CHECK;

#endif
