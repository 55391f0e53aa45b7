#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Five OAuth libraries that are not ours get access tokens and use them; wrong inputs are told as
# the RFCs say.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"
. "$srcdir/tests/api/world.sh"

settings()
{
	PORT=$port_a
	BASE=https://127.0.0.1:$port_a
	CA=$dir/tls/ca.pem
	CLIENT=demo-kms
	SECRET=$(head -1 "$dir/secret-demo-kms")
	OTHER_CLIENT=other-kms
	OTHER_SECRET=$(head -1 "$dir/secret-other-kms")
	KEY_FILE=$dir/key.pem
	KID=demo-1
	ACCOUNT=sp-demo
	BODY=$(body 1234)
	export PORT BASE CA CLIENT SECRET OTHER_CLIENT OTHER_SECRET KEY_FILE KID ACCOUNT BODY
	PYTHONDONTWRITEBYTECODE=1 REQUESTS_CA_BUNDLE=$CA
	export PYTHONDONTWRITEBYTECODE REQUESTS_CA_BUNDLE
}

make_world()
{
	quietly make_demo && quietly account_with sp-other 5678 &&
	quietly client_of sp-other other-kms && settings
}

start_postgres
trap stop_all EXIT
need_node_packages
run_step "The authority is made" make_authority
run_step "A client with a secret and a key" make_world
run_step "A node is ready" start_node a "$port_a"
run_step "oauth4webapi, openid-client and simple-oauth2" undisturbed run_node oauth_clients.mjs
run_step "Authlib and requests-oauthlib" undisturbed "$STIPA_PYTHON" "$srcdir/tests/api/oauth_clients.py"
run_step "Wrong inputs are told as the RFCs say" "$STIPA_PYTHON" \
	"$srcdir/tests/api/oauth_errors.py"
run_step "The node drains" stop_node a
