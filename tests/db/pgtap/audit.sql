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
SELECT max(id) AS last FROM audit_event \gset
CREATE TEMP TABLE place AS SELECT * FROM (VALUES ('head', 1), ('second', 2), ('middle', 30),
	('tail', :last)) AS v (place, id);

-- Whoever has all power writes what he likes where a value must be.
CREATE FUNCTION pg_temp.lift() RETURNS text
	LANGUAGE sql
	RETURN (SELECT 'ALTER TABLE stipa.audit_event DROP CONSTRAINT audit_event_pkey;' || string_agg(
		format('ALTER TABLE stipa.audit_event ALTER COLUMN %I DROP NOT NULL;', attname), '')
		FROM pg_attribute WHERE attrelid = 'stipa.audit_event'::regclass AND attnum > 0);

-- Each column by itself, at each place: to another value of its type, to that of another event, and
-- to none.
CREATE TEMP TABLE other (name text, value text);
INSERT INTO other VALUES ('id', 'id + 1000000'), ('id', '-id'), ('at', $$at + interval '1 us'$$),
	('at', $$'infinity'$$), ('actor', $$actor || ' '$$), ('actor', $$''$$),
	('action', $$upper(action)$$), ('action', $$''$$), ('subject', $$subject || ' '$$),
	('subject', $$''$$), ('reason', $$reason || chr(160)$$), ('reason', $$''$$),
	('evidence', $$evidence || '{"a": 1}'$$), ('evidence', $$'null'$$),
	('evidence', $$evidence || '{"n": 1.0}'$$), ('previous', $$previous || '\x00'$$),
	('previous', $$set_byte(previous, 31, get_byte(previous, 31) # 1)$$),
	('hash', $$set_byte(hash, 0, get_byte(hash, 0) # 128)$$), ('hash', $$''$$);
INSERT INTO other SELECT attname, 'NULL' FROM pg_attribute
	WHERE attrelid = 'audit_event'::regclass AND attnum > 0 AND NOT attisdropped;
INSERT INTO other SELECT attname, format('(SELECT o.%1$I FROM stipa.audit_event AS o WHERE '
		'o.id = 10 + e.id %% 3)', attname)
	FROM pg_attribute WHERE attrelid = 'audit_event'::regclass AND attnum > 0
	AND attname IN ('at', 'previous', 'hash');
SELECT set_eq('SELECT attname::text FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped
	AND attrelid = ''stipa.audit_event''::regclass', 'SELECT name FROM other',
	'each column is changed in turn');
SELECT isnt(pg_temp.verify_after(pg_temp.lift() || format(
	'UPDATE stipa.audit_event AS e SET %I = %s WHERE id = %s', name, value, id)), NULL,
	format('%s: %s = %s', place, name, value)) FROM place, other;
SELECT is(pg_temp.verify_after('UPDATE stipa.audit_event SET ' || change || ' WHERE id = 30'),
	30::bigint, change)
FROM unnest(ARRAY[$$at = at + interval '1 us'$$, $$actor = 'other'$$, $$evidence = '{"a": 1}'$$,
	$$previous = sha256('x')$$, $$hash = sha256('x')$$,
	$$actor = actor || left(action, 1), action = substr(action, 2)$$]) AS change;

-- One taken out, one put in, two that have changed places: everywhere, with and without its hash
-- written anew.  What is after it and goes on from it is found where the chain is torn.
SELECT isnt(pg_temp.verify_after(pg_temp.lift() || format(change, id)), NULL,
	place || ': ' || about)
FROM place, (VALUES
	('DELETE FROM stipa.audit_event WHERE id = %1$s', 'taken out'),
	('DELETE FROM stipa.audit_event WHERE id = %1$s;
		UPDATE stipa.audit_event SET id = id - 1 WHERE id > %1$s', 'the rest moved up'),
	('INSERT INTO stipa.audit_event SELECT * FROM stipa.audit_event WHERE id = %1$s',
		'there twice'),
	('UPDATE stipa.audit_event SET id = id + 1 WHERE id > %1$s;
		INSERT INTO stipa.audit_event SELECT id + 1, at, actor, action, subject, reason,
			evidence, hash, hash FROM stipa.audit_event WHERE id = %1$s;
		UPDATE stipa.audit_event AS e SET hash = stipa.audit_hash(e) WHERE id = %1$s + 1',
		'one put in after it, the rest moved down'),
	('UPDATE stipa.audit_event SET id = id + 1 WHERE id >= %1$s;
		INSERT INTO stipa.audit_event SELECT id - 1, at, actor, action, subject, reason,
			evidence, previous, hash FROM stipa.audit_event WHERE id = %1$s + 1;
		UPDATE stipa.audit_event AS e SET hash = stipa.audit_hash(e) WHERE id = %1$s',
		'one put in before it, the rest moved down'),
	('UPDATE stipa.audit_event SET id = CASE id WHEN %1$s THEN 7 ELSE %1$s END
		WHERE id IN (7, %1$s)', 'it changes places with another'),
	('UPDATE stipa.audit_event AS e SET at = o.at, actor = o.actor, action = o.action,
		subject = o.subject, reason = o.reason, evidence = o.evidence
		FROM stipa.audit_event AS o WHERE e.id IN (7, %1$s) AND o.id = %1$s + 7 - e.id;
		UPDATE stipa.audit_event AS e SET hash = stipa.audit_hash(e) WHERE id IN (7, %1$s)',
		'their contents do, with their hashes'),
	('UPDATE stipa.audit_event AS e SET reason = ''x'' WHERE id = %1$s;
		UPDATE stipa.audit_event AS e SET hash = stipa.audit_hash(e) WHERE id = %1$s',
		'another reason, with its hash'))
	AS v (change, about);

-- The controls: nothing that is no change is told as one.
SELECT is(pg_temp.verify_after(change), NULL, 'no change: ' || change)
FROM unnest(ARRAY['SELECT', pg_temp.lift(), 'UPDATE stipa.audit_event SET reason = reason',
	'UPDATE stipa.audit_event SET evidence = evidence::text::jsonb',
	$$SELECT stipa.client_disable('a', 'r', 'client-1')$$]) AS change;
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

-- The end: audit_head is written with each event.
SELECT is((SELECT (id, hash)::text FROM audit_head), (SELECT (id, hash)::text FROM audit_event
	ORDER BY id DESC LIMIT 1), 'the head is the last event');
SELECT max(id) AS last FROM audit_event \gset
SELECT is(pg_temp.verify_after(change), wanted::bigint, about) FROM (VALUES
	(format('DELETE FROM stipa.audit_event WHERE id = %s', :last), :last, 'the last taken out'),
	(format('DELETE FROM stipa.audit_event WHERE id > %s', :last - 3), :last - 2,
		'the last three taken out'),
	(format($$DELETE FROM stipa.audit_event WHERE id = %s;
		SELECT stipa.client_disable('a', 'r', 'client-1')$$, :last), :last + 1,
		'the last taken out, and the chain goes on: the gap stays'),
	('DELETE FROM stipa.audit_event', 1, 'all taken out'),
	(format($$INSERT INTO stipa.audit_event
		SELECT (e).* FROM (SELECT jsonb_populate_record(e, jsonb_build_object(
			'id', e.id + 1, 'previous', e.hash)) AS e
		FROM stipa.audit_event AS e WHERE id = %s) AS e;
		UPDATE stipa.audit_event AS e SET hash = stipa.audit_hash(e) WHERE id = %s$$,
		:last, :last + 1), :last + 1, 'one put at the end, its hash right'),
	(format($$UPDATE stipa.audit_event SET reason = 'x' WHERE id = %1$s;
		UPDATE stipa.audit_event AS e SET hash = stipa.audit_hash(e) WHERE id = %1$s$$,
		:last), :last, 'the last changed, with its hash'),
	('UPDATE stipa.audit_head SET id = id - 1', :last - 1, 'a head that goes back'),
	($$UPDATE stipa.audit_head SET hash = sha256('x')$$, :last, 'another head'),
	('DELETE FROM stipa.audit_head', :last + 1, 'no head'))
	AS v (change, wanted, about);

-- Whoever rewrites the head too is found by one that was noted before.
CREATE FUNCTION pg_temp.without_the_last() RETURNS text
	LANGUAGE sql
	RETURN format('DELETE FROM stipa.audit_event WHERE id = %1$s;
		UPDATE stipa.audit_head SET id = e.id, hash = e.hash
		FROM stipa.audit_event AS e WHERE e.id = %1$s - 1', (SELECT max(id) FROM audit_event));
CREATE FUNCTION pg_temp.verify_after(change text, known_id bigint, known_hash bytea) RETURNS bigint
	LANGUAGE plpgsql
AS $$
DECLARE
	bad bigint;
BEGIN
	SET LOCAL session_replication_role = replica;
	EXECUTE change;
	bad := stipa.audit_verify(known_id, known_hash);
	RAISE SQLSTATE 'UNDO1';
EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
	RETURN bad;
END $$;
SELECT is(pg_temp.verify_after(pg_temp.without_the_last()), NULL,
	'the chain alone does not show that its end and its head were cut');
SELECT is(pg_temp.verify_after(pg_temp.without_the_last(), id, hash), id,
	'a head that was noted before does') FROM audit_head;
SELECT is(pg_temp.verify_after('SELECT', id, sha256('x')), id, 'one that is not ours')
	FROM audit_head;
SELECT is(audit_verify(id, hash), NULL, 'a noted head is still there') FROM audit_head;
SELECT is(audit_verify(id, hash), NULL, 'also when the chain has gone on')
	FROM audit_event WHERE id = 40;
SELECT is(outcome(statement, role), '23001', role || ': ' || statement)
FROM unnest('{stipa_owner,postgres}'::text[]) AS role,
	unnest(ARRAY['UPDATE stipa.audit_head SET id = id - 1',
		'UPDATE stipa.audit_head SET hash = sha256(''x'')', 'DELETE FROM stipa.audit_head',
		'TRUNCATE stipa.audit_head']) AS statement;

-- What is exported is enough to compute the chain anew.
SELECT is_empty($$
	SELECT id FROM audit_export_view WHERE hash <> encode(sha256(decode(previous, 'hex')
		|| int8send(id) || int8send(at_us)
		|| int4send(octet_length(actor)) || convert_to(actor, 'UTF8')
		|| int4send(octet_length(action)) || convert_to(action, 'UTF8')
		|| int4send(octet_length(subject)) || convert_to(subject, 'UTF8')
		|| int4send(octet_length(reason)) || convert_to(reason, 'UTF8')
		|| int4send(octet_length(evidence)) || convert_to(evidence, 'UTF8')), 'hex')$$,
	'the export holds all that the hash is of');
SELECT is((SELECT count(*) FROM audit_export_view), (SELECT id FROM audit_head), 'of each event');
SELECT matches((SELECT at FROM audit_export_view WHERE id = 1),
	'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$', 'with its time to the microsecond');

SELECT is(audit_verify(), NULL, 'and all is as before');

-- A refused act leaves nothing, and the chain goes on.
SELECT is(outcome($$SELECT stipa.account_suspend('a', 'r', 'sp-none')$$), 'P0002', 'a refusal');
SELECT account_suspend('a', 'é', 'sp-1');
SELECT is((SELECT concat_ws(' ', actor, action, subject, reason, evidence) FROM audit_event
	ORDER BY id DESC LIMIT 1), 'a account_suspend sp-1 é {}', 'the event of the act');
SELECT is(audit_verify(), NULL, 'the chain is whole');

SELECT * FROM finish();
ROLLBACK;
