#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# stipactl against a real database: migrations, and every command of its table once with success
# and once refused, as text and as JSON.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/migrated.sh"

command -v jq >/dev/null || fail "jq is missing: install jq"
[ -x ./stipactl ] || fail "stipactl is not built: make"

# ---- calling it ----

ctl()
{
	./stipactl --config "$dir/stipactl.conf" --actor tester "$@"
}

# What was called is written down, so that the last step can tell which commands never were.
note()
{
	kind=$1
	shift
	echo "$* " >>"$dir/$kind"
}

# The command is done, with JSON on standard output and nothing on the other; $out keeps it.
done_with()
{
	note accepted "$@"
	out=$(ctl --json "$@" 2>"$dir/err") || { cat "$dir/err"; echo "  $*"; return 1; }
	[ ! -s "$dir/err" ] || { echo "  $*: said $(cat "$dir/err")"; return 1; }
	printf '%s\n' "$out" | jq -e 'type == "object" or type == "array"' >/dev/null ||
		{ echo "  $*: no JSON: $out"; return 1; }
}

# A member of $out.
of_out()
{
	printf '%s\n' "$out" | jq -r "$1"
}

# refused EXIT CODE COMMAND…: exit status and stable code, as JSON on standard error only; the
# text says something too.
refused()
{
	status=$1 code=$2
	shift 2
	note refused "$@"
	out=$(ctl --json "$@" 2>"$dir/err")
	is=$?
	[ $is = "$status" ] || { echo "  $*: exit $is, not $status: $(cat "$dir/err")"; return 1; }
	[ -z "$out" ] || { echo "  $*: refused, but wrote $out"; return 1; }
	said=$(jq -r .error.code "$dir/err") || { cat "$dir/err"; return 1; }
	[ "$said" = "$code" ] || { echo "  $*: code $said, not $code: $(cat "$dir/err")"; return 1; }
	ctl "$@" 2>&1 >/dev/null | grep -q '^stipactl: .' || { echo "  $*: says nothing"; return 1; }
}

# The one line of text says it.
says()
{
	text=$1
	shift
	ctl "$@" 2>&1 >/dev/null | grep -qF -- "$text" || { ctl "$@"; return 1; }
}

settings()
{
	cat >"$dir/stipactl.conf" <<-EOT
		database = "host=$dir dbname=stipa user=stipa_operator"
		database_owner = "host=$dir dbname=${1:-stipa} user=stipa_owner"
		environment = "demo"
		migrations = "${2:-$(cd "$srcdir" && pwd)/db/migrations}"
	EOT
}

make_database()
{
	sql -c "CREATE DATABASE $1 OWNER stipa_owner"
}

# ---- wrong use ----

the_command_line_is_checked()
{
	refused 2 wrong-use nothing here &&
	refused 2 wrong-use account &&
	says "did you mean 'account'" acount list &&
	says "did you mean 'account suspend'" account suspnd sp-a &&
	says "did you mean '--reason'" account suspend sp-a --reson x &&
	refused 2 wrong-use account show &&
	refused 2 wrong-use account show sp-a sp-b &&
	refused 2 wrong-use db status now &&
	refused 2 wrong-use account show sp-a --state active &&
	refused 2 wrong-use account list --state &&
	refused 2 wrong-use account list --state sleeping &&
	refused 2 wrong-use account list --state active --state active &&
	refused 2 wrong-use account add sp-a --organisation --legal-name x &&
	refused 2 wrong-use account add sp-a --organisation "" &&
	says "write --organisation=--x" account add sp-a --organisation --x &&
	./stipactl >/dev/null 2>&1
	[ $? = 2 ]
}

a_bad_configuration_is_told()
{
	echo 'database = "host=x' >"$dir/bad"
	echo 'databaze = "x"' >"$dir/unknown"
	echo 'environment = "test"' >"$dir/environment"
	echo >"$dir/empty"
	for file in bad unknown environment empty none; do
		./stipactl --config "$dir/$file" account list >"$dir/out" 2>"$dir/err"
		if [ $? != 1 ] || ! grep -q "^stipactl: $dir/$file" "$dir/err"; then
			echo "  $file: $(cat "$dir/err")"
			return 1
		fi
	done
	echo "database = \"host=$dir/nowhere user=x\"" >"$dir/gone"
	./stipactl --config "$dir/gone" --json account list 2>"$dir/err"
	[ $? = 1 ] && [ "$(jq -r .error.code "$dir/err")" = unavailable ]
}

help_needs_no_configuration()
{
	./stipactl help | grep -q "^  account suspend " &&
	./stipactl account --help | grep -q "^  account suspend " &&
	./stipactl help spc | grep -q "^  spc assign " &&
	./stipactl account suspend --help | grep -q "^  --reason TEXT " &&
	./stipactl doctor --help | grep -q "^usage: stipactl doctor \[FILE\]"
}

# A full disk loses an answer, and the command says so.
lost_output_is_a_failure()
{
	for words in help "help account" "--json --version"; do
		# shellcheck disable=SC2086
		./stipactl $words >/dev/full 2>"$dir/lost" && return 1
		[ -s "$dir/lost" ] || return 1
	done
	[ "$(./stipactl help 2>&1 >/dev/full | grep -c 'No space left')" = 1 ]
}

versions_are_said()
{
	./stipactl --version | grep -q "^openssl  *3\." &&
	./stipactl --json --version |
		jq -e '.schema >= 10 and ([.stipactl, .openssl, .libpq, .jansson] | all(test("^[0-9]+[.][0-9]")))' >/dev/null
}

# ---- migrations ----

migrations_are_listed()
{
	done_with db status &&
	[ "$(of_out '[.[].state] | unique | join(",")')" = pending ] &&
	done_with db migrate --dry-run &&
	[ "$(of_out length)" -ge 5 ] &&
	[ "$(sql -d stipa -c "SELECT count(*) FROM pg_namespace
		WHERE nspname LIKE 'stipa%'")" = 0 ]
}

migrations_run_once()
{
	done_with db migrate &&
	[ "$(of_out '.[0].number')" = 1 ] &&
	[ "$(of_out 'length')" = "$(sql -d stipa -c "SELECT stipa.schema_version()")" ] &&
	done_with db migrate && [ "$(of_out length)" = 0 ] &&
	ctl db migrate | grep -q "nothing to do" &&
	done_with db status && [ "$(of_out '[.[].state] | unique | join(",")')" = applied ] &&
	done_with db partitions && [ "$(of_out length)" -ge 4 ] &&
	[ "$(sql -d stipa -c "SELECT sha256 FROM stipa_migration.migration WHERE number = 1")" = \
		"$(sha256sum <"$srcdir/db/migrations/0001_registry.sql" | cut -d' ' -f1)" ]
}

