#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Take into tests/fuzz/corpus what fuzz.sh has found that reaches further, and of what an earlier
# merge has put there only what still does, the smallest first and up to CORPUS_MAX bytes in all.
# Inputs that a person has named stay as they are.
#   usage: fuzz-merge.sh SRCDIR TARGET...        (tests/fuzz/fuzz_x ...)
# shellcheck source=tests/tools/fuzz-lib.sh
. "$(dirname "$0")/fuzz-lib.sh"
CORPUS_MAX=${CORPUS_MAX:-400000}
INPUT_MAX=${INPUT_MAX:-4096}

# The names that libFuzzer gives: SHA-1 in hexadecimal.
made_by_a_fuzzer()
{
	find "$1" -type f -regextype posix-extended -regex '.*/[0-9a-f]{40}'
}

bytes_of()
{
	find "$1" -type f -printf '%s\n' | awk '{ n += $1 } END { print n + 0 }'
}

bytes_of_made()
{
	made_by_a_fuzzer "$1" | xargs -r stat -c '%s' | awk '{ n += $1 } END { print n + 0 }'
}

# Into $new, the named ones first and the rest on top of what they reach.
choose()
{
	rm -rf "$new" && cp -R "$corpus" "$new" || return 1
	made_by_a_fuzzer "$new" | xargs -r rm
	# shellcheck disable=SC2086
	"./$name.fuzz" $limits -merge=1 -max_len="$INPUT_MAX" "$new" "$corpus" "$work" \
		>"$name.merge" 2>&1 || { tail -n 20 "$name.merge"; return 1; }
}

# The smallest up to so many bytes.
cut_down()
{
	rest=$((CORPUS_MAX - $(bytes_of "$new") + $(bytes_of_made "$new")))
	made_by_a_fuzzer "$new" | xargs -r stat -c '%s %n' | sort -n |
		awk -v rest="$rest" '(sum += $1) > rest { print $2 }' | xargs -r rm
}

merge_target()
{
	new=$name.new
	choose || return 1
	cut_down
	made_by_a_fuzzer "$corpus" | xargs -r rm
	made_by_a_fuzzer "$new" | xargs -r cp -t "$corpus"
	echo "$name: $(find "$corpus" -type f | wc -l) inputs, $(bytes_of "$corpus") bytes"
}

srcdir=$1
shift
fuzz_begin "$srcdir"
for target; do
	fuzz_make "$target" && merge_target || exit 1
done
