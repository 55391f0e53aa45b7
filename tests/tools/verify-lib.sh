# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034
# For the verifiers written as shell scripts: arguments, the parts of a token, the chain at x5u.
# Sets token, header, payload (text), signature (base64url), $work (a folder) and
# $work/{chain,signer}.pem.

name=${0##*/}

die()
{
	echo "$name: $*" >&2
	exit 1
}

usage()
{
	cat >&2 <<-EOT
		usage: $name --root ROOT.pem [--tls-ca CA.pem | --x5u-file CHAIN.pem] < TOKEN
		  --root      the STI-PA root that is trusted
		  --tls-ca    whom to trust when x5u is fetched (default: the system)
		  --x5u-file  take the chain from this file instead of fetching it
	EOT
	exit 2
}

read_arguments()
{
	root='' tls_ca='' x5u_file=''
	while [ $# -gt 0 ]; do
		[ $# -ge 2 ] || usage
		case $1 in
		--root) root=$2 ;;
		--tls-ca) tls_ca=$2 ;;
		--x5u-file) x5u_file=$2 ;;
		*) usage ;;
		esac
		shift 2
	done
	[ -n "$root" ] || usage
	[ -r "$root" ] || die "cannot read the root $root"
	work=$(mktemp -d "${TMPDIR:-/tmp}/verify-token.XXXXXX") || die "no folder to work in"
	trap 'rm -rf "$work"' EXIT
	trap 'exit 1' INT TERM HUP
}

decode()
{
	text=$(tr -- '-_' '+/')
	while [ $((${#text} % 4)) != 0 ]; do
		text=$text=
	done
	printf %s "$text" | openssl base64 -d -A
}

encode()
{
	openssl base64 -e -A | tr -d '=' | tr -- '+/' '-_'
}

# Three parts of base64url without padding; the signature is 64 bytes, spelt in its one way.
read_token()
{
	token=$(cat)
	printf %s "$token" | grep -Eqx '[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}' ||
		die "not a compact JWS with a signature of 64 bytes"
	signature=${token##*.}
	header=$(printf %s "${token%%.*}" | decode)
	payload=${token#*.}
	payload=$(printf %s "${payload%.*}" | decode)
	[ "$(printf %s "$signature" | decode | encode)" = "$signature" ] ||
		die "the signature is not canonical base64url"
}

# RFC 7515 section 4.1.5: PEM, signer first, over TLS.  A redirect is not followed.
get_chain()
{
	if [ -n "$x5u_file" ]; then
		cp "$x5u_file" "$work/chain.pem" || die "cannot read $x5u_file"
	else
		curl --silent --show-error --fail --proto =https --max-time 10 --max-filesize 65536 \
			${tls_ca:+--cacert "$tls_ca"} --output "$work/chain.pem" -- "$1" ||
			die "cannot fetch x5u $1"
	fi
	openssl x509 -in "$work/chain.pem" -out "$work/signer.pem" 2>"$work/log" ||
		die "x5u does not begin with a certificate"
}

# The root alone is trusted, whatever the system trusts.
check_chain()
{
	openssl verify -no-CApath -no-CAstore -no-CAfile -CAfile "$root" -x509_strict \
		-untrusted "$work/chain.pem" "$work/signer.pem" >"$work/log" 2>&1 ||
		die "the signer does not chain to the root: $(grep -m1 -i error "$work/log")"
}

check_exp()
{
	printf %s "$1" | grep -Eqx '[1-9][0-9]{0,11}' || die "exp is not a time"
	[ "$1" -gt "$(date +%s)" ] || die "expired at $(date -ud "@$1" +%FT%TZ)"
}

say_verified()
{
	echo "$name: ES256 signature right, by $(openssl x509 -in "$work/signer.pem" -noout \
		-subject -nameopt RFC2253), chain to the root, valid until $(date -ud "@$1" +%FT%TZ)"
}