# What stipactl makes is what psql makes of the same files.
the_schema_is_the_same()
{
	sql -c "CREATE DATABASE by_hand OWNER stipa_owner"
	for migration in "$srcdir"/db/migrations/*.sql; do
		sql -1 -d by_hand -U stipa_owner -f "$migration" >/dev/null || return 1
	done
	for database in stipa by_hand; do
		"$bin/pg_dump" -s -n stipa "$database" | sed '/^\\\(un\)\?restrict /d' \
			>"$dir/$database.dump"
		grep -q "CREATE TABLE" "$dir/$database.dump" || return 1
	done
	cmp "$dir/stipa.dump" "$dir/by_hand.dump"
}

# A folder of small migrations and a database for them.
small()
{
	make_database "$1" && mkdir "$dir/$1" && settings "$1" "$dir/$1" &&
	echo "CREATE SCHEMA stipa; CREATE TABLE stipa.one ();" >"$dir/$1/0001_one.sql" &&
	echo "CREATE TABLE stipa.two ();" >"$dir/$1/0002_two.sql"
}

a_changed_file_is_refused()
{
	small changed && ctl db migrate >/dev/null &&
	echo "-- later" >>"$dir/changed/0001_one.sql" &&
	refused 1 migration-changed db migrate &&
	refused 1 migration-changed db migrate --dry-run &&
	says "0001_one.sql is not the file that was applied" db migrate &&
	ctl --json db status 2>"$dir/err" >"$dir/out"
	[ $? = 1 ] && [ "$(jq -r '.[0].state' "$dir/out")" = changed ]
}

a_renamed_file_is_refused()
{
	small renamed && ctl db migrate >/dev/null &&
	mv "$dir/renamed/0002_two.sql" "$dir/renamed/0002_deux.sql" &&
	refused 1 migration-changed db migrate
}

a_gap_is_refused()
{
	small gap && echo "SELECT 1;" >"$dir/gap/0004_four.sql" &&
	refused 1 failed db migrate &&
	says "migration 0003 is missing" db migrate &&
	[ "$(sql -d gap -c "SELECT to_regclass('stipa.one') IS NULL")" = t ]
}

bad_names_are_refused()
{
	small names &&
	for name in 3_three 0003-three 0003_Three 0002_again; do
		echo "SELECT 1;" >"$dir/names/$name.sql"
		refused 1 failed db migrate || return 1
		rm "$dir/names/$name.sql"
	done
	refused 1 failed db migrate --migrations "$dir/nowhere" &&
	mkdir "$dir/void" && refused 1 failed db migrate --migrations "$dir/void"
}

a_newer_database_is_refused()
{
	small newer && ctl db migrate >/dev/null && rm "$dir/newer/0002_two.sql" &&
	refused 1 database-newer db migrate &&
	says "at migration 0002, these files end at 0001" db migrate
}

a_failed_migration_leaves_nothing()
{
	small fails && cat >"$dir/fails/0002_two.sql" <<-'SQL'
		CREATE TABLE stipa.two ();
		-- é is two bytes
		SELECT nonsense();
	SQL
	ctl db migrate >"$dir/out" 2>"$dir/err"
	[ $? = 1 ] && grep -q "^stipactl: 0002_two.sql:3: function nonsense" "$dir/err" &&
	grep -q "^1 .*applied" "$dir/out" &&
	[ "$(sql -d fails -c "SELECT to_regclass('stipa.one') IS NOT NULL
		AND to_regclass('stipa.two') IS NULL")" = t ] &&
	[ "$(sql -d fails -c "SELECT max(number) FROM stipa_migration.migration")" = 1 ] &&
	echo "CREATE TABLE stipa.two ();" >"$dir/fails/0002_two.sql" &&
	ctl db migrate >/dev/null &&
	[ "$(sql -d fails -c "SELECT max(number) FROM stipa_migration.migration")" = 2 ]
}

a_migration_may_not_commit()
{
	small commits && echo "CREATE TABLE stipa.two (); COMMIT;" >"$dir/commits/0002_two.sql" &&
	ctl db migrate >/dev/null 2>"$dir/err"
	[ $? = 1 ] && grep -q "ends its transaction itself" "$dir/err"
}

# Its SET does not reach the next file.
a_migration_s_settings_end_with_it()
{
	small sets && echo "SET search_path = pg_catalog;" >>"$dir/sets/0001_one.sql" &&
	echo "CREATE TABLE three ();" >"$dir/sets/0002_two.sql" &&
	sql -d sets -c "GRANT CREATE ON SCHEMA public TO stipa_owner" && ctl db migrate >/dev/null &&
	[ "$(sql -d sets -c "SELECT to_regclass('public.three') IS NOT NULL")" = t ]
}

only_the_owner_migrates()
{
	sed -i 's/user=stipa_owner/user=postgres/' "$dir/stipactl.conf" &&
	refused 1 failed db migrate && says "migrations run as stipa_owner" db migrate
}

somebody_waits()
{
	[ "$(sql -c "SELECT count(*) FROM pg_locks
		WHERE locktype = 'advisory' AND NOT granted")" = "$1" ]
}

somebody_has_it()
{
	[ "$(sql -d turns -c "SELECT count(*) FROM pg_locks
		WHERE relation = 'public.held'::regclass AND granted")" = 1 ]
}

# Two at once: the second waits for the first and finds nothing to do.  A session that holds a
# table keeps the first one busy until the second waits.
two_migrators_take_turns()
{
	small turns && sql -d turns -c "CREATE TABLE held (); GRANT ALL ON held TO stipa_owner" &&
	echo "SELECT * FROM public.held;" >>"$dir/turns/0001_one.sql" || return 1
	sql -d turns -c "BEGIN; LOCK held; SELECT pg_sleep(300)" >/dev/null 2>&1 &
	sql_pid=$!
	wait_for somebody_has_it
	ctl --json db migrate >"$dir/first" 2>&1 &
	first=$!
	ctl --json db migrate >"$dir/second" 2>&1 &
	second=$!
	wait_for somebody_waits 1 || { echo "  nobody waits"; return 1; }
	sql -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE query LIKE '%LOCK held%' AND pid <> pg_backend_pid()" >/dev/null
	wait "$first" || { cat "$dir/first"; return 1; }
	wait "$second" || { cat "$dir/second"; return 1; }
	wait "$sql_pid"
	[ "$(jq -s 'map(length) | sort | join(",")' "$dir/first" "$dir/second")" = '"0,2"' ]
}

# ---- the registry ----

accounts_are_applied_for()
{
	done_with account add sp-acme --organisation "Acme Ltd" --reason "application 12" &&
	[ "$(of_out '[.account, .state, .actor, .reason] | join("|")')" = \
		"sp-acme|applied|tester|application 12" ] &&
	done_with account add sp-two --organisation Two --legal-name "Two & Sons" \
		--verified-until 90d &&
	[ "$(of_out '[.legal_name, .reason] | join("|")')" = "Two & Sons|stipactl account add" ] &&
	refused 1 exists-already account add sp-acme --organisation "Acme Ltd" &&
	refused 2 wrong-use account add Acme --organisation Acme &&
	refused 2 wrong-use account add sp-x --organisation X --verified-until 2020-01-01 &&
	refused 2 wrong-use account add sp-x --organisation X --verified-until soon &&
	refused 2 wrong-use account add sp-x &&
	says "ACCOUNT 'Acme'" account add Acme --organisation Acme &&
	done_with account list && [ "$(of_out length)" = 2 ] &&
	done_with account list --state active && [ "$(of_out length)" = 0 ] &&
	ctl account list --state active | grep -q "(none)" &&
	refused 2 wrong-use account list --state x
}

accounts_are_decided()
{
	done_with account review sp-acme && [ "$(of_out .state)" = in_review ] &&
	refused 1 wrong-state account review sp-acme &&
	done_with account approve sp-acme --evidence "form 499" --verified-until 2098-01-01 &&
	[ "$(of_out '[.state, .verified_until] | join("|")')" = "active|2098-01-01T00:00:00Z" ] &&
	refused 1 wrong-state account approve sp-acme --evidence x &&
	refused 2 wrong-use account approve sp-two &&
	done_with account refuse sp-two --reason "not an SP" && [ "$(of_out .state)" = refused ] &&
	refused 1 wrong-state account refuse sp-two --reason x &&
	refused 2 wrong-use account refuse sp-two &&
	done_with account show sp-acme &&
	refused 1 not-found account show sp-none &&
	done_with account history sp-acme &&
	[ "$(of_out 'map(.state) | join(",")')" = "applied,in_review,active" ] &&
	refused 1 not-found account history sp-none
}

codes_are_held()
{
	done_with spc assign sp-acme 683G --evidence NECA &&
	[ "$(of_out '[.spc, .account, .state, .kind] | join("|")')" = "683G|sp-acme|held|OCN" ] &&
	refused 1 held-already spc assign sp-acme 683G &&
	refused 1 not-found spc assign sp-none 1001 &&
	refused 1 wrong-state spc assign sp-two 1001 &&
	refused 1 bad-value spc assign sp-acme 123456 &&
	refused 1 not-found spc assign sp-acme 1001 --kind nonsense &&
	refused 2 wrong-use spc assign sp-acme 683g &&
	done_with spc assign sp-acme OPC000 --kind national --verified-until 12h &&
	done_with spc list --account sp-acme && [ "$(of_out length)" = 2 ] &&
	done_with spc list --spc 683G && [ "$(of_out '.[0].account')" = sp-acme ] &&
	refused 2 wrong-use spc list --spc "68 3"
}

codes_are_verified()
{
	done_with spc verify sp-acme OPC000 --verified-until 2020-01-01 --evidence letter \
		--reason "no answer" && [ "$(of_out .state)" = lapsed ] &&
	done_with spc verify sp-acme OPC000 --verified-until 90d --evidence "call of May" \
		--reason "it is theirs" && [ "$(of_out .state)" = held ] &&
	[ "$(of_out .verified_until | cut -c 1-10)" = "$(date -ud '+90 days' +%F)" ] &&
	done_with spc verify sp-acme OPC000 --evidence contract --reason "no term of its own" &&
	[ "$(of_out .verified_until)" = "" ] &&
	done_with audit tail -n 1 && [ "$(of_out '.[0].action')" = spc_verify ] &&
	refused 1 not-found spc verify sp-two OPC000 --evidence x --reason x &&
	refused 2 wrong-use spc verify sp-acme OPC000 --reason x &&
	refused 2 wrong-use spc verify sp-acme OPC000 --evidence x &&
	refused 2 wrong-use spc verify sp-acme OPC000 --verified-until x --evidence x --reason x
}

# The secret on standard output, once.
clients_get_secrets()
{
	done_with client add sp-acme kms-1 --expires 30d && secret=$(of_out .secret) &&
	echo "$secret" | grep -qE '^stipa_demo_[A-Za-z0-9_-]{49}$' &&
	[ "$(of_out '[.client, .account, .state] | join("|")')" = "kms-1|sp-acme|enabled" ] &&
	echo "$secret" >"$dir/secrets" &&
	digest=$(printf 'basic\0kms-1\0%s' "$secret" | sha256sum | cut -d' ' -f1) &&
	[ "$(sql -d stipa -c "SELECT count(*) FROM stipa.credential
		WHERE digest = '\x$digest'")" = 1 ] &&
	refused 1 exists-already client add sp-acme kms-1 &&
	refused 1 not-found client add sp-none kms-9 &&
	refused 2 wrong-use client add sp-acme "kms 9" &&
	refused 2 wrong-use client add sp-acme kms-9 --expires 2020-01-01 &&
	done_with client show kms-1 && [ "$(of_out 'has("secret")')" = false ] &&
	refused 1 not-found client show kms-none &&
	done_with client list --account sp-acme && [ "$(of_out length)" = 1 ] &&
	refused 2 wrong-use client list --account acme &&
	ctl client add sp-acme kms-text >"$dir/out" &&
	awk '$1 == "secret" { print $2 }' "$dir/out" >>"$dir/secrets" &&
	[ "$(wc -l <"$dir/secrets")" = 2 ] && grep -q "not shown again" "$dir/out"
}

secrets_go_to_files()
{
	done_with client add sp-acme kms-2 --secret-file "$dir/kms-2" &&
	[ "$(of_out 'has("secret")')" = false ] &&
	[ "$(stat -c %a "$dir/kms-2")" = 600 ] && cat "$dir/kms-2" >>"$dir/secrets" &&
	done_with client rotate kms-2 --reason leak --secret-file "$dir/kms-2" &&
	[ "$(of_out '[.secrets, (.at | length > 0)] | join("|")')" = "1|true" ] &&
	[ "$(stat -c %a "$dir/kms-2")" = 600 ] && cat "$dir/kms-2" >>"$dir/secrets" &&
	[ "$(sort -u "$dir/secrets" | wc -l)" = 4 ] &&
	refused 1 failed client rotate kms-2 --reason x --secret-file "$dir/no/folder"
}

# A refusal leaves the file that is there.
a_refusal_costs_no_secret()
{
	before=$(cat "$dir/kms-2") &&
	refused 1 not-found client rotate kms-none --reason x --secret-file "$dir/kms-2" &&
	[ "$before" = "$(cat "$dir/kms-2")" ] && [ ! -e "$dir/kms-2.new" ]
}

clients_are_rotated()
{
	done_with client rotate kms-1 --reason yearly --keep-old-until 1h &&
	[ "$(of_out .secrets)" = 2 ] && of_out .secret >>"$dir/secrets" &&
	refused 2 wrong-use client rotate kms-1 &&
	refused 1 not-found client rotate kms-none --reason x &&
	done_with client disable kms-2 --reason leak && [ "$(of_out .state)" = disabled ] &&
	refused 1 wrong-state client disable kms-2 --reason leak &&
	refused 2 wrong-use client disable kms-2 &&
	done_with client enable kms-2 && [ "$(of_out .state)" = enabled ] &&
	refused 1 wrong-state client enable kms-2
}

no_environment_no_secret()
{
	sed -i '/^environment/d' "$dir/stipactl.conf"
	refused 1 failed client add sp-acme kms-7 && says "'environment' is not set" \
		client add sp-acme kms-7 && refused 1 failed api-user add kms-1 nobody && settings
}

# ---- what narrows a client ----

clients_are_narrowed()
{
	done_with client allow kms-1 192.0.2.0/24,2001:db8::/32,203.0.113.7 --reason "form 3" &&
	[ "$(of_out '.allowed | join(",")')" = "192.0.2.0/24,2001:db8::/32,203.0.113.7/32" ] &&
	refused 1 bad-value client allow kms-1 192.0.2.1/24 --reason x &&
	refused 1 not-found client allow kms-none 192.0.2.0/24 --reason x &&
	refused 2 wrong-use client allow kms-1 192.0.2.0/33 --reason x &&
	refused 2 wrong-use client allow kms-1 192.0.2.0/24, --reason x &&
	refused 2 wrong-use client allow kms-1 here --reason x &&
	refused 2 wrong-use client allow kms-1 192.0.2.0/24 &&
	done_with client show kms-1 && [ "$(of_out '.allowed | length > 0')" = true ] &&
	done_with client allow kms-1 everywhere --reason moved && [ "$(of_out '.allowed == []')" = true ]
}

clients_are_pinned()
{
	hex=$(printf '%064d' 7 | sed 's/0/a/') &&
	colons=$(echo "$hex" | sed 's/../&:/g; s/:$//' | tr a-f A-F) &&
	thumbprint=$(echo "$hex" | tr a-f A-F | basenc --base16 -d | basenc --base64url | tr -d =) &&
	done_with client pin kms-1 "SHA256 $colons" --reason "the KMS's key" &&
	[ "$(of_out '.pinned | join(",")')" = "$hex" ] &&
	done_with client pin kms-1 "$thumbprint,$(printf '%064d' 8)" --reason two &&
	[ "$(of_out '.pinned | join(",")')" = "$hex,$(printf '%064d' 8)" ] &&
	done_with client list && [ "$(of_out '.[] | select(.client == "kms-1").pinned | length')" = 2 ] &&
	ctl client list | awk '$1 == "kms-1"' | grep -q "  2  " &&
	refused 2 wrong-use client pin kms-1 "$(printf '%064d' 0)" --reason x &&
	says "a fingerprint of zeros alone is that of no key" \
		client pin kms-1 "$hex,$(printf '%064d' 0)" --reason x &&
	refused 1 not-found client pin kms-none "$hex" --reason x &&
	refused 2 wrong-use client pin kms-1 "${hex}0" --reason x &&
	refused 2 wrong-use client pin kms-1 "SHA1 $colons" --reason x &&
	refused 2 wrong-use client pin kms-1 "$hex" &&
	done_with client pin kms-1 any --reason over && [ "$(of_out '.pinned == []')" = true ]
}

clients_have_scopes()
{
	done_with client show kms-1 && [ "$(of_out '.scopes | join(" ")')" = "spc-token spc-token:ca revoke" ] &&
	done_with client scopes kms-1 spc-token,revoke --reason "no ca here" &&
	[ "$(of_out '.scopes | join(" ")')" = "spc-token revoke" ] &&
	done_with client scopes kms-1 none --reason x && [ "$(of_out '.scopes == []')" = true ] &&
	refused 1 not-found client scopes kms-none none --reason x &&
	refused 2 wrong-use client scopes kms-1 spc-token,admin --reason x &&
	refused 2 wrong-use client scopes kms-1 none &&
	done_with client scopes kms-1 spc-token,spc-token:ca,revoke --reason back
}

# PEM and JWK of one key become the same; what is no public key on P-256 is refused.
clients_have_keys()
{
	openssl ecparam -name prime256v1 -genkey -noout -out "$dir/key.pem" &&
	openssl pkey -in "$dir/key.pem" -pubout -out "$dir/pub.pem" &&
	openssl ec -in "$dir/key.pem" -pubout -conv_form compressed -out "$dir/compressed.pem" \
		2>/dev/null &&
	openssl ecparam -name secp384r1 -genkey -noout | openssl pkey -pubout -out "$dir/p384.pem" &&
	openssl pkey -pubin -in "$dir/pub.pem" -outform DER | tail -c 64 >"$dir/point" &&
	x=$(head -c 32 "$dir/point" | basenc --base64url | tr -d =) &&
	y=$(tail -c 32 "$dir/point" | basenc --base64url | tr -d =) &&
	jwk="{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"$x\",\"y\":\"$y\"" &&
	thumbprint=$(printf '{"crv":"P-256","kty":"EC","x":"%s","y":"%s"}' "$x" "$y" |
		openssl dgst -sha256 -binary | basenc --base64url | tr -d =) &&
	echo "$jwk,\"kid\":\"k-jwk\",\"use\":\"sig\"}" >"$dir/kid.jwk" &&
	echo "$jwk}" >"$dir/plain.jwk" && echo "$jwk,\"d\":\"$x\"}" >"$dir/private.jwk" &&
	sed "s/\"$y\"/\"$x\"/" "$dir/plain.jwk" >"$dir/off.jwk" &&
	echo '{"keys":[]}' >"$dir/set.jwk" && echo nonsense >"$dir/nonsense.pem" &&
	done_with client key add kms-1 "$dir/pub.pem" --expires 90d &&
	[ "$(of_out '[.kid, .state] | join("|")')" = "$thumbprint|in use" ] && sum=$(of_out .sha256) &&
	[ "$sum" = "$(openssl pkey -pubin -in "$dir/pub.pem" -outform DER | sha256sum | cut -d' ' -f1)" ] &&
	done_with client key add kms-1 "$dir/compressed.pem" --kid second &&
	[ "$(of_out '[.kid, .sha256] | join("|")')" = "second|$sum" ] &&
	done_with client key add kms-1 "$dir/kid.jwk" &&
	[ "$(of_out '[.kid, .sha256] | join("|")')" = "k-jwk|$sum" ] &&
	refused 1 exists-already client key add kms-1 "$dir/plain.jwk" &&
	refused 1 not-found client key add kms-none "$dir/pub.pem" &&
	refused 1 failed client key add kms-1 "$dir/nowhere" &&
	for file in key.pem p384.pem private.jwk off.jwk set.jwk nonsense.pem; do
		refused 1 failed client key add kms-1 "$dir/$file" --kid "$file" || return 1
	done
	says "it stays with the client" client key add kms-1 "$dir/private.jwk" &&
	refused 2 wrong-use client key add kms-1 "$dir/pub.pem" --kid "a b" &&
	done_with client key list --client kms-1 && [ "$(of_out length)" = 3 ] &&
	refused 2 wrong-use client key list --client "kms 1" &&
	refused 2 wrong-use client key remove kms-1 second &&
	done_with client key remove kms-1 second --reason lost && [ "$(of_out .state)" = removed ] &&
	refused 1 not-found client key remove kms-1 second --reason lost &&
	done_with client key list && [ "$(of_out length)" = 2 ] &&
	done_with client key list --past && [ "$(of_out length)" = 3 ] &&
	done_with client show kms-1 && [ "$(of_out '.keys | join(",")')" = "$thumbprint,k-jwk" ] &&
	# the name of one that is gone does not come back
	refused 1 exists-already client key add kms-1 "$dir/pub.pem" --kid second
}

# ---- API users ----

users_get_passwords()
{
	done_with api-user add kms-1 ops@acme.example && password=$(of_out .password) &&
	echo "$password" | grep -qE '^stipa_demo_pw_[A-Za-z0-9_-]{49}$' &&
	echo "$password" >>"$dir/secrets" &&
	[ "$(of_out '[.user, .client, .account, .state] | join("|")')" = \
		"ops@acme.example|kms-1|sp-acme|enabled" ] &&
	login=$(printf 'login\0ops@acme.example\0%s' "$password" | sha256sum | cut -d' ' -f1) &&
	leak=$(printf 'secret\0%s' "$password" | sha256sum | cut -d' ' -f1) &&
	[ "$(sql -d stipa -c "SELECT count(*) FROM stipa.api_user WHERE digest = '\x$login'
		AND secret_digest = '\x$leak' AND hash IS NULL")" = 1 ] &&
	refused 1 exists-already api-user add kms-1 ops@acme.example &&
	refused 1 not-found api-user add kms-none other &&
	refused 2 wrong-use api-user add kms-1 "a b" &&
	done_with api-user add kms-1 by-file --secret-file "$dir/by-file" &&
	[ "$(of_out '[.password, .password_file] | join("|")')" = "generated|$dir/by-file" ] &&
	[ "$(stat -c %a "$dir/by-file")" = 600 ] && cat "$dir/by-file" >>"$dir/secrets" &&
	done_with api-user show by-file && [ "$(of_out .password)" = generated ] &&
	refused 1 not-found api-user show nobody &&
	done_with api-user list --account sp-acme && [ "$(of_out length)" = 2 ] &&
	done_with api-user list --client kms-2 && [ "$(of_out length)" = 0 ] &&
	refused 2 wrong-use api-user list --client "a b"
}

# argon2id, of the cost that is ours; the password itself goes nowhere.
passwords_are_chosen()
{
	echo "correct horse battery" >"$dir/chosen" && chmod 600 "$dir/chosen" &&
	cat "$dir/chosen" >>"$dir/secrets" &&
	done_with api-user add kms-1 chooser --password-file "$dir/chosen" &&
	[ "$(of_out .password)" = chosen ] &&
	hash=$(sql -d stipa -c "SELECT hash FROM stipa.api_user WHERE name = 'chooser'") &&
	echo "$hash" | grep -qE '^\$argon2id\$v=19\$m=19456,t=2,p=1\$' &&
	echo short >"$dir/short" && chmod 600 "$dir/short" &&
	refused 1 failed api-user add kms-1 x --password-file "$dir/short" &&
	refused 1 failed api-user add kms-1 x --password-file "$dir/nowhere" &&
	cp "$dir/by-file" "$dir/ours" && chmod 600 "$dir/ours" &&
	refused 1 failed api-user add kms-1 x --password-file "$dir/ours" &&
	cp "$dir/chosen" "$dir/open" && chmod 644 "$dir/open" &&
	refused 1 failed api-user add kms-1 x --password-file "$dir/open" &&
	refused 2 wrong-use api-user add kms-1 x --password-file "$dir/chosen" \
		--secret-file "$dir/x" && [ ! -e "$dir/x" ] && [ ! -e "$dir/x.new" ]
}

hashes_are_imported()
{
	echo "$hash" >"$dir/hash" && chmod 600 "$dir/hash" &&
	done_with api-user add kms-1 imported --import-hash "$dir/hash" &&
	[ "$(sql -d stipa -c "SELECT hash FROM stipa.api_user WHERE name = 'imported'")" = "$hash" ] &&
	for change in s/argon2id/argon2i/ s/m=19456/m=4000000/ s/t=2/t=90/ s/v=19/v=16/ 's/\$[^$]*$//'; do
		sed "$change" "$dir/hash" >"$dir/bad-hash" && chmod 600 "$dir/bad-hash" &&
		refused 1 failed api-user add kms-1 x --import-hash "$dir/bad-hash" || return 1
	done
}

users_are_rotated()
{
	done_with api-user rotate ops@acme.example --reason yearly && of_out .password >>"$dir/secrets" &&
	[ "$(sql -d stipa -c "SELECT count(*) FROM stipa.api_user WHERE digest = '\x$login'")" = 0 ] &&
	done_with api-user rotate ops@acme.example --reason wish --password-file "$dir/chosen" &&
	[ "$(of_out .password)" = chosen ] &&
	refused 2 wrong-use api-user rotate ops@acme.example &&
	refused 1 not-found api-user rotate nobody --reason x &&
	before=$(cat "$dir/by-file") &&
	refused 1 not-found api-user rotate nobody --reason x --secret-file "$dir/by-file" &&
	[ "$before" = "$(cat "$dir/by-file")" ] &&
	done_with api-user disable imported --reason left && [ "$(of_out .state)" = disabled ] &&
	refused 1 wrong-state api-user disable imported --reason left &&
	refused 2 wrong-use api-user disable imported &&
	done_with api-user enable imported && [ "$(of_out .state)" = enabled ] &&
	refused 1 wrong-state api-user enable imported
}

# A secret that somebody has found: it is ended, and its account is told.
notices_are_listed()
{
	done_with notice list && [ "$(of_out length)" = 0 ] &&
	done_with client add sp-acme kms-leak && leaked=$(of_out .secret) &&
	echo "$leaked" >>"$dir/secrets" &&
	digest=$(printf 'secret\0%s' "$leaked" | sha256sum | cut -d' ' -f1) &&
	[ "$(sql -d stipa -c "SELECT hit FROM stipa.report_secrets(ARRAY['\x$digest'::bytea],
		ARRAY['\x$digest'::bytea], ARRAY['leak-1'],
		ARRAY['\x00000000000000000000ffffcb007107'::bytea])")" = t ] &&
	done_with notice list --account sp-acme --since 1h &&
	[ "$(of_out '.[0] | [.account, .client, .kind] | join("|")')" = \
		"sp-acme|kms-leak|secret_reported" ] &&
	done_with account show sp-acme && [ "$(of_out .notices)" = 1 ] &&
	done_with client show kms-leak && [ "$(of_out .state)" = expired ] &&
	done_with notice list --account sp-two && [ "$(of_out length)" = 0 ] &&
	refused 2 wrong-use notice list --limit 0
}

delegations_are_granted()
{
	set -- --sca "SCA One" --cps-version 1.2 --evidence letter --until 90d
	done_with delegation grant sp-acme 683G "$@" && id=$(of_out .id) &&
	[ "$(of_out '[.state, .every_client, .clients == []] | join("|")')" = "in force|true|true" ] &&
	done_with delegation grant sp-acme 683G "$@" --clients kms-1,kms-2 &&
	[ "$(of_out '[.every_client, .clients[]] | join("|")')" = "false|kms-1|kms-2" ] &&
	refused 1 not-found delegation grant sp-acme 683G "$@" --clients kms-1,kms-none &&
	refused 2 wrong-use delegation grant sp-acme 683G "$@" --clients kms-1, &&
	refused 1 not-found delegation grant sp-acme 9999 "$@" &&
	refused 2 wrong-use delegation grant sp-acme 683G &&
	done_with delegation list --account sp-acme && [ "$(of_out length)" = 2 ] &&
	refused 2 wrong-use delegation list --account 683G &&
	refused 2 wrong-use delegation withdraw "$id" &&
	done_with delegation withdraw "$id" --reason over && [ "$(of_out .state)" = withdrawn ] &&
	refused 1 wrong-state delegation withdraw "$id" --reason over &&
	refused 1 not-found delegation withdraw 999999 --reason over &&
	refused 2 wrong-use delegation withdraw all --reason over &&
	done_with delegation list && [ "$(of_out length)" = 1 ] &&
	done_with delegation list --past && [ "$(of_out length)" = 2 ]
}

aliases_come_and_go()
{
	done_with account alias sp-acme 10073 && [ "$(of_out '.aliases | join(",")')" = 10073 ] &&
	done_with account alias sp-acme a.b && [ "$(of_out '.aliases == ["10073", "a.b"]')" = true ] &&
	[ "$(of_out '[.spcs, .clients | type] | join("|")')" = "array|array" ] &&
	ctl account show sp-acme | grep -q "^aliases .*10073, a\.b$" &&
	done_with account list && [ "$(of_out '[.[].spcs, .[].aliases, .[].clients | type] | unique[]')" = array ] &&
	done_with account unalias sp-acme a.b --reason x &&
	refused 1 exists-already account alias sp-acme 10073 &&
	refused 2 wrong-use account alias sp-acme sp-other &&
	refused 2 wrong-use account unalias sp-acme 10073 &&
	done_with account unalias sp-acme 10073 --reason moved && [ "$(of_out '.aliases == []')" = true ] &&
	refused 1 not-found account unalias sp-acme 10073 --reason moved
}

terms_are_written()
{
	done_with account verify sp-acme --verified-until 2097-01-01 --evidence letter \
		--reason yearly &&
	[ "$(of_out .verified_until)" = 2097-01-01T00:00:00Z ] &&
	refused 2 wrong-use account verify sp-acme --verified-until 1d --evidence x &&
	refused 1 not-found account verify sp-none --verified-until 1d --evidence x --reason x &&
	done_with account token-life sp-acme 1h --reason "short certificates" &&
	[ "$(of_out .token_life)" = 01:00:00 ] &&
	done_with account token-life sp-acme policy --reason back &&
	[ "$(of_out .token_life)" = policy ] &&
	refused 1 bad-value account token-life sp-acme 5m --reason x &&
	refused 1 bad-value account add sp-long --organisation "$(printf %0201d 0)" &&
	refused 2 wrong-use account token-life sp-acme long --reason x
}

policy_has_versions()
{
	done_with policy show && [ "$(of_out '[.version, .form_2017] | join("|")')" = "1|true" ] &&
	done_with policy set --token-life 48h --form-2017 off --reason "decision 4" &&
	[ "$(of_out '.[-1] | [.token_life, .form_2017, .claims == []] | join("|")')" = \
		"48:00:00|false|true" ] &&
	done_with policy set --claims iss,iat --issuer stipa.example --from 90d --reason later &&
	[ "$(of_out '.[-1] | [.token_life, .claims[], .issuer] | join("|")')" = \
		"48:00:00|iss|iat|stipa.example" ] &&
	done_with policy show && [ "$(of_out .version)" = 2 ] &&
	done_with policy list && [ "$(of_out length)" = 3 ] && all=$out &&
	done_with policy history && [ "$out" = "$all" ] &&
	refused 2 wrong-use policy history now &&
	done_with policy set --access-life 10m --reason later &&
	[ "$(of_out '.[-2] | [.access_life, .token_life] | join("|")')" = "00:10:00|48:00:00" ] &&
	refused 1 bad-value policy set --access-life 2h --reason x &&
	refused 2 wrong-use policy set --access-life x --reason x &&
	refused 1 bad-value policy set --token-life 5m --reason x &&
	refused 1 bad-value policy set --issuer "a b" --reason x &&
	refused 2 wrong-use policy set --claims aud --reason x &&
	refused 2 wrong-use policy set --form-2017 maybe --reason x &&
	refused 2 wrong-use policy set --token-life 5h &&
	done_with policy list && versions=$(of_out length) &&
	for nothing in "" "--from 90d" "--certificate-life 90d"; do
		# shellcheck disable=SC2086
		refused 1 bad-value policy set $nothing --reason x || return 1
	done && says "nothing to change" policy set --reason x &&
	done_with policy list && [ "$(of_out length)" = "$versions" ] &&
	refused 2 wrong-use policy show now && refused 2 wrong-use policy list now
}

# What does not fit is told, and done.
policy_warns()
{
	done_with policy set --token-life 1h --reason short &&
	of_out '.[] | select(.warnings != null) | .warnings[]' >"$dir/out" &&
	[ "$(grep -c . "$dir/out")" = 1 ] && grep -q "longer than 1h, and 24h is wanted" "$dir/out" &&
	done_with policy set --token-life 30d --certificate-life 30d --reason long &&
	[ "$(of_out '[.[].warnings // [] | .[]] | length')" = 0 ] &&
	sql -d stipa -c "SELECT stipa.signer_register('t', 't', 'short', 'token', '\\x3003', 'pem',
		'https://127.0.0.1/x', now(), now(), now() + '100 d', now() + '110 d')" >/dev/null &&
	done_with policy set --token-life 20d --reason long &&
	of_out '.[] | select(.warnings != null) | .warnings[]' >"$dir/out" &&
	grep -q "the last tokens of short .* would outlive its certificate" "$dir/out" &&
	ctl policy set --token-life 11d --reason text | grep -q "^warning: the last tokens of short" &&
	done_with policy set --token-life 10d --form-2017 on --reason fits &&
	[ "$(of_out '[.[].warnings // [] | .[]] | length')" = 0 ] &&
	sed -i 's/"demo"/"production"/' "$dir/stipactl.conf" &&
	done_with policy set --form-2017 on --reason "for old times" && settings &&
	[ "$(of_out '[.[].warnings // [] | .[]] | join("|")')" = \
		"no STI-CA is known to take tokens of the 2017 form" ]
}

tokens_are_found()
{
	seed && sql -d stipa -c "SELECT * FROM public.order_tokens(ARRAY[1, 1, 2],
		ARRAY['sp-1', 'sp-1', 'sp-2'], ARRAY['1001', '1001', '1002'])" >/dev/null &&
	done_with token list && [ "$(of_out length)" = 3 ] && jti=$(of_out '.[0].jti') &&
	[ "$(of_out '[.[].jti] == ([.[].jti] | sort | reverse)')" = true ] &&
	done_with token list --account sp-1 && [ "$(of_out length)" = 2 ] &&
	done_with token list --spc 1002 && [ "$(of_out '.[0].account')" = sp-2 ] &&
	done_with token list --limit 1 && [ "$(of_out '.[0].jti')" = "$jti" ] &&
	done_with token list --since 1h && [ "$(of_out length)" = 3 ] &&
	done_with token list --since 2099-01-01 && [ "$(of_out length)" = 0 ] &&
	refused 2 wrong-use token list --limit 0 && refused 2 wrong-use token list --since ever &&
	done_with token show "$jti" && [ "$(of_out '[.jti, .ca] | join("|")')" = "$jti|false" ] &&
	refused 1 not-found token show 00000000-0000-7000-8000-000000000000 &&
	refused 2 wrong-use token show 1
}

rights_are_taken()
{
	refused 2 wrong-use account suspend sp-acme && refused 2 wrong-use account suspend sp-acme \
		--reason " " &&
	done_with account suspend sp-acme --reason fraud &&
	[ "$(of_out '[.state, .reason, (.at | length > 0)] | join("|")')" = "suspended|fraud|true" ] &&
	refused 1 wrong-state account suspend sp-acme --reason fraud &&
	done_with account reinstate sp-acme && [ "$(of_out .state)" = active ] &&
	refused 1 wrong-state account reinstate sp-acme &&
	done_with spc transfer 683G --to sp-1 --evidence letter --reason sold &&
	[ "$(of_out '[.account, .state] | join("|")')" = "sp-1|held" ] &&
	refused 1 wrong-state spc transfer 683G --to sp-1 --evidence letter --reason sold &&
	refused 2 wrong-use spc transfer 683G --to sp-1 --evidence letter &&
	refused 1 not-found spc withdraw sp-acme 683G --reason x &&
	refused 2 wrong-use spc withdraw sp-1 683G &&
	done_with spc withdraw sp-1 683G --reason returned && [ "$(of_out .state)" = ended ] &&
	done_with spc list --spc 683G && [ "$(of_out length)" = 0 ] &&
	done_with spc list --spc 683G --past && [ "$(of_out length)" = 2 ]
}

accounts_end()
{
	refused 2 wrong-use account revoke sp-1 && refused 2 wrong-use account close sp-acme &&
	done_with account revoke sp-1 --reason cause && [ "$(of_out .state)" = revoked ] &&
	refused 1 wrong-state account revoke sp-1 --reason cause &&
	done_with account close sp-acme --reason wish && [ "$(of_out .state)" = closed ] &&
	refused 1 wrong-state account close sp-acme --reason wish
}

every_act_is_audited()
{
	acts=$(sql -d stipa -c "SELECT count(DISTINCT action) FROM stipa.audit_event
		WHERE actor = 'tester'")
	[ "$acts" -ge 21 ] || { echo "  kinds of acts: $acts"; return 1; }
	[ "$(sql -d stipa -c "SELECT stipa.audit_verify() IS NULL")" = t ]
}

# ---- refusals ----

refusals_are_found()
{
	sql -d stipa -c "SELECT * FROM public.order_tokens(ARRAY[1, 1, 2],
		ARRAY['sp-1', 'sp-1', 'sp-none'], ARRAY['9999', '1001', '1002'])" >/dev/null &&
	done_with refusal list && [ "$(of_out length)" -ge 2 ] &&
	done_with refusal list --account sp-none --limit 1 &&
	[ "$(of_out '.[0] | [.account, .verdict] | join("|")')" = "sp-none|no_such_account" ] &&
	client=$(of_out '.[0].client') &&
	done_with refusal list --client "$client" --spc 1002 --since 1h &&
	[ "$(of_out length)" = 1 ] &&
	done_with refusal list --since 2099-01-01 && [ "$(of_out length)" = 0 ] &&
	done_with refusal count --since 1h &&
	[ "$(of_out 'map(select(.verdict == "no_such_account"))[0].refused')" = 1 ] &&
	done_with refusal count --client "$client" &&
	[ "$(of_out 'map(.client) | unique | join(",")')" = "$client" ] &&
	refused 2 wrong-use refusal list --limit none &&
	refused 2 wrong-use refusal count --since ever
}

# ---- explain ----

requests_are_explained()
{
	sql -d stipa -c "SELECT * FROM public.order_tokens(ARRAY[2, 2], ARRAY['sp-2', 'sp-2'],
		ARRAY['1002', '7777'])" >/dev/null &&
	issued=$(sql -d stipa -c "SELECT request_id FROM stipa.token ORDER BY jti DESC LIMIT 1") &&
	kept=$(sql -d stipa -c "SELECT request_id FROM stipa.token_refusal ORDER BY id DESC LIMIT 1") &&
	ctl account suspend sp-2 --reason "after the request" >/dev/null &&
	ctl account reinstate sp-2 --reason "so that it goes on" >/dev/null &&
	done_with explain "$issued" &&
	of_out 'map(select(.kind == "token"))[0]' >"$dir/explained" &&
	jq -e '.verdict == "issued" and .account == "sp-2" and .spc == "1002" and
		(.token.jti == .jti) and (.policy.version > 0) and
		([.since[].reason] | index("after the request")) != null and
		([.before[].reason] | index("after the request")) == null and
		(.since | length) == 2' "$dir/explained" >/dev/null || { cat "$dir/explained"; return 1; }
	done_with explain "$kept" &&
	of_out 'map(select(.kind == "refusal" and .verdict == "spc_not_held"))[0]' >"$dir/explained" &&
	jq -e '.rule == "the account did not hold the SPC" and .spc == "7777" and .token == null and
		any(.sentences[]; startswith("It was refused: the account did not hold the SPC"))' \
		"$dir/explained" >/dev/null || { cat "$dir/explained"; return 1; }
	ctl explain "$kept" >"$dir/out" &&
	grep -q "asked for a token for the account sp-2 and the SPC 7777\.$" "$dir/out" &&
	grep -q "^See 'stipactl spc list --spc SPC --past'\.$" "$dir/out" &&
	grep -q "^Since: event [0-9]*, .*, tester: account_suspend sp-2 (after the request)\.$" "$dir/out" &&
	refused 1 not-found explain no-such-request &&
	says "no token, access token or refusal has the request id no-such-request; " \
		explain no-such-request &&
	refused 2 wrong-use explain "a b" && refused 2 wrong-use explain
}

# Every verdict that the database can give has its sentence.
every_verdict_has_a_rule()
{
	sql -d stipa -c "SELECT stipa.verdict_name(n::int2) FROM generate_series(0, 100) AS n
		WHERE stipa.verdict_name(n::int2) IS NOT NULL" >"$dir/verdicts" &&
	[ "$(wc -l <"$dir/verdicts")" -ge 22 ] || return 1
	while read -r verdict; do
		grep -q "{ \"$verdict\"," "$srcdir/src/stipactl/cmd_explain.c" ||
			{ echo "  no rule for $verdict"; return 1; }
	done <"$dir/verdicts"
}

# ---- the audit ----

the_audit_is_read()
{
	done_with audit tail -n 3 && [ "$(of_out length)" = 3 ] &&
	[ "$(of_out '[.[].id] == ([.[].id] | sort)')" = true ] &&
	ctl audit tail | grep -q account_suspend &&
	ctl audit export >"$dir/export" && note accepted audit export &&
	jq -es '[.[].id] == [range(1; length + 1)]' "$dir/export" >/dev/null &&
	[ "$(sql -d stipa -c "SELECT max(id) FROM stipa.audit_event")" = \
		"$(wc -l <"$dir/export")" ] &&
	[ "$(ctl audit export --since 2099-01-01)" = "" ] &&
	[ "$(ctl audit export --until 1h)" = "" ] &&
	refused 2 wrong-use audit tail -n 0 && refused 2 wrong-use audit tail --limit 1 &&
	refused 2 wrong-use audit export --since x
}

the_audit_is_followed()
{
	./stipactl --config "$dir/stipactl.conf" --json audit tail -n 1 --follow >"$dir/followed" &
	follower=$!
	ctl account token-life sp-2 2h --reason "while somebody looks" >/dev/null
	wait_for grep -q "while somebody looks" "$dir/followed"
	kill "$follower"
	wait "$follower" 2>/dev/null
	jq -es 'length >= 1 and .[-1].reason == "while somebody looks"' "$dir/followed" >/dev/null
}

a_whole_chain_is_whole()
{
	done_with audit verify && head=$(of_out .head) &&
	[ "$(of_out '[.whole, .first] | join("|")')" = "true|1" ] &&
	[ "$(sql -d stipa -c "SELECT encode(hash, 'hex') = '$head' FROM stipa.audit_event
		ORDER BY id DESC LIMIT 1")" = t ] &&
	ctl audit export >"$dir/export" &&
	./stipactl --json audit verify "$dir/export" --head "$head" | jq -e .whole >/dev/null &&
	tail -n +7 "$dir/export" | ./stipactl --json audit verify - |
		jq -e '.whole and .first == 7' >/dev/null &&
	refused 2 wrong-use audit verify --head 12 &&
	refused 1 failed audit verify "$dir/nowhere"
}

# broken FILE EVENT: the first event that is not right is this one.
broken()
{
	./stipactl --json audit verify "$1" >"$dir/out" 2>"$dir/err"
	[ $? = 1 ] && [ ! -s "$dir/out" ] && jq -e --arg at "event $2" \
		'.error.code == "audit-broken" and (.error.message | test($at + "\\b"))' "$dir/err" >/dev/null ||
		{ echo "  $1: $(cat "$dir/out" "$dir/err")"; return 1; }
}

# Each member of each event of the export, changed a little.
any_change_is_found()
{
	events=$(wc -l <"$dir/export")
	for n in 1 2 $((events / 2)) "$events"; do
		for change in '.at |= sub("^2"; "1")' '.at |= sub("[0-9]Z$"; "xZ")' '.actor += " "' \
			'.action = "account_add_"' '.subject |= ascii_upcase + "x"' \
			'.reason |= "x" + .' '.evidence += " "' \
			'.previous |= (if startswith("0") then sub("^0"; "1") else "0" + .[1:] end)' \
			'.hash |= (if startswith("0") then sub("^0"; "1") else "0" + .[1:] end)'; do
			jq -c --argjson n "$n" "if .id == \$n then $change else . end" "$dir/export" \
				>"$dir/tampered" && broken "$dir/tampered" "$n" || return 1
		done
	done
}

any_removal_is_found()
{
	for n in $(seq 2 7) $((events - 1)); do
		sed "${n}d" "$dir/export" >"$dir/tampered"
		broken "$dir/tampered" "$n" || return 1
	done
}

any_insertion_is_found()
{
	for n in 1 5 $((events - 1)); do
		sed "${n}p" "$dir/export" >"$dir/tampered" && broken "$dir/tampered" "$n" &&
		jq -c --argjson n "$n" 'if .id == $n then ., (.id += 1 | .previous = .hash) else . end' \
			"$dir/export" >"$dir/tampered" && broken "$dir/tampered" $((n + 1)) || return 1
	done
	sed '3{h;d};4G' "$dir/export" >"$dir/tampered" && broken "$dir/tampered" 3 &&
	sed '$s/$/ x/' "$dir/export" >"$dir/tampered" && broken "$dir/tampered" $((events - 1))
}

# The end is only bound by a head that was noted.
an_end_cut_off_is_found_by_a_noted_head()
{
	sed '$d' "$dir/export" >"$dir/tampered" &&
	./stipactl audit verify "$dir/tampered" >/dev/null &&
	./stipactl audit verify "$dir/tampered" --head "$head" >"$dir/out" 2>&1
	[ $? = 1 ] && grep -q "cut off, or written anew" "$dir/out"
}

# With the constraints and triggers out of his way.  $1: what he does.  It is undone before.
meddle()
{
	sql -d tampered -c "SET session_replication_role = replica" \
	    -c "TRUNCATE stipa.audit_event" -c "INSERT INTO stipa.audit_event TABLE public.kept" \
	    -c "$1" >/dev/null
}

is_found()
{
	meddle "$1" || return 1
	ctl audit verify >"$dir/out" 2>&1
	[ $? = 1 ] && grep -q event "$dir/out" || { echo "  $1: $(cat "$dir/out")"; return 1; }
}

# Each column at each place, taken to another value and to none; one event less, one more, two that
# have changed places; and no change at all.
whatever_is_changed_is_found()
{
	tamper "CREATE TABLE public.kept AS TABLE stipa.audit_event;
		ALTER TABLE stipa.audit_event DROP CONSTRAINT audit_event_pkey" &&
	last=$(sql -d tampered -c "SELECT max(id) FROM stipa.audit_event") &&
	columns=$(sql -d tampered -c "SELECT attname FROM pg_attribute WHERE attnum > 0
		AND attrelid = 'stipa.audit_event'::regclass") && [ "$(echo "$columns" | wc -l)" = 9 ] || return 1
	for column in $columns; do
		sql -d tampered -c "ALTER TABLE stipa.audit_event ALTER $column DROP NOT NULL" || return 1
		case $column in
		id) other="id + 1000" ;;
		at) other="at - interval '1 us'" ;;
		evidence) other="evidence || '{\"x\": 1}'" ;;
		previous | hash) other="set_byte($column, 7, get_byte($column, 7) # 4)" ;;
		*) other="$column || ' '" ;;
		esac
		for id in 1 9 "$last"; do
			is_found "UPDATE stipa.audit_event SET $column = $other WHERE id = $id" &&
			is_found "UPDATE stipa.audit_event SET $column = NULL WHERE id = $id" || return 1
		done
	done
	for id in 1 9 "$last"; do
		is_found "DELETE FROM stipa.audit_event WHERE id = $id" &&
		is_found "DELETE FROM stipa.audit_event WHERE id = $id;
			UPDATE stipa.audit_event SET id = id - 1 WHERE id > $id" &&
		is_found "INSERT INTO stipa.audit_event TABLE public.kept OFFSET $((id - 1)) LIMIT 1" &&
		is_found "INSERT INTO stipa.audit_event SELECT NULL, at, actor, action, subject,
			reason, evidence, previous, hash FROM public.kept WHERE id = $id" &&
		is_found "UPDATE stipa.audit_event SET id = $((id + 7)) - id WHERE id IN (7, $id)" ||
			return 1
	done
	meddle "UPDATE stipa.audit_event SET reason = reason" && done_with audit verify &&
	[ "$(of_out .events)" = "$last" ] && settings
}

# In a copy of the database, by somebody who may do everything there.
tamper()
{
	sql -c "DROP DATABASE IF EXISTS tampered" -c "CREATE DATABASE tampered TEMPLATE stipa" \
		2>/dev/null &&
	sql -d tampered -c "SET session_replication_role = replica" -c "$1" >/dev/null &&
	sed -i 's/dbname=[a-z]* user=stipa_operator/dbname=tampered user=stipa_operator/' \
		"$dir/stipactl.conf"
}

tampering_with_the_database_is_found()
{
	last=$(sql -d stipa -c "SELECT max(id) FROM stipa.audit_event")
	for sql in "UPDATE stipa.audit_event SET reason = 'x' WHERE id = 9" \
		"UPDATE stipa.audit_event SET at = at + '1 us' WHERE id = 9" \
		"DELETE FROM stipa.audit_event WHERE id = 9" \
		"INSERT INTO stipa.audit_event SELECT -1, at, actor, action, subject, reason,
			evidence, previous, hash FROM stipa.audit_event WHERE id = 9" \
		"UPDATE stipa.audit_event SET hash = sha256('x') WHERE id = 9" \
		"DELETE FROM stipa.audit_event WHERE id = $last" \
		"INSERT INTO stipa.audit_event SELECT id + 1, at, actor, action, subject, reason,
			evidence, hash, hash FROM stipa.audit_event WHERE id = $last;
		 UPDATE stipa.audit_event AS e SET hash = stipa.audit_hash(e)
			WHERE id = $((last + 1))" \
		"DELETE FROM stipa.audit_event WHERE id = 9;
		 UPDATE stipa.audit_event SET id = -id WHERE id > 9;
		 UPDATE stipa.audit_event SET id = -id - 1 WHERE id < 0"; do
		tamper "$sql" || return 1
		ctl audit verify >"$dir/out" 2>&1
		[ $? = 1 ] && grep -qE "event (9|-1|10|$last|$((last + 1)))\b" "$dir/out" ||
			{ echo "  last $last: $sql: $(cat "$dir/out")"; return 1; }
	done
	# its functions are not asked
	tamper "UPDATE stipa.audit_event SET reason = 'x' WHERE id = 9;
		CREATE OR REPLACE FUNCTION stipa.audit_verify() RETURNS bigint LANGUAGE sql RETURN NULL::bigint" &&
	refused 1 audit-broken audit verify && settings
}

# ---- a node's configuration ----

a_node_s_configuration_is_judged()
{
	done_with config check "$srcdir/deploy/stipad.conf" && [ "$(of_out .right)" = true ] &&
	done_with config print "$srcdir/deploy/stipad.conf" &&
	[ "$(of_out '[.environment, .connections_max, .listen[1]] | join("|")')" = \
		"production|20000|[2001:db8::1]:443" ] &&
	ctl config print "$srcdir/deploy/stipad.conf" >"$dir/printed.conf" &&
	./stipad --config "$srcdir/deploy/stipad.conf" --print-config | cmp - "$dir/printed.conf" &&
	ctl config check "$dir/printed.conf" | grep -q "is right" &&
	{ echo 'listen = {"x"}'; echo 'liste = 1'; } >"$dir/bad.conf" &&
	ctl --json config check "$dir/bad.conf" >"$dir/out" 2>"$dir/err"
	[ $? = 1 ] && note refused config check &&
	[ "$(jq -r .error.code "$dir/err")" = bad-configuration ] &&
	jq -r '.faults[]' "$dir/out" >"$dir/told" &&
	! ./stipad --config "$dir/bad.conf" --check-config 2>"$dir/by-stipad" &&
	cmp "$dir/told" "$dir/by-stipad" &&
	[ "$(grep -c "bad.conf:[12]: " "$dir/told")" = 2 ] &&
	refused 1 bad-configuration config print "$dir/bad.conf" &&
	refused 1 bad-configuration config print "$dir/nowhere" &&
	refused 2 wrong-use config check a b
}

# The mark of a node, as mark/mark.h describes it, written by code that is not the product's.
# write_mark JTI LEDGER
write_mark()
{
	/usr/bin/python3 - "$dir/state/mark" "$1" "$2" <<-'PY'
		import hashlib, struct, sys, uuid
		path, jti, ledger = sys.argv[1:]
		with open(path, "wb") as file:
		    for sequence in (0, 1):
		        record = b"STIPAMRK" + struct.pack(">QQ", 1, sequence)
		        record += uuid.UUID(ledger).bytes + uuid.UUID(jti).bytes + bytes(64)
		        file.write((record + hashlib.sha256(record).digest()).ljust(4096, b"\0"))
	PY
}

node_with_a_mark()
{
	none=00000000-0000-0000-0000-000000000000
	mkdir -p "$dir/state" &&
	sed "s|^# state = .*|state = \"$dir/state\"|" "$srcdir/deploy/stipad.conf" >"$dir/mark.conf" &&
	refused 1 not-found mark show "$dir/mark.conf" &&
	refused 1 not-found mark accept "$dir/mark.conf" --reason test &&
	write_mark $none $none && done_with mark show "$dir/mark.conf" &&
	[ "$(of_out '[.jti, .made, .known] | join("|")')" = "||yes" ] &&
	refused 1 wrong-state mark accept "$dir/mark.conf" --reason test
}

a_mark_is_shown_and_accepted()
{
	node_with_a_mark || return 1
	ledger=$(sql -d stipa -c "SELECT id FROM stipa.ledger")
	lost=019b76da-a800-7000-8000-000000000001  # of the first of January 2026
	there=$(sql -d stipa -c "SELECT jti FROM stipa.token LIMIT 1")
	write_mark "$there" "$ledger" && done_with mark show "$dir/mark.conf" &&
	[ "$(of_out .known)" = yes ] && [ -n "$(of_out .newest)" ] &&
	refused 1 wrong-state mark accept "$dir/mark.conf" --reason test &&
	# a month that this ledger has dropped, and one that another ledger has never had
	write_mark "$lost" "$ledger" && done_with mark show "$dir/mark.conf" &&
	[ "$(of_out '[.made, .known] | join("|")')" = "2026-01-01T00:00:00Z|yes" ] &&
	write_mark "$lost" "$there" && done_with mark show "$dir/mark.conf" &&
	[ "$(of_out .known)" = no ] &&
	ctl mark show "$dir/mark.conf" | grep -q "stipactl mark accept" &&
	refused 2 wrong-use mark accept "$dir/mark.conf" &&
	refused 2 wrong-use mark accept --jti 7 --reason test &&
	done_with mark accept "$dir/mark.conf" --reason "the copy of noon" &&
	[ "$(of_out .jti)" = "$lost" ] &&
	done_with mark show "$dir/mark.conf" && [ "$(of_out .known)" = yes ] &&
	ctl mark accept --jti "${lost%1}2" --reason test | grep -q "are unknown to this database" &&
	[ "$(sql -d stipa -c "SELECT string_agg(reason, '|' ORDER BY id) FROM stipa.audit_event
		WHERE action = 'mark_accept'")" = "the copy of noon|test" ] &&
	printf x | dd of="$dir/state/mark" bs=1 seek=40 conv=notrunc 2>/dev/null &&
	done_with mark show "$dir/mark.conf" &&
	printf x | dd of="$dir/state/mark" bs=1 seek=4136 conv=notrunc 2>/dev/null &&
	refused 1 failed mark show "$dir/mark.conf"
}

# Without --actor: the configuration, and without that the user of the system.
the_actor_is_known()
{
	echo 'actor = "night shift"' >>"$dir/stipactl.conf"
	./stipactl --config "$dir/stipactl.conf" account alias sp-2 a1 --json |
		jq -e '.account == "sp-2"' >/dev/null &&
	settings &&
	SUDO_USER='' ./stipactl --config "$dir/stipactl.conf" account alias sp-2 a2 >/dev/null &&
	[ "$(sql -d stipa -c "SELECT string_agg(actor, ',' ORDER BY id) FROM stipa.audit_event
		WHERE action = 'alias_add' AND subject = 'sp-2'")" = "night shift,$(id -un)" ]
}

# Neither in the tables nor in the log of the server, which writes every statement.
secrets_are_nowhere()
{
	"$bin/pg_dump" stipa >"$dir/dump" && cat "$dir/log" >>"$dir/dump" &&
	grep -q client_rotate "$dir/log" && grep -q kms-2 "$dir/dump" && # so a search does find
	[ "$(wc -l <"$dir/secrets")" -ge 5 ] || return 1
	while read -r secret; do
		hex=$(printf %s "$secret" | od -An -v -tx1 | tr -d ' \n')
		! grep -qiF -e "$secret" -e "${secret#stipa_demo_}" -e "$hex" "$dir/dump" || return 1
	done <"$dir/secrets"
}

# pki, the offline half of token and doctor have tests of their own.
ours()
{
	grep -vE '^(pki .*|token (decode|verify)|doctor)$'
}

every_command_was_called()
{
	./stipactl help | sed -n 's/^  \([a-z -]*[a-z]\)  .*/\1/p' | ours >"$dir/all"
	[ -s "$dir/all" ] || return 1
	for kind in accepted refused; do
		while read -r name; do
			grep -q "^$name " "$dir/$kind" || { echo "  never $kind: $name"; return 1; }
		done <"$dir/all"
	done
}

