# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The STI-PA's keys, and a TLS certificate from an authority that is thrown away at once.

keys_forget()
{
	rm -rf "${work:?}"/{pki,tls,env,etc}
}

tls_is_good()
{
	openssl x509 -in "$work/tls/server.pem" -noout -checkend 86400 >/dev/null 2>&1
}

# The authority's key is gone when this is done: nobody can make a second server of its own.
tls_make()
(
	umask 077
	rm -rf "$work/tls"
	mkdir "$work/tls" && cd "$work/tls" || exit 1
	printf '%s\n' basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature \
		extendedKeyUsage=serverAuth subjectKeyIdentifier=hash authorityKeyIdentifier=keyid \
		subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1 >server.ext
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key \
		-days 365 -subj "/CN=stipa demo TLS authority" -out ca.pem \
		-addext basicConstraints=critical,CA:TRUE,pathlen:0 \
		-addext keyUsage=critical,keyCertSign &&
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key \
		-subj "/CN=localhost" -out server.csr &&
	openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -set_serial "0x$(openssl rand \
		-hex 16)" -days 364 -extfile server.ext -out server.pem &&
	rm -f ca.key server.csr server.ext
)

# x5u names host and port, so each port has a PA of its own.
pki_make()
{
	pki=$work/pki/$port
	[ -e "$pki/made" ] && return
	step "Making a PA root and a token signer"
	rm -rf "$pki"
	(umask 077 && mkdir -p "$pki" && openssl rand -hex 24 >"$pki/passphrase") ||
		die "cannot write $pki"
	ctl_must pki init --dir "$pki" --base-url "https://127.0.0.1:$port" \
		--passphrase-file "$pki/passphrase" --reason "quickstart"
	: >"$pki/made"
}

signer_certificate()
{
	printf '%s\n' "$pki"/certs/*.pem
}

signer_key()
{
	local kid
	kid=$(basename "$(signer_certificate)" .pem)
	echo "$pki/$kid.key"
}

keys_make()
{
	tls_is_good || {
		step "Making a TLS certificate for localhost"
		run_logged tls tls_make
	}
	pki_make
}
