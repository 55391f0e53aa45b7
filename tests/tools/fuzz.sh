#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Run each fuzz target with libFuzzer, FUZZ_SECONDS (60) long by the clock, or until it has used
# FUZZ_CPU_SECONDS of a core, however busy the machine is.  What is found stays in
# fuzz-build/<target>/; new inputs too.  A table of what was done comes last.  Fails when a target
# has found something.
#   usage: fuzz.sh SRCDIR TARGET...        (tests/fuzz/fuzz_x ...)
# shellcheck source=tests/tools/fuzz-lib.sh
. "$(dirname "$0")/fuzz-lib.sh"
fuzzer=
trap 'kill "$fuzzer" 2>/dev/null' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Seconds of a core that the fuzzer has used; an error when it has ended.
cpu_seconds()
{
	sed 's/.*) //' "/proc/$fuzzer/stat" 2>/dev/null | awk -v hz="$(getconf CLK_TCK)" \
		'$1 == "Z" { exit } { print int(($12 + $13) / hz) }' | grep .
}

start_fuzzer()
{
	# shellcheck disable=SC2086
	"./$name.fuzz" $limits -max_total_time="$1" -artifact_prefix="$work/" \
		-print_final_stats=1 "$work" "$corpus" >"$name.log" 2>&1 &
	fuzzer=$!
}

# libFuzzer ends by itself when it is told so.
watch_cpu()
{
	while used=$(cpu_seconds); do
		cpu=$used
		[ -z "$FUZZ_CPU_SECONDS" ] || [ "$cpu" -lt "$FUZZ_CPU_SECONDS" ] ||
			kill -USR1 "$fuzzer"
		sleep 1
	done
}

# The last words of libFuzzer as a row: inputs tried, edges and features reached.
row()
{
	awk -v name="${name#fuzz_}" -v cpu="$cpu" '
		{ for (i = 1; i < NF; i++) {
			if ($i == "cov:") cov = $(i + 1)
			if ($i == "ft:") ft = $(i + 1) } }
		/^stat::number_of_executed_units/ { n = $2 }
		END { printf "| %s | %d | %d | %d | %d |\n", name, n, cov, ft, cpu }' "$name.log"
}

run_target()
{
	cpu=0
	if [ -n "$FUZZ_CPU_SECONDS" ]; then
		echo "==> $name, $FUZZ_CPU_SECONDS s of CPU"
		start_fuzzer $((FUZZ_CPU_SECONDS * 20))
	else
		echo "==> $name, ${FUZZ_SECONDS:-60} s"
		start_fuzzer "${FUZZ_SECONDS:-60}"
	fi
	watch_cpu
	wait "$fuzzer" || { tail -n 40 "$name.log"; found="$found $name"; }
	row >>figures
}

srcdir=$1
shift
fuzz_begin "$srcdir"
found=
printf '| Target | Executions | Edges | Features | CPU s |\n|---|---|---|---|---|\n' >figures
for target; do
	fuzz_make "$target" || exit 1
	run_target
done
cat figures
[ -z "$found" ] || { echo "found something:$found"; exit 1; }
