#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The programs are built as configure.ac says: hardening-check and checksec find nothing missing.  The
# control is a program built without any of it, in which they do.
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
rc=0

for tool in hardening-check checksec readelf; do
	command -v "$tool" >/dev/null || { echo "want $tool (devscripts, checksec, binutils)"; exit 1; }
done

# Debian's start files know no control flow protection, so no program has it as a whole; its own
# objects are looked at below.
has_everything()
{
	hardening-check --nocfprotection "$1" >"$dir/hardening" || return 1
	checksec --file="$1" --output=json >"$dir/checksec"
	for wanted in '"relro":"full"' '"canary":"yes"' '"nx":"yes"' '"pie":"yes"' '"rpath":"no"' \
		'"runpath":"no"' '"fortify_source":"yes"'; do
		grep -qF "$wanted" "$dir/checksec" || { echo "$1: not $wanted"; return 1; }
	done
}

# Objects, by name, that lack the marks of -fcf-protection.
without_marks()
{
	readelf -nW "$1" | awk '
		/^File: / { if (name != "" && !marked) print name; name = $2; marked = 0 }
		/IBT, SHSTK/ { marked = 1 }
		END { if (name == "" || !marked) print name == "" ? "no objects" : name }'
}

for program in stipad stipactl; do
	has_everything "$program" || { cat "$dir/hardening" "$dir/checksec"; rc=1; }
done

flags=$(sed -n 's/^HARDEN_CFLAGS = //p' Makefile)
for flag in -fstack-protector-strong -fstack-clash-protection; do
	case " $flags " in
	*" $flag "*) ;;
	*) echo "not built with $flag"; rc=1 ;;
	esac
done
case " $flags " in
*" -fcf-protection=full "*)
	[ -z "$(without_marks libstipa.a)" ] || { without_marks libstipa.a; rc=1; } ;;
esac

# the control
echo 'int main(int n, char **v) { char text[99]; text[n] = v[0][0]; return text[n]; }' >"$dir/bare.c"
${CC:-cc} -O0 -U_FORTIFY_SOURCE -fno-stack-protector -fno-pie -no-pie -Wl,-z,norelro,-z,lazy,-z,execstack \
	-o "$dir/bare" "$dir/bare.c" 2>/dev/null || { echo "no control was built"; rc=1; }
if has_everything "$dir/bare" >/dev/null; then
	echo "the control was not found out"
	rc=1
fi
exit $rc
