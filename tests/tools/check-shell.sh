#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every shell file passes shellcheck.
cd "${srcdir:-.}" || exit 99
command -v shellcheck >/dev/null || { echo "shellcheck is missing"; exit 1; }

# By their first line: a script without .sh is a shell file too.
shell_files()
{
	find . -path './.quickstart' -prune -o -path './build*' -prune -o -path ./.git -prune -o \
		-path ./aux -prune -o -name node_modules -prune -o -path ./autom4te.cache -prune -o \
		-type f ! -name 'configure*' ! -name config.status -print0 |
		xargs -0 awk '
			FNR == 1 && (/^#!.*[\/ ](ba)?sh( |$)/ || FILENAME ~ /\.sh$/) { print FILENAME }
			{ nextfile }'
}

shell_files | sort | tr '\n' '\0' | xargs -0 shellcheck --severity=warning
