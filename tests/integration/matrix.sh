#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The matrix: accounts x SPCs x ca x credentials x states over HTTPS, each cell's verdict, and the
# tkvalue that the OpenSSL recipe of ATIS-1000080's Appendix A makes.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"

# account NAME: approved, with its clients "-good", "-second", "-expired" and "-disabled"; the
# secret of the third ends by itself.
account()
{
	ctl account add "sp-$1" --organisation "$1" --verified-until 365d &&
	ctl account approve "sp-$1" --reason test --evidence test --verified-until 365d &&
	clients_of "$1"
}

clients_of()
{
	for kind in good second expired disabled; do
		life=30d
		[ "$kind" = expired ] && life=3s
		ctl client add "sp-$1" "$1-$kind" --expires "$life" \
			--secret-file "$dir/secrets/$1-$kind" || return 1
	done &&
	ctl client disable "$1-disabled" --reason test
}

# spcs NAME SPC…
spcs()
{
	holder=sp-$1
	shift
	for spc; do
		ctl spc assign "$holder" "$spc" --reason test || return 1
	done
}

delegate()
{
	ctl delegation grant "sp-$1" "$2" --sca "Test SCA" --cps-version 1.0 --evidence test \
		--until 30d --reason test
}

# Verifications that ran out, by the acts that may write them so.
let_verifications_lapse()
{
	ctl account verify sp-lapsed --verified-until 2020-01-01 --evidence test --reason test &&
	sql -c "SELECT stipa.spc_verify('test', 'test', 'sp-full', '2002', 'test',
		now() - interval '1 s')"
}

make_world()
{
	mkdir -p "$dir/secrets" &&
	account full && spcs full 2001 2002 2003 && ctl account alias sp-full full-alias &&
	delegate full 2001 && ctl spc withdraw sp-full 2003 --reason test &&
	account plain && spcs plain 2004 LUP01 &&
	account ended && spcs ended 2005 && delegate ended 2005 &&
	ctl delegation withdraw "$(ctl --json delegation list --account sp-ended |
		jq -r '.[0].id')" --reason test &&
	account suspended && spcs suspended 2006 && delegate suspended 2006 &&
	ctl account suspend sp-suspended --reason test &&
	account lapsed && spcs lapsed 2007 &&
	account back && spcs back 0226 && ctl account suspend sp-back --reason test &&
	ctl account reinstate sp-back --reason test &&
	ctl account add sp-applied --organisation applied --verified-until 365d &&
	clients_of applied &&
	account closed && ctl account close sp-closed --reason test &&
	let_verifications_lapse && sleep 3
}

make_world_quietly()
{
	make_world >"$dir/world" 2>&1 || { tail -3 "$dir/world"; return 1; }
}

every_cell()
{
	"$STIPA_PYTHON" "$srcdir/tests/integration/matrix.py" --ca "$dir/tls/ca.pem" \
		--secrets "$dir/secrets" "$port_a"
}

# asn1parse -genconf, as the appendix has it.
appendix_a()
{
	cat >"$dir/TNAuthList.conf" <<-CONF
		asn1 = SEQUENCE:tn_auth_list
		[tn_auth_list]
		field1 = EXP:0,IA5:2001
	CONF
	openssl asn1parse -genconf "$dir/TNAuthList.conf" -out "$dir/TNAuthList.der" >/dev/null &&
	tkvalue=$(base64 <"$dir/TNAuthList.der") &&
	curl -s --cacert "$dir/tls/ca.pem" -u "full-good:$(cat "$dir/secrets/full-good")" \
		-H 'Content-Type: application/json' \
		-d "{\"atc\":{\"tktype\":\"TNAuthList\",\"tkvalue\":\"$tkvalue\",\"ca\":false,\"fingerprint\":\"$fingerprint\"}}" \
		"https://127.0.0.1:$port_a/sti-pa/account/2001/token" | jq -e '.status == "success"' \
		>/dev/null
}

start_postgres
trap stop_all EXIT
run_step "The authority is made" make_authority
run_step "Eight accounts in their states" make_world_quietly
run_step "A node is ready" start_node a "$port_a"
run_step "Every cell has its verdict" every_cell
run_step "What the recipe of Appendix A makes is accepted" appendix_a
run_step "The whole ledger is consistent" ledger_is_consistent
run_step "The node drains" stop_node a
