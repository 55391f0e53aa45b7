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
names=$(./stipactl help | sed -n 's/^  \([a-z -]*[a-z]\)  .*/\1/p')
[ -n "$names" ] || wrong "stipactl help lists nothing"
usages=$(echo "$names" | while read -r name; do
	# shellcheck disable=SC2086 # a name is of several words
	./stipactl $name --help | sed -n 's/^usage: stipactl //p' | as_roff
done)

lacking=$(echo "$usages" | while read -r usage; do
	grep -qxF ".B $usage" "$man" || echo "$man: lacks the line: .B $usage"
done)
[ -z "$lacking" ] || wrong "$lacking"

unknown=$(sed -n '/^\.SH COMMANDS/,/^\.SH CONFIGURATION/s/^\.B \([a-z].*\)/\1/p' "$man" |
	while read -r line; do
		echo "$usages" | grep -qxF "$line" || echo "$man: no such command: $line"
	done)
[ -z "$unknown" ] || wrong "$unknown"

settings=$(sed -n 's/.*CFG_SIMPLE_STR("\([a-z_]*\)".*/\1/p' "$srcdir/src/stipactl/settings.c")
[ -n "$settings" ] || wrong "settings.c: no settings found"
for setting in $settings; do
	grep -qxF ".B $setting" "$man" || wrong "$man: lacks the setting $setting"
	grep -qE "^#? ?$setting = " "$sample" || wrong "$sample: lacks the setting $setting"
done

codes=$(sed -nE 's/.*ERROR_[A-Z_]+, "([a-z-]+)"[ ,].*/\1/p' "$srcdir/src/db/query.c" \
	"$srcdir/src/db/migrate.c" "$srcdir"/src/stipactl/*.c "$srcdir"/src/registry/*.c | sort -u)
[ -n "$codes" ] || wrong "no error codes found"
for code in $codes; do
	grep -qE "[ ,]$(echo "$code" | sed 's/-/\\\\-/g')[,.]" "$man" ||
		grep -qE "^$(echo "$code" | sed 's/-/\\\\-/g')," "$man" ||
		wrong "$man: lacks the code $code"
done
exit $rc
