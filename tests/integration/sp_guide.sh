#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every command of docs/sp-guide.md, in its order, in one shell; and what the timer's script does.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"
. "$srcdir/tests/api/world.sh"

# A shell script of the blocks that are sh, and of those that are Python.
commands_of()
{
	awk '
		/^```sh( operator)?$/ { inside = "sh"; printf "echo \"  block %d\"\n", ++n; next }
		/^```python$/ { inside = "py"; printf "echo \"  block %d\"\n", ++n
			print "\"$STIPA_PYTHON\" - <<\"END OF PYTHON\""; next }
		/^```/ { if (inside == "py") print "END OF PYTHON"; inside = inside ? "" : "text"; next }
		inside == "sh" || inside == "py" { print }
	' "$1"
}

settings()
{
	mkdir -p "$dir/guide" &&
	cat >"$dir/ctl" <<-CTL &&
		#!/bin/sh
		exec "$PWD/stipactl" --config "$dir/stipactl.conf" "\$@"
	CTL
	chmod +x "$dir/ctl" &&
	STIPA_SOURCE=$(cd "$srcdir" && pwd) STIPA_CTL=$dir/ctl
	STIPA_URL=https://127.0.0.1:$port_a STIPA_CA_FILE=$dir/tls/ca.pem
	STIPA_ACCOUNT=sp-demo STIPA_CLIENT_ID=demo-kms
	STIPA_CLIENT_SECRET=$(head -1 "$dir/secret-demo-kms")
	STIPA_USER=demo-user STIPA_PASSWORD=$(head -1 "$dir/secret-demo-user")
	export STIPA_SOURCE STIPA_CTL STIPA_URL STIPA_CA_FILE STIPA_ACCOUNT STIPA_CLIENT_ID
	export STIPA_CLIENT_SECRET STIPA_USER STIPA_PASSWORD
}

the_guide_works()
{
	commands_of "$srcdir/docs/sp-guide.md" >"$dir/guide.sh" &&
	(cd "$dir/guide" && sh -eu "$dir/guide.sh") >"$dir/guide.out" 2>&1 ||
		{ tail -15 "$dir/guide.out"; return 1; }
	blocks=$(grep -c '^  block' "$dir/guide.out")
	echo "  $blocks blocks"
	[ "$blocks" -ge 15 ]
}

keep_fresh()
{
	(cd "$dir/guide" && STATE_DIRECTORY=$dir/guide STIPA_SECRET_FILE=$dir/guide/secret \
		STIPA_TKVALUE=$(tkvalue 1234) STIPA_FINGERPRINT=$fingerprint \
		sh "$STIPA_SOURCE/deploy/sp/stipa-token") >"$dir/fresh" 2>&1
}

a_fresh_token_is_kept()
{
	rm -f "$dir/guide/token" && keep_fresh && grep -q 'a new token' "$dir/fresh" &&
	cp "$dir/guide/token" "$dir/token.1" && keep_fresh && [ ! -s "$dir/fresh" ] &&
	cmp -s "$dir/token.1" "$dir/guide/token" && [ "$(stat -c %a "$dir/guide/token")" = 600 ]
}

an_old_token_is_replaced()
{
	STIPA_FRESH_S=99999999 keep_fresh && ! cmp -s "$dir/token.1" "$dir/guide/token" &&
	echo no.token.here >"$dir/guide/token" && keep_fresh && grep -q 'a new token' "$dir/fresh"
}

# The old token stays, and why is told.
a_refusal_is_told()
{
	cp "$dir/guide/token" "$dir/token.1" &&
	! STIPA_FRESH_S=99999999 STIPA_CLIENT_ID=nobody keep_fresh &&
	grep -q '403 invalid-credentials' "$dir/fresh" &&
	! grep -q "$STIPA_CLIENT_SECRET" "$dir/fresh" && cmp -s "$dir/token.1" "$dir/guide/token" &&
	[ ! -e "$dir/guide/token.answer" ]
}

# Each code that a client can meet stands in the table of the guide.
codes_are_explained()
{
	"$STIPA_PYTHON" - "$srcdir" <<-'PY'
		import sys, yaml
		document = yaml.safe_load(open(f"{sys.argv[1]}/openapi.yaml", encoding="utf-8"))
		guide = open(f"{sys.argv[1]}/docs/sp-guide.md", encoding="utf-8").read()
		missing = [code for code, rule in document["x-problem-codes"].items()
		           if rule["status"] not in (400,) and f"`{code}`" not in guide
		           and code != "no-such-certificate"]
		print("  not explained:", missing) if missing else None
		sys.exit(bool(missing))
	PY
}

start_postgres
trap stop_all EXIT
for command in jq curl jose; do
	command -v "$command" >/dev/null || fail "$command is missing"
done
run_step "The authority is made" make_authority
run_step "The demo service provider" quietly make_demo
run_step "A node is ready" start_node a "$port_a"
run_step "Its settings" settings
run_step "Every command of the guide" the_guide_works
run_step "A fresh token is kept" a_fresh_token_is_kept
run_step "An old one is replaced, and what is none" an_old_token_is_replaced
run_step "A refusal leaves the old token and is told" a_refusal_is_told
run_step "Each code is explained" codes_are_explained
run_step "The node drains" stop_node a
