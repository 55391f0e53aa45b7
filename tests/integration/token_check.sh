#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# stipactl token decode and verify: a right token passes every rule, and each fault fails at the
# rule that it breaks.  The tokens are signed by openssl.
. "${srcdir:-.}/tests/integration/lib.sh"
. "${srcdir:-.}/tests/integration/token-lib.sh"

now=$(date +%s)
x5u=https://pa.example/sti-pa/certs/signer.pem
header='{"alg":"ES256","typ":"JWT","x5u":"'$x5u'"}'
print='SHA256 A0:A2:32:C2:F1:94:A5:35:53:CB:13:10:DD:BC:08:21:E4:14:B9:D7:EB:FC:29:0B:32:30:84:D7:D1:02:0F:E5'
atc='"atc":{"tktype":"TNAuthList","tkvalue":"MAigBhYEMTIzNA==","ca":false,"fingerprint":"'$print'"}'
payload='{"exp":'$((now + 3600))',"jti":"018f-1",'$atc'}'

# The PKI under test is made by stipactl; openssl signs with its key.
make_pki()
{
	(umask 077 && echo 'correct horse battery staple' >"$work/passphrase")
	./stipactl pki init --dir "$work/pki" --base-url https://pa.example --environment demo \
		--passphrase-file "$work/passphrase" --no-database >/dev/null &&
	mv "$work"/pki/certs/*.pem "$work/pki/certs/signer.pem" &&
	openssl pkey -in "$(echo "$work"/pki/token-*.key)" -passin "file:$work/passphrase" \
		-out "$work/signer.key" &&
	openssl pkey -in "$work/pki/root.key" -passin "file:$work/passphrase" \
		-out "$work/root.key"
}

# issue NAME DAYS EXTENSION: a certificate of the signer's key under the root, in the folder.
issue()
{
	openssl req -new -key "$work/signer.key" -subj "/CN=STI-PA $1" -out "$work/csr" &&
	printf '%s\n' "$3" authorityKeyIdentifier=keyid >"$work/ext" &&
	openssl x509 -req -in "$work/csr" -CA "$work/pki/root.pem" -CAkey "$work/root.key" \
		-set_serial "$now" -days "$2" -extfile "$work/ext" \
		-out "$work/pki/certs/$1.pem" 2>/dev/null
}

verify()
{
	./stipactl token verify --root "$work/pki/root.pem" "$@" >"$work/out" 2>"$work/err"
}

good_is_good()
{
	good=$(sign_token "$header" "$payload" "$work/signer.key")
	verify --certs "$work/pki/certs" "$good" && ! grep -Eq 'FAIL|not judged' "$work/out" &&
	[ "$(grep -c ' ok ' "$work/out")" = 12 ] &&
	verify --chain "$work/pki/certs/signer.pem" "$good" &&
	printf ' %s\n' "$good" | verify --chain "$work/pki/certs/signer.pem" - &&
	verify --json --certs "$work/pki/certs" "$good" &&
	grep -q '"verified": true' "$work/out" && grep -q '"spc": "1234"' "$work/out"
}

other_good_tokens()
{
	for body in \
		"{\"exp\":$((now + 3600)),\"jti\":\"1\",\"iss\":\"https://pa\",\"iat\":$now,$atc}" \
		"$(echo "$payload" | sed 's/"ca":false,//')" \
		"$(echo "$payload" | sed 's/"ca":false/"ca":true/; s/==//')" \
		"$(echo "$payload" | sed 's/SHA256 [0-9A-F:]*/oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U/')" \
		"{\"sub\":[\"1234\"],\"iat\":$now,\"nbf\":$now,\"exp\":$((now + 3600)),\"fingerprint\":\"$print\"}"
	do
		verify --certs "$work/pki/certs" \
			"$(sign_token "$header" "$body" "$work/signer.key")" ||
			{ echo "$body"; cat "$work/out"; return 1; }
	done
}

