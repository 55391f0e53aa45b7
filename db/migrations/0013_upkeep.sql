-- SPDX-License-Identifier: Apache-2.0
-- Refusals go when they have been kept for long enough.
SET LOCAL search_path = stipa, public;

-- Each migration that adds a file says its number here anew; tests/db/schema.sh compares.
CREATE OR REPLACE FUNCTION schema_version() RETURNS int
	LANGUAGE sql IMMUTABLE
	RETURN 13;

-- How long refusals are kept, and the counts of all that were refused: a year to look back on, and
-- a month to ask about it.  It is no argument of the function below, nor a policy: a node that
-- somebody has taken over forgets nothing before its time.
CREATE FUNCTION refusals_kept() RETURNS interval
	LANGUAGE sql IMMUTABLE
	RETURN interval '13 months';

-- Forget @at_most rows that are older, the oldest first; answer how many went.  A node asks each
-- hour, and again at once when that many went: a backlog goes in steps, between the batches, and
-- each step reads no more of an index than it takes.  What another node is about to forget is left
-- to it.
DROP FUNCTION refusals_prune;
CREATE FUNCTION refusals_prune(at_most int) RETURNS bigint
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
	SET enable_seqscan = off
	SET enable_hashjoin = off
	SET enable_mergejoin = off
	SET jit = off
AS $$
DECLARE
	before timestamptz := clock_timestamp() - refusals_kept();
	gone bigint;
	counts_gone bigint;
BEGIN
	IF at_most IS NULL OR at_most NOT BETWEEN 1 AND 10000 THEN
		RAISE invalid_parameter_value USING MESSAGE = 'at_most: 1 to 10000';
	END IF;
	DELETE FROM token_refusal WHERE ctid = ANY (ARRAY(
		SELECT r.ctid FROM token_refusal AS r WHERE r.refused_at < before
		ORDER BY r.refused_at LIMIT at_most FOR UPDATE SKIP LOCKED));
	GET DIAGNOSTICS gone = ROW_COUNT;
	DELETE FROM refusal_minute WHERE ctid = ANY (ARRAY(
		SELECT m.ctid FROM refusal_minute AS m WHERE m.minute < before
		ORDER BY m.minute LIMIT at_most - gone FOR UPDATE SKIP LOCKED));
	GET DIAGNOSTICS counts_gone = ROW_COUNT;
	RETURN gone + counts_gone;
END $$;

GRANT EXECUTE ON FUNCTION refusals_prune TO stipa_authority;
