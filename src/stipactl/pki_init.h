/* SPDX-License-Identifier: Apache-2.0 */
/* pki init makes the authority's root, and under it the key that signs tokens. */
#ifndef STIPACTL_PKI_INIT_H
#define STIPACTL_PKI_INIT_H

#include "command.h"

extern const struct param pki_init_params[];

bool pki_init(struct ctl *ctl, struct error *error);

#endif