# fails STEP TOKEN [CHAIN]: status 1, and this is the first rule that is broken.
fails()
{
	verify --chain "${3:-$work/pki/certs/signer.pem}" "$2"
	if [ $? != 1 ] ||
		[ "$(awk '/ FAIL / { print $1; exit }' "$work/out")" != "$1" ]; then
		echo "wanted a failure of $1:"
		cat "$work/out" "$work/err"
		return 1
	fi
}

# header_fails STEP HEADER; payload_fails STEP PAYLOAD; atc_fails STEP SED-EXPRESSION
header_fails()
{
	fails "$1" "$(sign_token "$2" "$payload" "$work/signer.key")"
}

payload_fails()
{
	fails "$1" "$(sign_token "$header" "$2" "$work/signer.key")"
}

atc_fails()
{
	body=$(echo "$payload" | sed "$2")
	[ "$body" != "$payload" ] || { echo "'$2' changes nothing"; return 1; }
	payload_fails "$1" "$body"
}

parts_are_judged()
{
	a=${good%%.*} b=${good#*.} c=${good##*.}
	b=${b%.*}
	fails parts "$a.$b" && fails parts "$a.$b.$c.$c" && fails parts "$a.$b.$c=" &&
	fails parts "$a.$b." && fails parts "$a.$b.${c}AA" && fails parts "$a.$b=.$c" &&
	fails parts "$a.$b.$(printf %s "$a.$b" | openssl dgst -sha256 -sign "$work/signer.key" |
		encode)"
}

headers_are_judged()
{
	header_fails header '{"alg":"ES256","typ":"JWT"}' &&
	header_fails header "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"x5u\":\"$x5u\",\"kid\":\"1\"}" &&
	header_fails header "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"x5u\":\"$x5u\",\"x5u\":\"$x5u\"}" &&
	header_fails header "{\"alg\":\"ES256\",\"typ\":\"jwt\",\"x5u\":\"$x5u\"}" &&
	header_fails header '{"alg":"ES256","typ":"JWT","x5u":["https://pa.example"]}' &&
	header_fails header 'no json' && header_fails header '[]' &&
	header_fails alg "{\"alg\":\"none\",\"typ\":\"JWT\",\"x5u\":\"$x5u\"}" &&
	header_fails alg "{\"alg\":\"ES384\",\"typ\":\"JWT\",\"x5u\":\"$x5u\"}" &&
	header_fails x5u '{"alg":"ES256","typ":"JWT","x5u":"http://pa.example/signer.pem"}' &&
	header_fails x5u '{"alg":"ES256","typ":"JWT","x5u":"https://pa.example/signer.pem?a"}' &&
	header_fails x5u '{"alg":"ES256","typ":"JWT","x5u":"https://u@pa.example/signer.pem"}'
}

chains_are_judged()
{
	usage=keyUsage=critical,digitalSignature
	issue expired 0 "$usage" && issue usage 9 keyUsage=critical,keyAgreement &&
	issue none 9 basicConstraints=CA:FALSE && issue ca 9 \
		"basicConstraints=CA:TRUE
$usage" &&
	openssl req -x509 -key "$work/signer.key" -subj /CN=stranger -days 9 \
		-out "$work/stranger.pem" &&
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=other \
		-keyout "$work/other.key" -out "$work/other.pem" 2>/dev/null &&
	fails chain "$good" "$work/stranger.pem" && fails chain "$good" "$work/absent.pem" &&
	fails chain "$good" "$work/passphrase" &&
	sleep 1 && fails validity "$good" "$work/pki/certs/expired.pem" &&
	fails keyUsage "$good" "$work/pki/certs/usage.pem" &&
	fails keyUsage "$good" "$work/pki/certs/none.pem" &&
	fails keyUsage "$good" "$work/pki/certs/ca.pem"
}

signatures_are_judged()
{
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/else.key" &&
	fails signature "$(sign_token "$header" "$payload" "$work/else.key")" &&
	a=${good%.*} &&
	fails signature "$a.$(head -c 64 /dev/zero | encode)"
}

times_are_judged()
{
	payload_fails times "{\"exp\":$now,\"jti\":\"1\",$atc}" &&
	payload_fails times "{\"exp\":\"$((now + 9))\",\"jti\":\"1\",$atc}" &&
	payload_fails times "{\"jti\":\"1\",$atc}" &&
	payload_fails times "{\"exp\":$((now + 99)),\"nbf\":$((now + 60)),\"jti\":\"1\",$atc}"
}

