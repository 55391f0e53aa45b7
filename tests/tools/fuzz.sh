#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Run each fuzz target with libFuzzer, FUZZ_SECONDS (60) long, in a build of its own below the
# build folder.  What is found stays in fuzz-build/<target>/; new inputs too.
#   usage: fuzz.sh SRCDIR TARGET...        (tests/fuzz/fuzz_x ...)
set -e
srcdir=$(cd "$1" && pwd)
shift
seconds=${FUZZ_SECONDS:-60}
flags="-g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined,fuzzer-no-link"
command -v clang >/dev/null || { echo "fuzz wants clang"; exit 1; }

mkdir -p fuzz-build
cd fuzz-build
[ -f config.status ] ||
	"$srcdir/configure" -q --enable-sanitizers CC=clang CFLAGS="$flags" LDFLAGS="$flags"
make -s -j"$(nproc)" libstipa.a
libs=$(make -s --eval='print-libs: ; @echo $(DEPS_LIBS)' print-libs)
for target; do
	name=${target##*/}
	mkdir -p "$name"
	helpers=$(find "$srcdir/tests/fuzz" -name "${name}_*.c")
	# shellcheck disable=SC2086
	clang $flags -fsanitize=fuzzer -std=gnu17 -D_GNU_SOURCE -I"$srcdir/include" -I"$srcdir" \
		-I. "$srcdir/$target.c" $helpers libstipa.a $libs -pthread -o "$name.fuzz"
	echo "==> $name, $seconds s"
	"./$name.fuzz" -max_total_time="$seconds" -artifact_prefix="$name/" -print_final_stats=1 \
		"$name" "$srcdir/tests/fuzz/corpus/${name#fuzz_}" 2>&1 | tail -n 12
done
