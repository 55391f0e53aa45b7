#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# clang-tidy (rules in .clang-tidy), cppcheck and shellcheck.  Takes minutes.
#   usage: lint.sh SRCDIR CFLAGS...       from the build folder
srcdir=$1
shift
rc=0
for tool in clang-tidy cppcheck shellcheck; do
	command -v "$tool" >/dev/null || { echo "lint wants $tool"; exit 1; }
done
# clang-tidy counts on standard error what it suppressed.
# shellcheck disable=SC2016
find "$srcdir/src" -name '*.c' | sort | xargs -P "$(nproc)" -I '{}' \
	sh -c 'clang-tidy --quiet "$@" 2>/dev/null' sh '{}' -- -std=gnu17 -I. -I"$srcdir/include" "$@" \
	-DSYSCONFDIR='"/etc"' -DMIGRATIONS_DIR='"/"' || rc=1
# cppcheck 2.10 knows neither __VA_OPT__ (syntaxError) nor that accept4 takes NULL.  The programs look
# users up and read folders in one thread.
(cd "$srcdir" && cppcheck --quiet --std=c17 --enable=warning,performance,portability \
	--inline-suppr --suppress=missingIncludeSystem --suppress=syntaxError \
	--suppress=getpwuidCalled --suppress=getpwnamCalled --suppress=readdirCalled \
	--suppress=nullPointer:src/http/server_accept.c -j "$(nproc)" \
	--library=posix,gnu --include=tests/tools/cppcheck.h --error-exitcode=1 -Iinclude src) ||
	rc=1
export srcdir
"$srcdir/tests/tools/check-shell.sh" || rc=1
exit $rc
