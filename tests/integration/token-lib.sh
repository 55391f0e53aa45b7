# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# For tests that need tokens which stipa would never make: by openssl alone.

# base64url, unpadded.
encode()
{
	openssl base64 -e -A | tr -d '=' | tr -- '+/' '-_'
}

# The signature of standard input as 64 bytes: r and s of OpenSSL's DER, with their leading zeros.
# raw_signature KEY
raw_signature()
{
	openssl dgst -sha256 -sign "$1" | openssl asn1parse -inform DER |
		sed -nE 's/^.*INTEGER +:([0-9A-F]+)$/\1/p' |
		while read -r number; do
			printf '%64s' "$number" | tr ' ' 0
		done | xxd -r -p
}

# sign_token HEADER PAYLOAD KEY
sign_token()
{
	signing_input=$(printf %s "$1" | encode).$(printf %s "$2" | encode)
	echo "$signing_input.$(printf %s "$signing_input" | raw_signature "$3" | encode)"
}
