# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154
# For tests that make faults: ask once, stop and start the database, look at a node.  After node.sh.

# ask NAME PORT: client-1 asks for a token of sp-1; the status, and the rest in $dir/asked.*
ask()
{
	curl -s -m 20 -D "$dir/asked.head" -o "$dir/asked.body" -w '%{http_code}' \
		--cacert "$dir/tls/ca.pem" -u "client-1:$(cat "$dir/secret-1")" \
		-H 'Content-Type: application/json' -d "$(body 1001)" \
		"https://127.0.0.1:$1/sti-pa/account/sp-1/token"
}

is_answered()
{
	[ "$(ask "$2")" = "$1" ]
}

# asks_until STATUS PORT: until it is answered so.  Prints how long that took.
asks_until()
{
	began=$(date +%s.%N)
	wait_for is_answered "$1" "$2" >/dev/null && seconds_since "$began" && return
	echo "  not $1, but: $(head -1 "$dir/asked.head")" >&2
	return 1
}

seconds_since()
{
	echo "$1 $(date +%s.%N)" | awk '{ printf "%.1f\n", $2 - $1 }'
}

# says_not_ready NODE WORDS: it is not, and the last reason that it gave has them.
says_not_ready()
{
	is_ready "$1" 503 && grep "not ready to issue" "$dir/$1.log" | tail -1 | grep -q -- "$2"
}

# What must stand in every refusal of the time of a fault.
is_503_with_retry_after()
{
	grep -q '^HTTP/1.1 503' "$dir/asked.head" && grep -qi '^retry-after: [0-9]' "$dir/asked.head"
}

# metric NODE NAME
metric()
{
	curl -s -m 10 --unix-socket "$dir/$1.sock" http://localhost/metrics |
		awk -v name="$2" '$1 == name { print $2 }'
}

database_stop()
{
	as_postgres "$bin/pg_ctl" -D "$dir/data" -m "${1:-fast}" -w stop >/dev/null
}

database_start()
{
	as_postgres "$bin/pg_ctl" -D "$dir/data" -o "$options" -l "$dir/log" -w start >/dev/null
}

# A client's own log, as long as nobody makes $dir/stop: stream NAME [OPTION…] PORT…
stream()
{
	stream_log=$dir/$1.client
	shift
	rm -f "$dir/stop"
	"$STIPA_PYTHON" "$srcdir/tests/integration/stream.py" --ca "$dir/tls/ca.pem" \
		--log "$stream_log" --jobs "$dir/jobs" --until "$dir/stop" --seconds 600 "$@" >&2 &
	streaming=$!
}

stream_end()
{
	: >"$dir/stop"
	wait "$streaming"
}

# Accounts sp-1 to sp-N with clients, and the jobs of a stream.
make_accounts()
{
	for i in $(seq "$1"); do
		make_account "$i" "$((1000 + i))" || return 1
		echo "sp-$i client-$i $dir/secret-$i $((1000 + i)) false"
	done >"$dir/jobs"
}

print_ledger()
{
	sql -c "SELECT row_to_json(row) FROM (SELECT token.*, signer_certificate.x5u
		FROM stipa.token JOIN stipa.signer_certificate USING (kid)) AS row" >"$dir/ledger"
}

# statuses LOG: each status of a client's log with its number, in one line.
statuses()
{
	sed 's/.*"status": \([0-9]*\).*/\1/' "$1" | sort | uniq -c |
		awk '{ printf "%s%s %d", sep, $2, $1; sep = ", " } END { print "" }'
}

# ---- a wrong clock, a broken disk (shim.c) ----

shim_made()
{
	${CC:-cc} -shared -fPIC -O1 -o "$dir/shim.so" "$srcdir/tests/integration/shim.c" -ldl &&
	shim_page "$dir/page"
}

# A page of its own for who is started next, by env $shimmed COMMAND…
shim_page()
{
	page=$1
	head -c 4096 /dev/zero >"$page" && chmod 666 "$page" &&
	shimmed="SHIM_PAGE=$page LD_PRELOAD=$dir/shim.so"
}


# shim_set clock MICROSECONDS | write ERRNO PART | sync ERRNO PART
shim_set()
{
	"$STIPA_PYTHON" - "$page" "$@" <<-'PY'
		import mmap, struct, sys
		path, what, value = sys.argv[1:4]
		with open(path, "r+b") as file, mmap.mmap(file.fileno(), 4096) as page:
		    if len(sys.argv) > 4:
		        page[32:96] = sys.argv[4].encode().ljust(64, b"\0")
		    at = {"clock": 0, "write": 8, "sync": 16}[what]
		    page[at:at + 8] = struct.pack("<q", int(value))
	PY
}

shim_hits()
{
	od -An -t d8 -j 24 -N 8 "$page" | tr -d ' '
}
