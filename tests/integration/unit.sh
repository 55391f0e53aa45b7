#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154  # pid_a is set by the node's start
# The systemd unit: its exposure is low, it and its users and folders read well; and, as root, a node
# that is started with just the user, the capabilities and the system calls that the unit gives: its
# children are users of their own without any capability, it reloads, replaces a child that hangs,
# and ends as a whole.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"

unit=deploy/systemd/stipad.service
EXPOSURE_MAX=20  # of 100; "systemd-analyze security" prints 2.0

exposure_is_low()
{
	systemd-analyze security --no-pager --offline=true --threshold="$EXPOSURE_MAX" "$1" >"$scratch/exposure" 2>&1
}

unit_is_hardened()
{
	exposure_is_low "$PWD/$unit" && tail -1 "$scratch/exposure" ||
		{ grep -v '✓' "$scratch/exposure"; return 1; }
}

# The control: without one of its lines it is above.
a_soft_unit_is_noticed()
{
	grep -v '^SystemCallFilter=' "$unit" >"$scratch/stipad.service"
	! exposure_is_low "$scratch/stipad.service"
}

# With a program that is there; the manual pages need not be installed.
verify()
{
	sed -e "s,=[^ ]*/stipad ,=$PWD/stipad ," -e '/^Documentation=/d' "$1" >"$scratch/verified.service"
	systemd-analyze verify --recursive-errors=no "$scratch/verified.service" 2>"$scratch/verify"
	! grep -v '^$' "$scratch/verify"
}

unit_reads_well()
{
	verify "$unit"
}

a_bad_unit_is_noticed()
{
	sed 's/^ProtectSystem=.*/ProtectSytem=strict/' "$unit" >"$scratch/bad.service"
	! verify "$scratch/bad.service" >/dev/null
}

# In a folder of their own.
users_and_folders_are_made()
{
	root=$scratch/root
	mkdir -p "$root/etc" "$root/var/lib" &&
	systemd-sysusers --root="$root" "$PWD/deploy/systemd/sysusers.conf" >"$scratch/sysusers" 2>&1 &&
	grep -q '^stipa-edge:' "$root/etc/passwd" && grep -q '^stipa-authority:' "$root/etc/passwd" &&
	grep -q '^stipa:' "$root/etc/passwd" || { cat "$scratch/sysusers"; return 1; }
	sed 's,@sysconfdir@,/etc,; s,@localstatedir@,/var,' "$srcdir/deploy/systemd/tmpfiles.conf.in" \
		>"$scratch/tmpfiles.conf"
	systemd-tmpfiles --root="$root" --create "$scratch/tmpfiles.conf" >"$scratch/tmpfiles" 2>&1 &&
	[ -d "$root/etc/stipa/keys" ] && [ "$(stat -c %a "$root/var/lib/stipa")" = 700 ] ||
		{ cat "$scratch/tmpfiles"; return 1; }
}

# ---- a node as the unit starts it, with users that every Debian has ----

capabilities()
{
	sed -n 's/^AmbientCapabilities=//p' "$unit" | tr 'A-Z' 'a-z' | sed 's/cap_/+/g; s/ /,/g'
}

make_node()
{
	node_conf a "$port_a" && edge_user=nobody && authority_user=postgres &&
	printf 'user_edge = %s\nuser_authority = %s\n' $edge_user $authority_user >>"$dir/a.conf" &&
	chown $edge_user "$dir/tls/server.key" &&
	chown -R $authority_user "$dir/state-a" "$dir/passphrase" "$dir/pki/$kid.key" &&
	chmod 755 "$dir/pki" "$dir/pki/certs" "$dir/tls" && chmod 644 "$dir/pki/certs/"*.pem &&
	mkdir "$dir/run" && chown daemon:daemon "$dir/run" &&
	sed -i "s,^local_socket = .*,local_socket = \"$dir/run/a.sock\"," "$dir/a.conf" &&
	cp tests/integration/filtered "$dir/filtered" &&
	"$STIPA_PYTHON" "$srcdir/tests/integration/unit_calls.py" "$unit" >"$dir/calls" &&
	grep -q '^setresuid$' "$dir/calls" && ! grep -q '^ptrace$' "$dir/calls" &&
	cp ./stipad "$dir/stipad" && chmod 755 "$dir/stipad" && ln -s run/a.sock "$dir/a.sock"
}

start_as_the_unit_does()
{
	setpriv --reuid=daemon --regid=daemon --clear-groups --no-new-privs \
		--inh-caps="-all,$(capabilities)" --ambient-caps="-all,$(capabilities)" \
		--bounding-set="-all,$(capabilities)" \
		"$dir/filtered" "$dir/calls" "$dir/stipad" --config "$dir/a.conf" >>"$dir/a.log" 2>&1 &
	pid_a=$!
	nodes="$nodes $pid_a"
	wait_ready a
}

# is_confined PID USER: it, without a capability of any kind that it could use.
is_confined()
{
	[ "$(awk '/^Uid:/ { print $2, $3, $4 }' "/proc/$1/status")" = \
		"$(id -u "$2") $(id -u "$2") $(id -u "$2")" ] &&
	! grep -E '^Cap(Inh|Prm|Eff|Amb):' "/proc/$1/status" | grep -q '[1-9a-f]$' &&
	grep -q '^NoNewPrivs:.1$' "/proc/$1/status"
}

children_are_confined()
{
	for child in $(children_named "$pid_a" edge); do
		is_confined "$child" nobody || return 1
	done
	is_confined "$(children_named "$pid_a" authority)" postgres
}

# reloads_to N
reloads_to()
{
	kill -HUP "$pid_a"
	wait_for serves_confined "$1" || { tail -5 "$dir/a.log"; return 1; }
}

serves_confined()
{
	grep -q "\"generation serves\",\"generation\":$1" "$dir/a.log" && children_are_confined
}

# Also by force, over the border of a user.
a_hung_child_is_replaced()
{
	victim=$(children_named "$pid_a" authority)
	kill -STOP "$victim"
	wait_for are_gone "$victim" && wait_ready a
}

all_die_with_the_monitor()
{
	all=$(descendants "$pid_a")
	kill -9 "$pid_a"
	wait_for are_gone "$all"
}

command -v systemd-analyze >/dev/null || fail "systemd-analyze is missing: install systemd"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/stipa-unit.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
run_step "The unit's exposure is at most $EXPOSURE_MAX of 100" unit_is_hardened
run_step "The control: one without a filter of system calls is above" a_soft_unit_is_noticed
run_step "The unit reads well" unit_reads_well
run_step "The control: a misspelt line is noticed" a_bad_unit_is_noticed
run_step "Its users and folders are made" users_and_folders_are_made
if [ "$(id -u)" != 0 ]; then
	echo "NOT SHOWN, as it takes root: a node with the unit's user, capabilities and calls"
	exit 0
fi
start_postgres
trap 'stop_all; rm -rf "$scratch"' EXIT
run_step "The authority is made" make_authority
run_step "A node has users of its own" make_node
run_step "It starts as the unit starts it" start_as_the_unit_does
run_step "Each child is its user, without a capability" children_are_confined
run_step "It reloads" reloads_to 2
echo "hang_timeout_ms = 2000" >>"$dir/a.conf"
run_step "And once more, for a setting" reloads_to 3
run_step "A child of another user that hangs is replaced" a_hung_child_is_replaced
run_step "All processes die with the monitor" all_die_with_the_monitor
