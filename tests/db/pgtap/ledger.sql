-- SPDX-License-Identifier: Apache-2.0
-- The ledger: what a row says, what no row can be, its partitions; and the refusals' bounds.
BEGIN;
SELECT no_plan();
SET search_path = stipa, public;
SET LOCAL timezone = 'UTC';

CREATE TEMP TABLE answer AS SELECT * FROM order_tokens('{1,2}', '{sp-1,sp-2}', '{1001,1001}');
SELECT is((SELECT count(*) FROM token), 1::bigint, 'a row for what was issued');
SELECT is((SELECT concat_ws(' ', a.name, c.name, credential_id = (SELECT id FROM credential
			WHERE digest = sha256('client-1')), spc, tkvalue, ca, form,
			optional_claims, coalesce(iss, '-'), kid, request_id, peer)
		FROM token AS t JOIN account AS a ON a.id = t.account_id
		JOIN api_client AS c ON c.id = t.client_id),
	'sp-1 client-1 t 1001 MAigBhYEMTAwMQ== f 1 0 - test request '
		|| '\x00000000000000000000ffff7f000001', 'with all that was signed and who asked');
SELECT is((SELECT (floor(extract(epoch FROM issued_at)), extract(epoch FROM expires_at))::text
	FROM token), (SELECT (iat, exp::numeric(20, 6))::text FROM answer WHERE n = 1),
	'iat and exp are the row''s');
SELECT is((SELECT concat_ws(' ', account, client, spc, ca, form, peer, x5u) FROM token_view),
	'sp-1 client-1 1001 false atc 127.0.0.1 https://localhost/sti-pa/certs/test.pem',
	'the view shows names');
SELECT is(peer_text('\x20010db8000000000000000000000001'), '2001:db8::1', 'an IPv6 address');

-- Append-only, whoever asks: owner and superuser, table and partition.
SELECT is(outcome(statement, role), '23001', role || ': ' || statement)
FROM unnest('{stipa_owner,postgres}'::text[]) AS role,
	unnest(ARRAY['UPDATE stipa.token SET ca = true', 'DELETE FROM stipa.token',
		'TRUNCATE stipa.token', 'TRUNCATE stipa.' || token_partition(now()),
		'DELETE FROM stipa.' || token_partition(now()),
		'UPDATE stipa.audit_event SET reason = ''x''', 'DELETE FROM stipa.audit_event',
		'TRUNCATE stipa.audit_event']) AS statement;

-- What no row can be, whoever writes it: the row that is there, changed in one thing.
CREATE FUNCTION pg_temp.changed(change jsonb) RETURNS text
	LANGUAGE sql
AS $$
	SELECT outcome(format('INSERT INTO stipa.token SELECT (jsonb_populate_record(t, %L)).* '
		'FROM stipa.token AS t', jsonb_build_object('jti', new_jti()) || change),
		'postgres')
$$;
SELECT is(pg_temp.changed(change::jsonb), wanted, about) FROM (VALUES
	('{}', '00000', 'another jti'),
	('{"jti": "0193e4b0-0000-4000-8000-000000000000"}', '23514', 'a time without a partition'),
	('{"iss": "x"}', '23514', 'iss without its flag'),
	('{"optional_claims": 1}', '23514', 'the flag without iss'),
	('{"form": 3}', '23514', 'no such form'),
	('{"form": 2}', '23514', 'a tkvalue in the 2017 form'),
	('{"form": 2, "tkvalue": "", "ca": true}', '23514', 'ca in the 2017 form'),
	('{"form": 2, "tkvalue": "", "optional_claims": 2}', '23514', 'claims in the 2017 form'),
	('{"tkvalue": ""}', '23514', 'no tkvalue in the atc form'),
	('{"spc": ""}', '23514', 'no SPC'),
	('{"fingerprint": "SHA256 00"}', '23514', 'a short fingerprint'),
	('{"expires_at": "2020-01-01T00:00:00Z"}', '23514', 'an end before its beginning'),
	('{"expires_at": "2090-01-01T00:00:00.5Z"}', '23514', 'part of a second'),
	('{"peer": "\\x7f000001"}', '23514', 'an address of four bytes'),
	('{"ca": null}', '23502', 'neither ca nor not')) AS v (change, wanted, about);
SELECT is(pg_temp.changed(jsonb_build_object('jti', overlay((SELECT min(jti::text) FROM token)
	PLACING '4' FROM 15))), '23514', 'a UUID of another version');
SELECT is(pg_temp.changed(jsonb_build_object('jti', (SELECT min(jti::text) FROM token))), '23505',
	'a jti twice');

-- Partitions.
SELECT is((SELECT count(*) FROM pg_inherits WHERE inhparent = 'token'::regclass), 4::bigint,
	'this month and three ahead');
