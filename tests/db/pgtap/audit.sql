-- SPDX-License-Identifier: Apache-2.0
-- The audit chain: whatever is changed, taken out or put in shows, at the place.
BEGIN;
SELECT no_plan();
SET search_path = stipa, public;

SELECT is(audit_verify(), NULL, 'the chain is whole');
SELECT cmp_ok((SELECT count(*) FROM audit_event), '>', 50::bigint, 'of many events');
SELECT is((SELECT max(id) FROM audit_event), (SELECT count(*) FROM audit_event),
	'numbered without a gap');
SELECT is(outcome('SELECT stipa.audit_verify()', 'stipa_auditor'), '00000', 'an auditor verifies');

-- The hash, as somebody else would compute it.
SELECT is((SELECT hash FROM audit_event WHERE id = 1), (SELECT sha256(
	decode(repeat('00', 32), 'hex') || int8send(1)
	|| int8send((extract(epoch FROM at - '2000-01-01Z') * 1000000)::bigint)
	|| '\x00000009' || 'migration'::bytea || '\x0000000a' || 'policy_set'::bytea
	|| '\x00000009' || 'version 1'::bytea || '\x0000000c' || 'first values'::bytea
	|| int4send(octet_length(evidence::text)) || convert_to(evidence::text, 'UTF8'))
	FROM audit_event WHERE id = 1), 'the hash is of what the comment says');
SET LOCAL timezone = 'Asia/Kolkata';
SET LOCAL datestyle = 'German';
SELECT is(audit_verify(), NULL, 'whatever the session''s settings');
RESET timezone;
RESET datestyle;

-- Somebody with all power over the table changes one thing; then it is undone.
CREATE FUNCTION pg_temp.verify_after(change text) RETURNS bigint
	LANGUAGE plpgsql
AS $$
DECLARE
	bad bigint;
BEGIN
	SET LOCAL session_replication_role = replica;
	EXECUTE change;
	bad := stipa.audit_verify();
	RAISE SQLSTATE 'UNDO1';
EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
	RETURN bad;
END $$;
SELECT is(pg_temp.verify_after('UPDATE stipa.audit_event SET ' || change || ' WHERE id = 30'),
	30::bigint, change)
FROM unnest(ARRAY[$$at = at + interval '1 us'$$, $$actor = 'other'$$, $$action = 'x'$$,
	$$subject = subject || ' '$$, $$reason = ''$$, $$evidence = '{"a": 1}'$$,
	$$previous = sha256('x')$$, $$hash = sha256('x')$$,
	$$actor = actor || left(action, 1), action = substr(action, 2)$$]) AS change;
SELECT is(pg_temp.verify_after('DELETE FROM stipa.audit_event WHERE id = 30'), 31::bigint,
	'one taken out');
SELECT is(pg_temp.verify_after('DELETE FROM stipa.audit_event WHERE id = 1'), 2::bigint,
	'the first taken out');
SELECT is(pg_temp.verify_after('DELETE FROM stipa.audit_event WHERE id = 30;
	UPDATE stipa.audit_event SET id = id - 1 WHERE id > 30'), 30::bigint,
	'and the rest moved up');
SELECT is(pg_temp.verify_after($$UPDATE stipa.audit_event AS e SET reason = 'x' WHERE id = 30;
	UPDATE stipa.audit_event AS e SET hash = stipa.audit_hash(e) WHERE id = 30$$), 31::bigint,
	'one changed, with its hash');
SELECT is(pg_temp.verify_after($$INSERT INTO stipa.audit_event
	SELECT (jsonb_populate_record(e, '{"id": 0}')).*
	FROM stipa.audit_event AS e WHERE id = 1$$),
	0::bigint, 'one put in front');
SELECT is(audit_verify(), NULL, 'and all is as before');

-- A refused act leaves nothing, and the chain goes on.
SELECT is(outcome($$SELECT stipa.account_suspend('a', 'r', 'sp-none')$$), 'P0002', 'a refusal');
SELECT account_suspend('a', 'é', 'sp-1');
SELECT is((SELECT concat_ws(' ', actor, action, subject, reason, evidence) FROM audit_event
	ORDER BY id DESC LIMIT 1), 'a account_suspend sp-1 é {}', 'the event of the act');
SELECT is(audit_verify(), NULL, 'the chain is whole');

SELECT * FROM finish();
ROLLBACK;
