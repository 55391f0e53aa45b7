-- SPDX-License-Identifier: Apache-2.0
-- Refusals go after thirteen months: the oldest first, no more at once than is asked for.
BEGIN;
SELECT no_plan();
SET search_path = stipa, public;

-- @n rows of each kind, the youngest so old.
CREATE FUNCTION pg_temp.refuse(n int, age interval) RETURNS void
	LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO token_refusal (refused_at, client_id, account, spc, verdict, defect, request_id,
				   peer)
	SELECT now() - age - i * interval '1 s', 1, 'sp-1', '1001', 10, 0, 'r' || i,
		decode(repeat('00', 16), 'hex')
	FROM generate_series(1, n) AS i;
	INSERT INTO refusal_minute (minute, backend, client_id, verdict, defect, refused)
	SELECT date_trunc('minute', now() - age) - i * interval '1 min', i, i % 2, 10, 0, 7
	FROM generate_series(1, n) AS i;
END;

CREATE FUNCTION pg_temp.left_over() RETURNS text
	LANGUAGE sql
	RETURN (SELECT count(*) FROM stipa.token_refusal) || ' '
		|| (SELECT count(*) FROM stipa.refusal_minute);

SELECT is(refusals_kept(), interval '13 months', 'so long are they kept');
SELECT pg_temp.refuse(20, refusals_kept());
SELECT pg_temp.refuse(5, refusals_kept() - interval '1 hour');
SELECT is(refusals_prune(8), 8::bigint, 'a step');
SELECT is(pg_temp.left_over(), '17 25', 'is of so many');
SELECT is((SELECT min(refused_at) FROM token_refusal), now() - refusals_kept() - interval '12 s',
	'the oldest first');
SELECT is(refusals_prune(15), 15::bigint, 'the rest, and counts');
SELECT is(pg_temp.left_over(), '5 22', 'no more than that together');
SELECT is((SELECT min(minute) FROM refusal_minute),
	date_trunc('minute', now() - refusals_kept()) - interval '17 min', 'these by age too');
SELECT is(refusals_prune(10000), 17::bigint, 'the end of the backlog');
SELECT is(pg_temp.left_over(), '5 5', 'what is young is kept');
SELECT is(refusals_prune(1), 0::bigint, 'and nothing is left to do');
SELECT is((SELECT count(*) FROM refusal_minute WHERE client_id = 0), 2::bigint,
	'strangers'' counts are like the others');
SELECT is((SELECT count(*) FROM token), 0::bigint, 'of the ledger nothing goes');

-- A node that is no more itself cannot forget before the time, nor hold the table with one call.
SELECT is(outcome(format('SELECT stipa.refusals_prune(%s)', n), 'stipa_authority'), wanted,
	n || ' at most')
FROM (VALUES ('1', '00000'), ('10000', '00000'), ('0', '22023'), ('-1', '22023'),
	('10001', '22023'), ('NULL', '22023')) AS v (n, wanted);
SELECT is(outcome('SELECT stipa.refusals_prune(1)', role), '42501', role || ' may not')
FROM unnest('{stipa_portal,stipa_auditor,stipa_operator}'::text[]) AS role;
SELECT is(outcome('DELETE FROM stipa.token_refusal', 'stipa_authority'), '42501',
	'and the authority no more than this');

SELECT * FROM finish();
ROLLBACK;