# Nothing works, nothing is made, and the error says where to look.
without_a_schema()
{
	make_database bare && sed -i 's/dbname=stipa /dbname=bare /' "$dir/stipactl.conf" &&
	refused 1 other-schema account list &&
	says "see 'stipactl db status'" account list &&
	refused 1 no-schema db partitions &&
	refused 1 failed db status --migrations "$dir/nowhere" &&
	[ "$(sql -d bare -c "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'stipa%'")" = 0 ]
}

start_postgres log_statement=all
sql -f "$srcdir/db/roles.sql" || fail "roles.sql"
make_database stipa || fail "no database"
settings

run_step "Wrong use is exit 2 and names what is right" the_command_line_is_checked
run_step "A configuration that is wrong is told" a_bad_configuration_is_told
run_step "Help needs no configuration" help_needs_no_configuration
run_step "Versions are said" versions_are_said
run_step "Output that is lost is a failure" lost_output_is_a_failure
run_step "What is to be migrated is listed, and a dry run changes nothing" migrations_are_listed
run_step "Migrations run once" migrations_run_once
run_step "The schema is that of the files" the_schema_is_the_same
run_step "A changed migration is refused" a_changed_file_is_refused
run_step "A renamed migration is refused" a_renamed_file_is_refused
run_step "A gap is refused before anything runs" a_gap_is_refused
run_step "Files that are no migrations are refused" bad_names_are_refused
run_step "A database that is ahead is refused" a_newer_database_is_refused
run_step "A failed migration leaves nothing and names its line" a_failed_migration_leaves_nothing
run_step "A migration may not end its transaction" a_migration_may_not_commit
run_step "What a migration sets ends with it" a_migration_s_settings_end_with_it
run_step "Only the owner migrates" only_the_owner_migrates
run_step "Two migrators take turns" two_migrators_take_turns
settings
PGDATABASE=stipa
run_step "Accounts are applied for" accounts_are_applied_for
run_step "Accounts are decided" accounts_are_decided
run_step "Codes are held by one" codes_are_held
run_step "Codes are verified for a term" codes_are_verified
run_step "Clients get secrets, shown once" clients_get_secrets
run_step "Secrets go to files of mode 0600" secrets_go_to_files
run_step "A refusal costs no secret" a_refusal_costs_no_secret
run_step "Clients are rotated, disabled, enabled" clients_are_rotated
run_step "Without an environment there is no secret" no_environment_no_secret
run_step "Clients are held to addresses" clients_are_narrowed
run_step "Clients are held to fingerprints" clients_are_pinned
run_step "Clients have scopes" clients_have_scopes
run_step "Clients have keys" clients_have_keys
run_step "API users get passwords, shown once" users_get_passwords
run_step "Passwords may be chosen" passwords_are_chosen
run_step "Hashes are imported" hashes_are_imported
run_step "API users are rotated, disabled, enabled" users_are_rotated
run_step "Notices are listed" notices_are_listed
run_step "Delegations are granted and withdrawn" delegations_are_granted
run_step "Aliases come and go" aliases_come_and_go
run_step "Terms are written" terms_are_written
run_step "Policy has versions" policy_has_versions
run_step "Policy warns of what does not fit" policy_warns
run_step "Tokens are found in the ledger" tokens_are_found
run_step "Rights are taken, with a reason" rights_are_taken
run_step "Accounts end" accounts_end
run_step "Every act is in the audit" every_act_is_audited
run_step "Refusals are found and counted" refusals_are_found
run_step "Requests are explained" requests_are_explained
run_step "Every verdict has a rule" every_verdict_has_a_rule
run_step "The audit is read and exported" the_audit_is_read
run_step "The audit is followed" the_audit_is_followed
run_step "A whole chain is whole" a_whole_chain_is_whole
run_step "Any change of an event is found" any_change_is_found
run_step "Any removal is found" any_removal_is_found
run_step "Any insertion is found" any_insertion_is_found
run_step "An end cut off is found by a noted head" an_end_cut_off_is_found_by_a_noted_head
run_step "Tampering with the database is found" tampering_with_the_database_is_found
run_step "Whatever is changed, taken or added is found" whatever_is_changed_is_found
run_step "A node's configuration is judged as by the node" a_node_s_configuration_is_judged
run_step "A node's mark is shown, and its loss accepted" a_mark_is_shown_and_accepted
run_step "The actor is known" the_actor_is_known
run_step "No secret is in the database or its log" secrets_are_nowhere
run_step "Without a schema nothing works, and it is said" without_a_schema
run_step "Every command was called with success and refused" every_command_was_called
