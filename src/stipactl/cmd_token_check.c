/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

const struct command token_check_commands[] = {
	{ 0 },
};
