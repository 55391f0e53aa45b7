# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034
# For fuzz.sh and fuzz-merge.sh: libFuzzer's builds of the targets, in a folder of their own below
# the build folder.  Sourced there.
flags="-g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined,fuzzer-no-link"
# what a target may take: memory in MB, and seconds for one input, on a machine that has other work
limits="-rss_limit_mb=3000 -timeout=300"

# fuzz_begin SRCDIR: stand in fuzz-build with the library made.
fuzz_begin()
{
	srcdir=$(cd "$1" && pwd)
	command -v clang >/dev/null || { echo "this wants clang"; exit 1; }
	mkdir -p fuzz-build
	cd fuzz-build || exit 1
	[ -f config.status ] || "$srcdir/configure" -q --enable-sanitizers CC=clang \
		CFLAGS="$flags" LDFLAGS="$flags" || exit 1
	make -s -j"$(nproc)" libstipa.a || exit 1
	cflags=$(fuzz_variable DEPS_CFLAGS)
	libs=$(fuzz_variable DEPS_LIBS)
}

fuzz_variable()
{
	make -s --eval="fuzz-variable: ; @echo \$($1)" fuzz-variable
}

# fuzz_make TARGET: $name.fuzz, $work for its inputs and what it finds, $corpus in the tree.
fuzz_make()
{
	name=${1##*/}
	work=$name
	corpus=$srcdir/tests/fuzz/corpus/${name#fuzz_}
	helpers=$(find "$srcdir/tests/fuzz" -name "${name}_*.c")
	mkdir -p "$work"
	# shellcheck disable=SC2086
	clang $flags -fsanitize=fuzzer -std=gnu17 -D_GNU_SOURCE -I"$srcdir/include" -I"$srcdir" \
		-I. $cflags "$srcdir/$1.c" $helpers libstipa.a $libs -pthread -o "$name.fuzz"
}