SELECT is(token_partitions_extend(), 0, 'nothing to add');
SELECT is((SELECT array_agg(token_partition_exists(date_trunc('month', now() AT TIME ZONE 'UTC')
		AT TIME ZONE 'UTC' + i * interval '1 month') ORDER BY i)
	FROM generate_series(-1, 4) AS i), '{f,t,t,t,t,f}'::bool[], 'which they are');
SELECT is(token_partition('2026-12-31 23:59:59.999Z'), 'token_2026_12', 'months of UTC');
SET LOCAL timezone = 'Pacific/Auckland';
SELECT is(token_partition('2026-12-31 23:59:59.999Z'), 'token_2026_12', 'wherever one is');
SET LOCAL timezone = 'UTC';
SELECT is(uuid_from('2026-01-01 00:00:00Z'), '019b76da-a800-0000-0000-000000000000',
	'where a month begins');
DO $$
BEGIN
	EXECUTE format('DROP TABLE stipa.%I, stipa.%I',
		       token_partition(date_trunc('month', now()) + interval '2 months'),
		       token_partition(date_trunc('month', now()) + interval '3 months'));
END $$;
SELECT is(issuing_state('test', clock_timestamp()), NULL, 'a month ahead is enough');
DO $$
BEGIN
	EXECUTE format('DROP TABLE stipa.%I',
		       token_partition(date_trunc('month', now()) + interval '1 month'));
END $$;
SELECT matches(issuing_state('test', clock_timestamp()), 'end within a month', 'less is not');
SELECT is(outcome('SELECT stipa.token_partitions_extend()', 'stipa_authority'), '00000',
	'a node may add them');
SELECT is(issuing_state('test', clock_timestamp()), NULL, 'then it may issue');
SELECT is((SELECT count(*) FROM pg_inherits WHERE inhparent = 'token'::regclass), 4::bigint,
	'all are there again');
SELECT is((SELECT count(*) FROM pg_trigger AS t JOIN pg_inherits AS i ON i.inhrelid = t.tgrelid
	WHERE i.inhparent = 'token'::regclass), 8::bigint, 'each refuses to change');

-- Refusals: all are counted, sixty of a client and minute are kept.
SELECT is((SELECT concat_ws(' ', c.name, r.account, r.spc, r.verdict, r.defect, r.request_id)
	FROM token_refusal AS r JOIN api_client AS c ON c.id = r.client_id),
	'client-2 sp-2 1001 10 0 request', 'a refusal of a client is kept');

-- So that a minute does not end in between, the counts are taken over all minutes, and the bound
-- allows for two.
CREATE FUNCTION pg_temp.refuse(client int, times int, defect int DEFAULT 0) RETURNS bigint
	LANGUAGE sql
AS $$
	SELECT count(*) FROM order_tokens(array_fill(client, ARRAY[times]),
		array_fill('sp-' || client, ARRAY[times]), array_fill('9999'::text, ARRAY[times]),
		array_fill(defect::int2, ARRAY[times]))
$$;
SELECT pg_temp.refuse(3, 50), pg_temp.refuse(3, 50, 5), pg_temp.refuse(3, 100);
SELECT pg_temp.refuse(4, 10), pg_temp.refuse(0, 70), pg_temp.refuse(0, 30, 5);
SELECT is((SELECT count(*) BETWEEN 60 AND 120 FROM token_refusal
	WHERE client_id = (the_client('client-3')).id), true, 'sixty are kept');
SELECT is((SELECT max(n) FROM (SELECT count(*) AS n FROM token_refusal
	GROUP BY client_id, date_trunc('minute', refused_at)) AS c), 60::bigint, 'and no more');
SELECT is((SELECT count(*) FROM token_refusal WHERE client_id = (the_client('client-4')).id),
	10::bigint, 'each client has its own bound');
SELECT is((SELECT count(*) FROM token_refusal WHERE verdict = 1), 0::bigint,
	'strangers leave no row');
SELECT is((SELECT string_agg(concat_ws(' ', name, verdict, defect, n), ', '
		ORDER BY name, verdict, defect)
	FROM (SELECT coalesce(c.name, 'stranger') AS name, verdict, defect, sum(refused) AS n
		FROM refusal_minute AS m LEFT JOIN api_client AS c ON c.id = m.client_id
		GROUP BY 1, 2, 3) AS counts),
	'client-2 10 0 1, client-3 7 5 50, client-3 10 0 150, client-4 10 0 10, '
		|| 'stranger 1 0 100', 'all are counted');
SELECT is((SELECT sum(refused::int) FROM refusal_minute_view WHERE verdict = 'stranger'),
	100::bigint, 'the view names them');

SELECT * FROM finish();
ROLLBACK;
