/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

const struct command account_commands[] = {
	{ 0 },
};
