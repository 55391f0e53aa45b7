#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# gcc -fanalyzer over every source.  Takes minutes: what it follows grows with the branches.
#   usage: analyze.sh SRCDIR CFLAGS...    from the build folder
#
# An exception is explained where it stands: in a comment with "analyzer:" on the line, or within
# the two lines above it.  A source that takes more than ANALYZE_SECONDS (120) has a line with
# "analyzer: too many branches" in its first ten.
srcdir=$1
shift
: "${ANALYZE_SECONDS:=120}"
rc=0
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT

is_excused()
{
	sed -n "$(($2 > 2 ? $2 - 2 : 1)),$2p" "$1" | grep -q 'analyzer:'
}

for source in "$srcdir"/src/*/*.c; do
	head -10 "$source" | grep -q 'analyzer: too many branches' && continue
	timeout "$ANALYZE_SECONDS" gcc -std=gnu17 -O0 -fanalyzer -I. -I"$srcdir/include" "$@" \
		-DSYSCONFDIR='"/etc"' -DMIGRATIONS_DIR='"/"' -c "$source" -o /dev/null 2>"$out" ||
		{ echo "$source: not analyzed"; head -3 "$out"; rc=1; }
	grep -E '^[^ ]+:[0-9]+:[0-9]+: warning:' "$out" | sort -u >"$out.warnings"
	while IFS=: read -r file line column rest; do
		is_excused "$file" "$line" && continue
		echo "$file:$line:$column:$rest"
		rc=1
	done <"$out.warnings"
	rm -f "$out.warnings"
done
exit $rc