claims_are_judged()
{
	payload_fails payload "{\"exp\":1,$payload" &&
	payload_fails payload "{\"exp\":$((now + 9)),\"exp\":$((now + 9)),\"jti\":\"1\",$atc}" &&
	payload_fails claims "{\"exp\":$((now + 99)),$atc}" &&
	payload_fails claims "{\"exp\":$((now + 99)),\"jti\":\"1\"}" &&
	atc_fails claims 's/TNAuthList/TnAuthList/' && atc_fails claims 's/"ca":false/"ca":"false"/' &&
	atc_fails claims 's/"ca":false/"ca":0/' && atc_fails claims 's/"ca"/"x":1,"ca"/' &&
	atc_fails claims 's/SHA256 A0:/SHA256 /' && atc_fails claims 's/SHA256/SHA-256/' &&
	atc_fails claims 's/:32:/-32:/' && atc_fails claims 's/"fingerprint"/"print"/' &&
	atc_fails tkvalue 's/MAigBhYEMTIzNA==/MBCgBhYEMTIzNKAGFgQ1Njc4/' &&
	atc_fails tkvalue 's/MAigBhYEMTIzNA==/MIAGoAYWBDEyMzQAAA==/' &&
	atc_fails tkvalue 's/MAigBhYEMTIzNA==/MAigBhYEMTIzNB==/' &&
	atc_fails tkvalue 's/MAigBhYEMTIzNA==/MAigBhYEMTIzNA=/' &&
	atc_fails tkvalue 's/MAigBhYEMTIzNA==//'
}

decode_shows()
{
	./stipactl token decode "$good" >"$work/out" && grep -q '^spc  *1234$' "$work/out" &&
	grep -Eq '^expires .*, in 5[0-9] minutes' "$work/out" &&
	grep -q '^verified  *no$' "$work/out" && grep -q 'Nothing was verified' "$work/out" &&
	echo "$good" | ./stipactl --json token decode - >"$work/out" &&
	grep -q '"tkvalue": "MAigBhYEMTIzNA=="' "$work/out" &&
	grep -q '"verified": false' "$work/out"
}

# A token steers no terminal, and what is no token is refused.
decode_is_careful()
{
	body='{"exp":1,"jti":"'$(printf '\342\200\256\302\233')'2J\u001b[2J"}'
	./stipactl token decode "$(sign_token "$header" "$body" "$work/signer.key")" >"$work/out" &&
	! LC_ALL=C grep -q '[^ -~]' "$work/out" && grep -q 'ago$' "$work/out" &&
	grep -q 'atc.tkvalue is not there' "$work/out" &&
	! ./stipactl token decode no.token.at-all >/dev/null 2>"$work/err" &&
	! ./stipactl token decode - </dev/null >/dev/null 2>"$work/err" &&
	! head -c 99999 /dev/zero | tr '\0' e | ./stipactl token decode - >/dev/null 2>&1
}

usage_is_judged()
{
	verify "$good"
	[ $? = 2 ] || return 1
	verify --certs "$work" --chain "$work/x" "$good"
	[ $? = 2 ]
}

work=$(mktemp -d "${TMPDIR:-/tmp}/stipa-token.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
for command in openssl xxd awk; do
	command -v "$command" >/dev/null || fail "$command is missing"
done
run_step "A root and a signer are made" make_pki
run_step "A right token passes every rule" good_is_good
run_step "So do the other forms of right tokens" other_good_tokens
run_step "Parts are judged" parts_are_judged
run_step "The header is judged" headers_are_judged
run_step "The chain is judged" chains_are_judged
run_step "The signature is judged" signatures_are_judged
run_step "Times are judged" times_are_judged
run_step "Claims and tkvalue are judged" claims_are_judged
run_step "Wrong use is told" usage_is_judged
run_step "decode shows what a token says" decode_shows
run_step "decode is careful" decode_is_careful
