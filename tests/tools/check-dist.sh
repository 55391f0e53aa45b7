#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# "make dist" ships every file of the source: all that git knows, or all of a release that is built
# in a folder of its own.
srcdir=${srcdir:-.}
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
unset MAKEFLAGS MFLAGS MAKELEVEL

git_files()
{
	[ -e "$srcdir/.git" ] &&
		git -c safe.directory='*' -C "$srcdir" ls-files 2>/dev/null | grep -vx .gitignore
}

found_files()
{
	(cd "$1" && find . \( -path './_*' -o -name __pycache__ \) -prune -o -type f -print | cut -c3-)
}

make -s distdir distdir="$dir/release" >"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
found_files "$dir/release" | sort >"$dir/shipped"
git_files >"$dir/files" || found_files "$srcdir" >"$dir/files"
[ -s "$dir/files" ] || { echo "no files found"; exit 1; }
if [ ! -e "$srcdir/.git" ] && [ "$(cd "$srcdir" && pwd)" = "$(pwd)" ]; then
	echo "built where the source is: nothing tells the files of the two apart"
	exit 0
fi
lacking=$(sort "$dir/files" | comm -23 - "$dir/shipped")
[ -z "$lacking" ] || { echo "Makefile.am does not ship:"; echo "$lacking"; exit 1; }
