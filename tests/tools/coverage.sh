#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Build with gcc's --coverage below the build folder, run every test, and print how much of each
# source file ran.   usage: coverage.sh SRCDIR
set -e
srcdir=$(cd "$1" && pwd)
mkdir -p coverage-build
cd coverage-build
[ -f config.status ] ||
	"$srcdir/configure" -q --disable-confinement CFLAGS="-O0 -g --coverage -fprofile-update=atomic" \
		LDFLAGS=--coverage
find . -name '*.gcda' -delete
make -s -j"$(nproc)" -k check || echo "coverage: some tests failed; the figures stand all the same"

find . -path './src/*' -name '*.gcno' | sort | while read -r data; do
	gcov -n -o "${data%/*}" "$data" 2>/dev/null
done | awk -v top="$srcdir/" '
	/^File / { file = $2; gsub(/'\''/, "", file); sub(top, "", file); sub(/^(\.\.\/)+/, "", file) }
	/^Lines executed/ && file ~ /^src\// {
		split($0, part, /[:% ]+/)
		lines = part[5]; share = part[3]
		printf "%6.1f %% of %5d  %s\n", share, lines, file
		all += lines; ran += lines * share / 100; file = ""
	}
	END { if (all) printf "%6.1f %% of %5d  all of src\n", 100 * ran / all, all }'
