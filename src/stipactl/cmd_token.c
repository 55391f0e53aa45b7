/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger, as it is asked.  What needs no database is in cmd_token_check.c. */
#include "command.h"

const struct command token_commands[] = {
	{ 0 },
};
