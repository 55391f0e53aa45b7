#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The invariants that the tests have shown, each with its control: a test that proves one prints a
# line "I4 holds: <what was seen> | control: <what was seen where it is broken>".  This collects
# them from the logs of "make check" and fails when one has none.
#   usage: invariants.sh [BUILD-FOLDER]
build=${1:-.}

invariants()
{
	cat <<-'END'
		I1	every token that a client received is in the ledger, byte for byte
		I2	every acknowledged write survives a crash
		I3	no token leaves when the outcome of its commit is not known
		I4	no ledger row follows a right that was taken away
		I5	a jti is unique for ever, and the ledger agrees with what was signed
		I6	what is signed is what policy allowed at that moment
		I7	foreign and absent resources look the same
		I8	iat is within 2 s of the time and does not fall
		I9	no 5xx without a fault, and with one only 503 with Retry-After
		I13	no secret in a log, a core, the database, an error or a list of processes
		I14	what cannot be recorded is not issued
		I15	memory, descriptors and connections return after an attack
		I16	it recovers without a human hand, in time
		I17	a reload and a new program lose no request
		I18	a restored old database cannot issue
	END
}

# seen_of NAME: each line of it, behind the name of its test.
seen_of()
{
	find "$build/tests" -name '*.log' -exec grep -H "^$1 holds: .* | control: " {} + |
		sed -E "s,^$build/tests/,,; s,\.log:$1 holds: ,: ,; s, \| control: ,\\
        control: ," | sed 's/^/    /; s/^ *control: /        control: /'
}

table()
{
	invariants | while read -r name what; do
		seen=$(seen_of "$name")
		if [ -n "$seen" ]; then
			printf '%s  %s\n%s\n' "$name" "$what" "$seen"
		else
			printf '%s  %s\n    MISSING\n' "$name" "$what"
		fi
	done
}

shown=$(table)
echo "$shown"
! echo "$shown" | grep -q '^    MISSING$'
