#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# stipactl(1) has every command with its whole usage line, and no other; every setting of
# stipactl.conf and every error code stands there too.
man=${srcdir:=.}/man/stipactl.1
sample=$srcdir/deploy/stipactl.conf
rc=0

wrong()
{
	echo "$*"
	rc=1
}

as_roff()
{
	sed 's/-/\\-/g'
}

[ -x ./stipactl ] || { echo "stipactl is not built: make"; exit 99; }
commands=$(./stipactl help | awk '/^  / { print $1 "/" $2 }')
[ -n "$commands" ] || wrong "stipactl help lists nothing"

for command in $commands; do
	usage=$(./stipactl "${command%/*}" "${command#*/}" --help |
		sed -n 's/^usage: stipactl //p' | as_roff)
	grep -qxF ".B $usage" "$man" || wrong "$man: lacks the line: .B $usage"
done

grep -E '^\.B [a-z]+ [a-z\\-]+' "$man" | grep -v '^.B stipactl' | sed 's/\\-/-/g' |
while read -r _ group verb _; do
	echo "$commands" | grep -qx "$group/$verb" || echo "$man: no such command: $group $verb"
done | grep . && rc=1

settings=$(sed -n 's/.*CFG_SIMPLE_STR("\([a-z_]*\)".*/\1/p' "$srcdir/src/stipactl/settings.c")
[ -n "$settings" ] || wrong "settings.c: no settings found"
for setting in $settings; do
	grep -qxF ".B $setting" "$man" || wrong "$man: lacks the setting $setting"
	grep -qE "^#? ?$setting = " "$sample" || wrong "$sample: lacks the setting $setting"
done

codes=$(sed -nE 's/.*ERROR_[A-Z_]+, "([a-z-]+)"[ ,].*/\1/p' "$srcdir/src/db/query.c" \
	"$srcdir/src/db/migrate.c" | sort -u)
[ -n "$codes" ] || wrong "no error codes found"
for code in $codes; do
	grep -qE "[ ,]$(echo "$code" | sed 's/-/\\\\-/g')[,.]" "$man" ||
		grep -qE "^$(echo "$code" | sed 's/-/\\\\-/g')," "$man" ||
		wrong "$man: lacks the code $code"
done
exit $rc
