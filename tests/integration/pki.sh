#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# stipactl pki: what it makes, as openssl and the database see it, and what it leaves behind when
# it fails.
. "${srcdir:-.}/tests/integration/lib.sh"
. "${srcdir:-.}/tests/integration/migrated.sh"

base_url=https://pa.example:8443

ctl()
{
	./stipactl --config "$work/stipactl.conf" "$@"
}

# init DIR ARGUMENT...
init()
{
	folder=$1
	shift
	ctl pki init --dir "$work/$folder" --base-url "$base_url" \
		--passphrase-file "$work/passphrase" "$@" >"$work/out" 2>"$work/err"
}

# The one signer of a folder: its kid.
kid_of()
{
	basename "$(echo "$work/$1"/certs/*.pem)" .pem
}

says()
{
	grep -q -- "$1" "$work/out" "$work/err" || {
		echo "nothing says '$1':"
		cat "$work/out" "$work/err"
		return 1
	}
}

mode_is()
{
	[ "$(stat -c %a "$2")" = "$1" ] || { echo "$2: $(stat -c %a "$2")"; return 1; }
}

files_are_made()
{
	init demo --no-database --environment demo || { cat "$work/err"; return 1; }
	kid=$(kid_of demo)
	expr "$kid" : 'token-20[0-9][0-9]-[01][0-9]-[0-3][0-9]-[0-9a-f]\{4\}$' >/dev/null &&
	mode_is 700 "$work/demo" && mode_is 600 "$work/demo/root.key" &&
	mode_is 600 "$work/demo/$kid.key" && mode_is 644 "$work/demo/root.pem" &&
	mode_is 644 "$work/demo/certs/$kid.pem" &&
	says "pki register" && says "Keep offline"
}

keys_are_sealed()
{
	for key in "$work/demo/root.key" "$work/demo/$(kid_of demo).key"; do
		head -1 "$key" | grep -q 'BEGIN ENCRYPTED PRIVATE KEY' &&
		openssl asn1parse -in "$key" | grep -q ':scrypt' &&
		openssl asn1parse -in "$key" | grep -q ':aes-256-cbc' &&
		openssl pkey -in "$key" -passin "file:$work/passphrase" -noout &&
		! openssl pkey -in "$key" -passin pass:wrong -noout 2>/dev/null || return 1
	done
}

# has FILE LINE...: openssl's text of the first certificate has these, each on a line of its own.
has()
{
	openssl x509 -in "$1" -noout -text | sed 's/^ *//; s/ *$//' >"$work/text"
	shift
	for line; do
		grep -Fxq -- "$line" "$work/text" || { echo "no line '$line'"; return 1; }
	done
}

root_has_its_profile()
{
	has "$work/demo/root.pem" "Version: 3 (0x2)" "Signature Algorithm: ecdsa-with-SHA256" \
		"NIST CURVE: P-256" "Subject: C = US, O = STI-PA, CN = STI-PA Root (demo)" \
		"Issuer: C = US, O = STI-PA, CN = STI-PA Root (demo)" \
		"X509v3 Basic Constraints: critical" "CA:TRUE" "X509v3 Key Usage: critical" \
		"Digital Signature, Certificate Sign, CRL Sign" \
		"X509v3 Subject Key Identifier:" &&
	openssl x509 -in "$work/demo/root.pem" -noout -checkend $((3650 * 86400)) >/dev/null &&
	! openssl x509 -in "$work/demo/root.pem" -noout -checkend $((3655 * 86400)) >/dev/null
}

signer_has_its_profile()
{
	file=$work/demo/certs/$(kid_of demo).pem
	has "$file" "Version: 3 (0x2)" "Signature Algorithm: ecdsa-with-SHA256" \
		"NIST CURVE: P-256" "Subject: C = US, O = STI-PA, CN = STI-PA Token Signer 1 (demo)" \
		"Issuer: C = US, O = STI-PA, CN = STI-PA Root (demo)" "CA:FALSE" \
		"X509v3 Key Usage: critical" "Digital Signature" \
		"X509v3 Subject Key Identifier:" "X509v3 Authority Key Identifier:" &&
	! grep -Eq 'Extended Key|CRL Dist|Authority Info' "$work/text" &&
	openssl x509 -in "$file" -noout -checkend $((1094 * 86400)) >/dev/null &&
	! openssl x509 -in "$file" -noout -checkend $((1100 * 86400)) >/dev/null
}

