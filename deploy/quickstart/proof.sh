# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The proof: a token as an SP would ask for it, read by tools that are not ours.

# The fingerprint of a new ACME account key: its RFC 7638 thumbprint, in the SHAKEN spelling.
demo_fingerprint()
{
	printf 'SHA256 %s' "$(jose jwk gen -i '{"alg":"ES256"}' | jose jwk thp -i- -a S256 |
		tr -- '-_' '+/' | sed 's/$/=/' | openssl base64 -d -A | xxd -p -c 32 |
		tr a-f A-F | sed 's/../&:/g; s/:$//')"
}

# TNAuthList with one SPC of four characters, RFC 8226 section 9.
demo_tkvalue()
{
	printf '\060\010\240\006\026\004%s' "$demo_spc" | openssl base64 -A
}

demo_body()
{
	printf '{"atc":{"tktype":"TNAuthList","tkvalue":"%s","ca":false,"fingerprint":"%s"}}' \
		"$(demo_tkvalue)" "$(demo_fingerprint)"
}

# The secret goes in by standard input: a command line can be read by others.
request_token()
(
	. "$work/env"
	printf 'user = "%s:%s"\n' "$STIPA_CLIENT_ID" "$STIPA_CLIENT_SECRET" |
		curl -sS --max-time 10 --cacert "$STIPA_CA_FILE" -K - -w '\n%{http_code}' \
			-H 'Content-Type: application/json' -d "$1" \
			"$STIPA_URL/sti-pa/account/$STIPA_ACCOUNT/token" 9>&-
)

member()
{
	printf %s "$1" | jose fmt -j- -O -g "$2" -u- 2>/dev/null
}

token_part()
{
	local part
	part=$(cut -d. -f"$2" <<<"$1" | tr -- '-_' '+/')
	while [ $((${#part} % 4)) != 0 ]; do
		part=$part=
	done
	openssl base64 -d -A <<<"$part"
}

verify_token()
{
	local tool
	for tool in openssl jose jwcrypto; do
		"$source/tests/tools/verify-token-$tool" --root "$pki/root.pem" \
			--tls-ca "$work/tls/ca.pem" <<<"$1" 9>&- |
			sed 's/^/    /' || die "the token does not verify with $tool"
	done
}

proof()
{
	local body answer token
	step "Requesting a token as the service provider would"
	body=$(demo_body)
	answer=$(request_token "$body" 2>&1)
	[ "${answer##*$'\n'}" = 200 ] || die "no token: $answer" "the node's log: $work/log/stipad.log"
	token=$(member "${answer%$'\n'*}" token) || die "an answer without a token: $answer"
	say "$token"
	step "The same, decoded"
	token_part "$token" 1 && echo
	token_part "$token" 2 && echo
	step "Verified by three tools that are not ours, from the token, its x5u and the PA root"
	verify_token "$token"
	step "The same request by hand (in this folder)"
	# shellcheck disable=SC2016
	printf '%s' '(. .quickstart/env; curl --cacert "$STIPA_CA_FILE"' \
		' -u "$STIPA_CLIENT_ID:$STIPA_CLIENT_SECRET" -H "Content-Type: application/json"' \
		" -d '$body'" ' "$STIPA_URL/sti-pa/account/$STIPA_ACCOUNT/token")'
	echo
}
