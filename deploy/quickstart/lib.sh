# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# For quickstart: words on the screen, the places it uses, and processes that are ours.

say()
{
	printf '%s\n' "$*"
}

step()
{
	printf '\033[1m==>\033[0m %s\n' "$*"
}
[ -t 1 ] || step()
{
	printf '==> %s\n' "$*"
}

# die WHAT [NEXT STEP]
die()
{
	printf 'quickstart: %s\n' "$1" >&2
	[ $# -lt 2 ] || printf '            %s\n' "$2" >&2
	exit 1
}

wrong_use()
{
	printf 'quickstart: %s\n\n' "$1" >&2
	usage >&2
	exit 2
}

# run_logged NAME COMMAND...: quiet; what it said is shown when it fails.
run_logged()
{
	local log=$work/log/$1.log
	shift
	"$@" >"$log" 2>&1 </dev/null && return
	tail -n 25 "$log" >&2
	die "'$*' failed" "all it said: $log"
}

is_root()
{
	[ "$EUID" = 0 ]
}

# ---- places ----
#
#  $top    the checkout           $work  .quickstart, by a path that a shell need not quote
#  $short  /var/tmp/stipa-<hash>  database, sockets and stipactl: a socket's path is short, and
#                                 the database's user cannot look into /root

make_short()
{
	short=/var/tmp/stipa-$(printf %s "$top" | sha256sum | head -c 8)
	mkdir -m 700 "$short" 2>/dev/null
	[ -d "$short" ] && [ ! -L "$short" ] || die "$short is not a folder" "remove it"
	[ -O "$short" ] || die "$short belongs to $(stat -c %U "$short"), not to you" \
		"run quickstart as that user, or use a checkout of your own"
}

# Autotools take no path with spaces: such a checkout is reached through a link.
make_work()
{
	source=$top
	if [[ $top =~ [^A-Za-z0-9/._@+,-] ]]; then
		source=$short/checkout
		ln -sfnT "$top" "$source" || die "cannot make $source"
	fi
	work=$source/.quickstart
	mkdir -p "$work/log" "$work/run" || die "cannot write in $top" \
		"the checkout must belong to you"
	[ -O "$work" ] || die "$work belongs to $(stat -c %U "$work"), not to you" \
		"run quickstart as that user, or remove that folder"
	ln -sfnT "$short" "$work/pg"
}

take_places()
{
	local name
	export LC_ALL=C.UTF-8 PATH=$PATH:/usr/sbin:/sbin
	for name in ${!PG@}; do
		unset "$name"  # nothing of another database
	done
	unset CDPATH
	make_short
	make_work
	cd "$source" || die "cannot enter $source"
}

# One quickstart at a time in a checkout; what it starts must not inherit the lock (9>&-).
take_lock()
{
	command -v flock >/dev/null || return 0
	exec 9>"$work/run/lock"
	flock -n 9 || die "another quickstart is at work in this checkout" "wait until it is done"
}

drop_lock()
{
	exec 9>&-
}

# ---- processes that are ours: number and start time, so that a number used again is not ----

started_at()
{
	local stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return
	stat=${stat##*) }
	set -- $stat
	echo "${20}"
}

process_record()
{
	echo "$2 $(started_at "$2")" >"$work/run/$1.pid"
}

# Print the number of a recorded process that still lives.
process_of()
{
	local pid start
	[ -r "$work/run/$1.pid" ] || return
	read -r pid start <"$work/run/$1.pid" || return
	[ -n "$start" ] && [ "$(started_at "$pid")" = "$start" ] && echo "$pid"
}

process_ended()
{
	[ "$(started_at "$1")" != "$2" ] || [ "$(sed 's/.*) //' "/proc/$1/stat" | head -c 1)" = Z ]
}

# process_stop NAME SECONDS: SIGTERM, and SIGKILL for one that does not listen.
process_stop()
{
	local pid start i
	pid=$(process_of "$1") || return 0
	start=$(started_at "$pid")
	kill -TERM "$pid" 2>/dev/null
	for ((i = 0; i < $2 * 10; i++)); do
		process_ended "$pid" "$start" && break
		sleep 0.1
	done
	process_ended "$pid" "$start" || kill -KILL "$pid" 2>/dev/null
	rm -f "$work/run/$1.pid"
}
