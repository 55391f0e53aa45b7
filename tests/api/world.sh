# shellcheck shell=sh disable=SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# The demo service provider of openapi.yaml's examples.  After lib.sh and node.sh.

# client_of ACCOUNT CLIENT: its secret goes to $dir/secret-CLIENT.
client_of()
{
	ctl client add "$1" "$2" --expires 30d --secret-file "$dir/secret-$2"
}

account_with()
{
	ctl account add "$1" --organisation "org-$1" --verified-until 365d &&
	ctl account approve "$1" --reason test --evidence test --verified-until 365d &&
	ctl spc assign "$1" "$2" --reason test
}

# sp-demo holds 1234 and, with a delegation, 683G; demo-kms has a key and the user demo-user.
make_demo()
{
	account_with sp-demo 1234 && ctl spc assign sp-demo 683G --reason test &&
	ctl delegation grant sp-demo 683G --sca "Test SCA" --cps-version 1.0 --evidence test \
		--until 30d --reason test &&
	client_of sp-demo demo-kms && make_key && user_of demo-kms demo-user
}

# A P-256 key for private_key_jwt, known as demo-1.
make_key()
{
	openssl ecparam -name prime256v1 -genkey -noout |
		openssl pkcs8 -topk8 -nocrypt -out "$dir/key.pem" &&
	spki=$(openssl pkey -in "$dir/key.pem" -pubout -outform DER | xxd -p | tr -d '\n') &&
	sql -c "SELECT stipa.client_key_add('test', 'test', 'demo-kms', 'demo-1',
		'\\x$spki', now() + interval '30 d')"
}

# A password of ours, and its two digests as hex: user_of CLIENT USER
user_of()
{
	"$STIPA_PYTHON" -B - "$srcdir/tests/api" "$2" "$dir/secret-$2" >"$dir/digests" <<-'PY' &&
		import hashlib, os, sys
		sys.path.insert(0, sys.argv[1])
		import caller
		text = "stipa_demo_pw_" + caller.b64url(os.urandom(32))
		text += caller.b64url(hashlib.sha256(text.encode()).digest())[:6]
		with open(sys.argv[3], "w", encoding="ascii") as file:
		    file.write(text + "\n")
		for parts in (["login", sys.argv[2], text], ["secret", text]):
		    print(hashlib.sha256("\0".join(parts).encode()).hexdigest())
	PY
	sql -c "SELECT stipa.api_user_add('test', 'test', '$1', '$2',
		'\\x$(sed -n 1p "$dir/digests")', NULL, '\\x$(sed -n 2p "$dir/digests")')"
}

# with_limits NAME [SETTING...]: the limits of this node are the usual ones, but for these.
with_limits()
{
	sed -i '/^\(\(requests\|failures\)_per_\(address\|client\|user\)_\|password_cpu_\)/d' \
		"$dir/$1.conf" || return 1
	file=$dir/$1.conf
	shift
	[ $# = 0 ] || printf '%s\n' "$@" >>"$file"
}

# quietly COMMAND...
quietly()
{
	"$@" >"$dir/quiet" 2>&1 || { tail -5 "$dir/quiet"; return 1; }
}

# Where the packages of tests/package.json are.
need_node_packages()
{
	: "${STIPA_NODE_MODULES:=$srcdir/tests/node_modules}"
	[ -d "$STIPA_NODE_MODULES/ajv" ] ||
		fail "no npm packages: cd tests && npm ci, or set STIPA_NODE_MODULES"
}

# run_node SCRIPT...: with those packages, wherever the source is.
run_node()
{
	mkdir -p "$dir/node" &&
	ln -sfn "$(cd "$STIPA_NODE_MODULES" && pwd -P)" "$dir/node/node_modules" &&
	cp "$srcdir/tests/api/$1" "$dir/node/" || return 1
	script=$1
	shift
	NODE_EXTRA_CA_CERTS=${CA:-} node --experimental-global-webcrypto --no-warnings \
		"$dir/node/$script" "$@"
}