serials_are_random()
{
	a=$(openssl x509 -in "$work/demo/root.pem" -noout -serial)
	b=$(openssl x509 -in "$work/demo/certs/$(kid_of demo).pem" -noout -serial)
	[ "$a" != "$b" ] && [ ${#a} -ge 23 ] && [ ${#b} -ge 23 ] # "serial=" and 8 octets or more
}

names_are_printable_strings()
{
	openssl x509 -in "$work/demo/certs/$(kid_of demo).pem" -noout -subject -issuer \
		-nameopt RFC2253,show_type >"$work/names" &&
	[ "$(grep -o PRINTABLESTRING "$work/names" | wc -l)" = 6 ]
}

# The leaf comes first, then its root; openssl and the strict mode agree on them.
chain_holds()
{
	file=$work/demo/certs/$(kid_of demo).pem
	[ "$(grep -c BEGIN "$file")" = 2 ] &&
	openssl verify -x509_strict -CAfile "$work/demo/root.pem" "$file" >/dev/null &&
	openssl crl2pkcs7 -nocrl -certfile "$file" | openssl pkcs7 -print_certs -noout |
		grep '^subject' | sed -n 2p | grep -q 'STI-PA Root'
}

nothing_is_overwritten()
{
	before=$(cd "$work/demo" && find . -type f -exec sha256sum {} + | sort)
	! init demo --no-database --environment demo && says "nothing is overwritten" &&
	[ "$before" = "$(cd "$work/demo" && find . -type f -exec sha256sum {} + | sort)" ]
}

# leaves_nothing REASON ARGUMENT...: the command fails, says so, and no folder is there.
leaves_nothing()
{
	reason=$1
	shift
	! init none "$@" && says "$reason" && [ ! -e "$work/none" ]
}

passphrases_are_judged()
{
	none="--no-database --environment demo --root-passphrase-file"
	echo 'short' >"$work/short"
	echo 'a passphrase that all may read' >"$work/open"
	: >"$work/empty"
	chmod 600 "$work/short" "$work/empty"
	chmod 644 "$work/open"
	# shellcheck disable=SC2086
	leaves_nothing "fewer than 12" $none "$work/short" &&
	leaves_nothing "mode 0644" $none "$work/open" &&
	leaves_nothing "empty" $none "$work/empty" &&
	leaves_nothing "No such file" $none "$work/absent"
}

values_are_judged()
{
	for url in http://pa.example https://pa.example/ https://pa.example/x https://u@pa.example \
		'https://pa.example?x' https://; do
		ctl pki init --dir "$work/none" --base-url "$url" --no-database --environment demo \
			--passphrase-file "$work/passphrase" >"$work/out" 2>&1
		[ $? = 2 ] || { echo "$url is taken"; return 1; }
	done
	leaves_nothing "two capital letters" --no-database --environment demo --country usa &&
	leaves_nothing "1 to 64 bytes" --no-database --environment demo --organisation \
		"$(printf '%65s' x)" &&
	leaves_nothing "production, staging or demo" --no-database --environment test
}

# The configured environment is demo; production shows nowhere in the names.
other_names()
{
	init prod --no-database --environment production --organisation 'Büro für Codes' \
		--country CA --crl-url https://pa.example/sti-pa/pa.crl --root-passphrase-file \
		"$work/passphrase-2" || return 1
	file=$work/prod/certs/$(kid_of prod).pem
	openssl x509 -in "$file" -noout -subject -nameopt utf8,sep_comma_plus,show_type |
		grep -q 'C=PRINTABLESTRING:CA,O=UTF8STRING:Büro für Codes,CN=PRINTABLESTRING:STI-PA Token Signer 1$' &&
	has "$file" "URI:https://pa.example/sti-pa/pa.crl" &&
	! has "$work/prod/root.pem" "URI:https://pa.example/sti-pa/pa.crl" >/dev/null &&
	openssl pkey -in "$work/prod/root.key" -passin "file:$work/passphrase-2" -noout &&
	! openssl pkey -in "$work/prod/root.key" -passin "file:$work/passphrase" -noout \
		2>/dev/null
}

# settings ROLE
settings()
{
	cat >"$work/stipactl.conf" <<-EOT
		database = "host=$PGHOST dbname=stipa user=$1"
		environment = "demo"
		actor = "tester"
	EOT
}

init_registers()
{
	init live --json || { cat "$work/err"; return 1; }
	kid=$(kid_of live)
	sha=$(openssl x509 -in "$work/live/certs/$kid.pem" -outform DER | openssl dgst -sha256 -r)
	[ "$(sql -c "SELECT x5u || ' ' || encode(sha256, 'hex') || ' ' || state
		FROM stipa.node_signer('$kid')")" = \
		"$base_url/sti-pa/certs/$kid.pem ${sha%% *} active" ] &&
	[ "$(sql -c "SELECT chain FROM stipa.signer_certificate WHERE kid = '$kid'")" = \
		"$(cat "$work/live/certs/$kid.pem")" ] &&
	[ "$(sql -c "SELECT remove_at - retire_at = '398 d' AND remove_at > now() + '1094 d'
		FROM stipa.signer_certificate WHERE kid = '$kid'")" = t ] &&
	[ "$(sql -c "SELECT count(*) FROM stipa.audit_view WHERE actor = 'tester'")" = 1 ] &&
	grep -q '"registered": true' "$work/out" && grep -q "\"kid\": \"$kid\"" "$work/out"
}

register_later()
{
	file=$work/demo/certs/$(kid_of demo).pem
	ctl pki register "$file" --base-url "$base_url" >"$work/out" 2>"$work/err" &&
	says "active" &&
	! ctl pki register "$file" --base-url "$base_url" >"$work/out" 2>"$work/err" &&
	says "not registered" &&
	ctl pki list >"$work/out" && says "$(kid_of demo)" && says "$(kid_of live)"
}

# What cannot sign tokens is not registered.
register_refuses()
{
	cp "$work/demo/root.pem" "$work/a-root.pem"
	cat "$work/demo/certs/"*.pem "$work/live/root.pem" >"$work/a-chain.pem"
	cp "$work/demo/certs/"*.pem "$work/a b.pem"
	! ctl pki register "$work/a-root.pem" --base-url "$base_url" >"$work/out" 2>"$work/err" &&
	says "CA certificate" &&
	! ctl pki register "$work/a b.pem" --base-url "$base_url" >"$work/out" 2>"$work/err" &&
	says "only letters" &&
	! ctl pki register "$work/passphrase" --base-url "$base_url" >"$work/out" 2>"$work/err"
}

a_database_that_refuses_leaves_nothing()
{
	settings stipa_auditor
	leaves_nothing "not registered"
}

a_database_that_is_down_leaves_nothing()
{
	sed -i "s|host=[^ ]*|host=$work|" "$work/stipactl.conf"
	leaves_nothing "stipactl: "
}

for command in openssl stat; do
	command -v "$command" >/dev/null || fail "$command is missing"
done
start_postgres
migrate
work=$(mktemp -d "${TMPDIR:-/tmp}/stipa-pki.XXXXXX") || exit 1
trap 'rm -rf "$work"; stop_postgres' EXIT
umask 077
echo 'correct horse battery staple' >"$work/passphrase"
echo 'another one, kept elsewhere' >"$work/passphrase-2"
umask 022
settings stipa_operator

run_step "Files are made, with their modes" files_are_made
run_step "Keys are sealed by the passphrase" keys_are_sealed
run_step "The root has its profile" root_has_its_profile
run_step "The signer has its profile" signer_has_its_profile
run_step "Serial numbers are random" serials_are_random
run_step "Names are PrintableStrings" names_are_printable_strings
run_step "The chain holds, signer first" chain_holds
run_step "Nothing is overwritten" nothing_is_overwritten
run_step "A passphrase that is weak or open to others is refused" passphrases_are_judged
run_step "Wrong values are refused" values_are_judged
run_step "Other names, a CRL address and a root passphrase of its own" other_names
run_step "The signer is registered as it stands on disk" init_registers
run_step "A signer is registered later, once" register_later
run_step "What cannot sign tokens is not registered" register_refuses
run_step "A database that refuses leaves no file" a_database_that_refuses_leaves_nothing
run_step "A database that is down leaves no file" a_database_that_is_down_leaves_nothing
