#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The matrix: accounts x SPCs x ca x credentials x states over HTTPS, each cell's verdict, and the
# tkvalue that the OpenSSL recipe of ATIS-1000080's Appendix A makes.
. "${srcdir:-.}/tests/integration/lib.sh"
. "$srcdir/tests/integration/node.sh"

# account NAME: approved, with its clients "-good", "-second", "-expired" and "-disabled".
account()
{
	ctl account add "sp-$1" --organisation "$1" --verified-until 365d &&
	ctl account approve "sp-$1" --reason test --evidence test --verified-until 365d &&
	clients_of "$1"
}

clients_of()
{
	for kind in good second expired disabled; do
		ctl client add "sp-$1" "$1-$kind" --expires 30d --secret-file "$dir/secrets/$1-$kind" ||
			return 1
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

# What only time would bring: a verification that ran out, a secret that expired.
let_time_pass()
{
	sql <<-'SQL'
		SET search_path = stipa;
		UPDATE account SET verified_until = now() - interval '1 s' WHERE name = 'sp-lapsed';
		UPDATE spc_assignment SET verified_until = now() - interval '1 s' WHERE spc = '2002';
		UPDATE credential SET expires_at = now() - interval '1 s' WHERE client_id IN
			(SELECT id FROM api_client WHERE name LIKE '%-expired');
	SQL
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
	let_time_pass
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
run_step "The node drains" stop_node a
