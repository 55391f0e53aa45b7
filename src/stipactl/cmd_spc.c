/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

const struct command spc_commands[] = {
	{ 0 },
};
