# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Every test: a plain build by gcc runs all, a sanitizer build by clang what finds memory errors.
# The last line says "N passed, N failed", also when a build does not come that far.

passed=0 failed=0

# check_build FOLDER OPTION...: configure and build; false when that fails.
check_build()
(
	folder=$1
	shift
	build_configure "$folder" "$@" || exit 1
	step "Building ${folder##*/}"
	cd "$folder" && run_logged "make-${folder##*/}" make -j"$(cores)" all
)

check_tests_of()
{
	make -s --no-print-directory --eval='print-tests: ; @echo $(TESTS)' print-tests
}

# Without one result, the tests did not build: one failure, and why.
check_began()
{
	[ -n "$(find . -name '*.trs' -print -quit)" ] && return
	failed=$((failed + 1))
	say "---- the tests of ${PWD##*/} did not run"
	grep -E 'error|\*\*\* ' "$work/log/check-${PWD##*/}.log" | head -n 20
	return 1
}

# check_results: count what the tests left; one that left nothing has failed.
check_results()
{
	local test base result
	check_began || return
	for test in $(check_tests_of); do
		base=${test%.sh}
		result=$(sed -n 's/^:test-result: //p' "$base.trs" 2>/dev/null)
		case $result in
		PASS | XFAIL)
			passed=$((passed + 1))
			;;
		*)
			failed=$((failed + 1))
			say "---- ${result:-NO RESULT}: $test"
			tail -n 60 "$base.log" 2>/dev/null
			;;
		esac
	done
}

# check_run FOLDER: build the tests and run them.
check_run()
{
	local status
	step "Running the tests of ${1##*/}"
	cd "$1" || return 1
	find . -name '*.trs' -delete
	find tests -name '*.log' -delete 2>/dev/null
	make -k -j"$(cores)" check </dev/null 2>&1 | tee "$work/log/check-${1##*/}.log" |
		grep --line-buffered -E '^(PASS|FAIL|ERROR|SKIP|XPASS|XFAIL): '
	status=${PIPESTATUS[0]}
	check_results
	[ "$status" = 0 ] || [ "$failed" != 0 ] || failed=1
	cd "$source" || return 1
}

check_one()
{
	if check_build "$@"; then
		check_run "$1"
	else
		say "---- the build ${1##*/} failed"
		failed=$((failed + 1))
	fi
}

# check_invariants FOLDER: each one by name, with its control, as the tests' logs have them.
check_invariants()
{
	step "The invariants"
	if "$source/tests/tools/invariants.sh" "$1"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
}

check()
{
	take_places
	take_lock
	trap 'exit 130' INT TERM HUP
	trap 'say "$passed passed, $((failed + 1)) failed"; exit 1' EXIT
	packages_install "to build and test" "${packages_run[@]}" "${packages_check[@]}"
	npm_install
	make_configure
	check_one "$work/check" --enable-werror
	check_invariants "$work/check"
	check_one "$work/check-clang-asan" --enable-werror --enable-sanitizers CC=clang
	trap - EXIT
	rmdir "$short" 2>/dev/null  # unless a demo lives there
	say "$passed passed, $failed failed"
	[ "$failed" = 0 ]
}
