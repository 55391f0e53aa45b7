#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Print how long our functions and files are, beside the projects we learn from.  A mirror, not
# a gate.
cd "${srcdir:-.}" || exit 99
command -v ctags >/dev/null || { echo "shape wants universal-ctags"; exit 1; }

function_lengths()
{
	find src -name '*.c' | ctags -L - --languages=C --kinds-C=f --fields=+ne -f - |
		awk -F'\t' '{
			line = end = 0
			for (i = 4; i <= NF; i++) {
				if ($i ~ /^line:/) line = substr($i, 6)
				if ($i ~ /^end:/) end = substr($i, 5)
			}
			if (end >= line && line) print end - line + 1, $2 ":" $1
		}' | sort -n
}

file_lengths()
{
	find src -name '*.c' -exec wc -l {} + | awk '$2 != "total" { print $1, $2 }' | sort -n
}

# distribution NAME: median, nine in ten, and the longest.
distribution()
{
	awk -v name="$1" '{ n++; length_of[n] = $1; what[n] = $2 } END {
		if (n == 0) exit
		printf "%-10s %5d   median %3d   nine in ten under %3d   longest %4d  %s\n", name, n,
			length_of[int((n + 1) / 2)], length_of[int(n * 0.9 + 0.5)] + 1,
			length_of[n], what[n]
	}'
}

function_lengths | distribution functions
echo "anchors            median 11-13  nine in ten under  40"
file_lengths | distribution files
