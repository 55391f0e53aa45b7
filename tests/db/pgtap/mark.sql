-- SPDX-License-Identifier: Apache-2.0
-- What a ledger that has gone back is told apart by.
BEGIN;
SELECT no_plan();
SET search_path = stipa, public;
SET timezone = 'UTC';

CREATE FUNCTION pg_temp.known(marked uuid) RETURNS boolean
	LANGUAGE sql
	RETURN (SELECT s.known FROM ledger, mark_state(marked, id) AS s);

SELECT is(order_token(1, 'sp-1', '1001')::int, 0, 'a token is issued');
SELECT is((SELECT s.ledger FROM mark_state(NULL, NULL) AS s), (SELECT id FROM ledger),
	'a node learns which ledger this is');
SELECT ok(pg_temp.known(NULL), 'a node without a mark');
SELECT ok(pg_temp.known((SELECT jti FROM token LIMIT 1)), 'a token that is there');
SELECT ok(NOT pg_temp.known(new_jti()), 'one that is not');
SELECT ok(NOT pg_temp.known(uuid_from(now() + interval '5 months')),
	'one of a month that this copy never made');
SELECT ok(pg_temp.known(uuid_from(date_trunc('month', now()) - interval '1 ms')),
	'one of a month that was dropped');
SELECT ok(NOT pg_temp.known(uuid_from(date_trunc('month', now()))),
	'one of the oldest month that is there');
SELECT ok(NOT known, 'an old one of another ledger')
FROM mark_state(uuid_from(date_trunc('month', now()) - interval '1 ms'), gen_random_uuid());

CREATE TEMP TABLE lost AS SELECT new_jti() AS jti;
SELECT is(outcome(format('SELECT stipa.mark_accept(''a'', ''r'', %L)', new_jti()), role), state,
	role) FROM (VALUES ('stipa_authority', '42501'), ('stipa_portal', '42501'),
	('stipa_operator', '00000')) AS v (role, state);
SELECT is((SELECT newest FROM lost, mark_accept('anna', 'restored', jti)),
	(SELECT max(jti::text)::uuid FROM token), 'the newest that is left is told');
SELECT ok(pg_temp.known(jti), 'what was accepted is not missed') FROM lost;
SELECT ok(NOT pg_temp.known(new_jti()), 'another one is');
SELECT is((SELECT concat_ws(' ', actor, action, reason) FROM audit_event ORDER BY id DESC LIMIT 1),
	'anna mark_accept restored', 'it is an event');
SELECT throws_ok(format('SELECT mark_accept(''a'', ''r'', %L)', jti), '55000', NULL, 'not twice')
FROM lost;
SELECT throws_ok(format('SELECT mark_accept(''a'', ''r'', %L)', jti), '55000', NULL,
	'nor one that is there') FROM (SELECT jti FROM token LIMIT 1) AS there;
SELECT throws_ok($$SELECT mark_accept('a', 'r', NULL)$$, '22023', NULL, 'nor none');
SELECT throws_ok($$SELECT mark_accept('a', 'r', gen_random_uuid())$$, '22023', NULL,
	'nor what is no jti');
SELECT throws_ok(format('SELECT mark_accept(''a'', '' '', %L)', new_jti()), '22023', NULL,
	'nor without a reason');
SELECT throws_ok('UPDATE ledger SET id = gen_random_uuid()', '23001', NULL, 'its name stays');
SELECT throws_ok('DELETE FROM mark_accepted', '23001', NULL, 'as what was accepted does');

SELECT * FROM finish();
ROLLBACK;
