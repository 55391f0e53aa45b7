#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The manual page and the sample name exactly the options of the program's table, with their
# defaults, and the sample is a good file.
srcdir=${srcdir:-.}
stipad=./stipad
page=$srcdir/man/stipad.conf.5
sample=$srcdir/deploy/stipad.conf
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
rc=0

# "name default", "name required" or "name unset", in the order of the table
$stipad --print-config | sed -n -e '/; required$/{n;s/^# \([a-z0-9_]*\) = $/\1 required/p;}' \
	-e 's/^# \([a-z0-9_]*\) = $/\1 unset/p' \
	-e 's/^\([a-z0-9_]*\) = "\{0,1\}\([^"]*\)"\{0,1\}$/\1 \2/p' >"$dir/table" || rc=1

# the same from the page: an entry, then "Required.", "Unset: …" or "Default:" and the value
awk '/^\.TP/ { getline; name = $1 == ".B" && NF == 2 ? $2 : "" }
	/^Required\.$/ { print name, "required" }
	/^Unset: / { print name, "unset" }
	/^Default:$/ { getline; print name, $2 }' "$page" >"$dir/page"

# the same from the sample: what is set has no default
awk '/^[a-z0-9_]+ = / { print $1, "required" }
	/^# [a-z0-9_]+ =$/ { print $2, "unset" }
	/^# [a-z0-9_]+ = / { print $2, $4 }' "$sample" >"$dir/sample"

[ "$(wc -l <"$dir/table")" -gt 20 ] || { echo "no table of options"; rc=1; }
diff -u "$dir/table" "$dir/page" || rc=1
diff -u "$dir/table" "$dir/sample" || rc=1
$stipad --check-config --config "$sample" || rc=1

# the program's own options stand in stipad(8)
for option in $($stipad --help | grep -o -- ' --[a-z-]*'); do
	escaped=$(echo "$option" | sed 's/-/\\\\-/g')
	grep -q -- "$escaped" "$srcdir/man/stipad.8" || { echo "stipad.8: no $option"; rc=1; }
done
exit $rc
