#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The three verifiers that are not ours take a right token and nothing else.  Root, signer and
# token are made here by openssl, so that a mistake of ours cannot agree with itself.
. "${srcdir:-.}/tests/integration/lib.sh"
. "${srcdir:-.}/tests/integration/token-lib.sh"

verifiers="verify-token-openssl verify-token-jose verify-token-jwcrypto"
hour=$(($(date +%s) + 3600))
payload='{"exp":EXP,"jti":"018f-1","atc":{"tktype":"TNAuthList","tkvalue":"MAigBhYEMTIzNA==",'
payload=$payload'"ca":false,"fingerprint":"SHA256 00"}}'
header='{"alg":"ES256","typ":"JWT","x5u":"https://localhost/signer.pem"}'

# make_certificate NAME ISSUER DAYS EXTENSION...
make_certificate()
{
	file=$dir/$1 issuer=$dir/$2 days=$3
	shift 3
	printf '%s\n' "$@" >"$file.ext"
	openssl ecparam -name prime256v1 -genkey -noout -out "$file.key" &&
	openssl req -new -key "$file.key" -subj "/O=STI-PA/CN=STI-PA ${file##*/}" \
		-out "$file.csr" &&
	if [ "$file" = "$issuer" ]; then
		openssl x509 -req -in "$file.csr" -signkey "$file.key" -days "$days" -sha256 \
			-extfile "$file.ext" -out "$file.pem" 2>/dev/null
	else
		openssl x509 -req -in "$file.csr" -CA "$issuer.pem" -CAkey "$issuer.key" \
			-set_serial "$(date +%s)" -days "$days" -sha256 -extfile "$file.ext" \
			-out "$file.pem" 2>/dev/null
	fi
}

make_pki()
{
	ca='basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash'
	leaf='basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid'
	make_certificate root root 2 "$ca" &&
	make_certificate other-root other-root 2 "$ca" &&
	make_certificate signer root 1 "$leaf" &&
	make_certificate other-signer root 1 "$leaf" &&
	make_certificate stranger other-root 1 "$leaf"
}

# make_token HEADER EXP SIGNER
make_token()
{
	sign_token "$1" "$(printf %s "$payload" | sed "s/EXP/$2/")" "$dir/$3.key"
}

# all_take TOKEN ROOT CHAIN
all_take()
{
	for verifier in $verifiers; do
		printf %s "$1" | "$srcdir/tests/tools/$verifier" --root "$dir/$2.pem" \
			--x5u-file "$dir/$3.pem" || return 1
	done
}

# refused WHY TOKEN ROOT CHAIN: by all three, and for this reason.  A verifier that falls over (a
# missing command, a traceback) refuses nothing.
refused()
{
	why=$1
	shift
	for verifier in $verifiers; do
		printf %s "$1" | "$srcdir/tests/tools/$verifier" --root "$dir/$2.pem" \
			--x5u-file "$dir/$3.pem" >"$dir/out" 2>&1
		if [ $? != 1 ] || ! grep -Eiq "$why" "$dir/out"; then
			echo "$verifier: $(cat "$dir/out")"
			return 1
		fi
	done
}

# Change one character of part 1, 2 or 3; of the signature the last one as well.
changed_bytes_are_refused()
{
	a=${good%%.*} b=${good#*.} c=${good##*.}
	b=${b%.*}
	refused 'header|JSON|Expecting|codec|signature|character' "A${a#?}.$b.$c" root signer &&
	refused 'signature|verif' "$a.${b%?????}AAAAA.$c" root signer &&
	refused 'signature|verif' "$a.$b.$(printf %s "$c" | flip_first)" root signer &&
	refused 'canonical' "$a.$b.$(printf %s "$c" | respell_last)" root signer
}

flip_first()
{
	sed -E 's/^A/B/; t; s/^./A/'
}

# The last of 86 characters carries two bits: B spells the same bytes as A to a lax decoder.
respell_last()
{
	sed -E 's/A$/B/; t; s/Q$/R/; t; s/g$/h/; t; s/w$/x/'
}

a_right_token_is_taken()
{
	good=$(make_token "$header" "$hour" signer) && all_take "$good" root signer
}

headers_are_exact()
{
	refused header "$(make_token '{"alg":"ES256","typ":"JWT"}' "$hour" signer)" root signer &&
	refused header "$(make_token "${header%\}},\"kid\":\"1\"}" "$hour" signer)" root signer &&
	refused header "$(make_token '{"alg":"none","typ":"JWT","x5u":"https://localhost/s"}' \
		"$hour" signer)" root signer &&
	refused 'header|https' "$(make_token \
		'{"alg":"ES256","typ":"JWT","x5u":"http://localhost/s"}' "$hour" signer)" \
		root signer
}

dir=$(mktemp -d "${TMPDIR:-/tmp}/stipa-verify.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
for command in openssl xxd jose /usr/bin/python3; do
	command -v "$command" >/dev/null || fail "$command is missing"
done
run_step "Roots, signers and keys are made" make_pki
run_step "Each verifier takes a right token" a_right_token_is_taken
run_step "None takes a token with a changed byte" changed_bytes_are_refused
run_step "None takes a header with more, less or other members" headers_are_exact
run_step "None takes another root" refused 'root|issuer' "$good" other-root signer
run_step "None takes a signer from outside the root" \
	refused 'root|issuer' "$(make_token "$header" "$hour" stranger)" root stranger
run_step "None takes another key of the same root" \
	refused 'signature|verif' "$good" root other-signer
run_step "None takes a token that has expired" \
	refused expired "$(make_token "$header" "$(($(date +%s) - 1))" signer)" root signer
