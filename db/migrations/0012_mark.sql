-- SPDX-License-Identifier: Apache-2.0
-- A ledger that has gone back is noticed: each node keeps a mark, the last token that it knows
-- committed, and asks for it whenever it connects (include/mark/mark.h).
SET LOCAL search_path = stipa, public;

-- Each migration that adds a file says its number here anew; tests/db/schema.sh compares.
CREATE OR REPLACE FUNCTION schema_version() RETURNS int
	LANGUAGE sql IMMUTABLE
	RETURN 12;

-- Which ledger this is.  A restored copy keeps the name; a database made anew has another.
CREATE TABLE ledger (
	one boolean NOT NULL DEFAULT true CONSTRAINT ledger_pkey PRIMARY KEY
		CONSTRAINT ledger_one_check CHECK (one),
	id uuid NOT NULL DEFAULT gen_random_uuid(),
	made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO ledger DEFAULT VALUES;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger
	FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON ledger
	FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Tokens whose loss an operator has accepted.
CREATE TABLE mark_accepted (
	jti uuid CONSTRAINT mark_accepted_pkey PRIMARY KEY,
	accepted_at timestamptz NOT NULL
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON mark_accepted
	FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON mark_accepted
	FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The least jti of the ledger's oldest partition: what is below has been given up with its month.
CREATE FUNCTION ledger_begin() RETURNS uuid
	LANGUAGE sql STABLE
	SET search_path = stipa, pg_temp
AS $$
	SELECT min(substring(pg_get_expr(c.relpartbound, c.oid)
		FROM $re$FROM \('([0-9a-f-]{36})'\)$re$))::uuid
	FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
	WHERE i.inhparent = 'stipa.token'::regclass;
$$;

-- Is the token @marked of the ledger @of_ledger one that this database knows of?  NULL: there is no
-- mark yet.  A token may be missing only when its whole month has been given up, by this ledger:
-- an older copy begins no later than the token, and another ledger is another ledger.
CREATE FUNCTION mark_state(marked uuid, of_ledger uuid) RETURNS TABLE (ledger uuid, known boolean)
	LANGUAGE sql STABLE SECURITY DEFINER
	SET search_path = stipa, pg_temp
AS $$
	SELECT l.id, marked IS NULL
		OR EXISTS (SELECT FROM token AS t WHERE t.jti = marked)
		OR EXISTS (SELECT FROM mark_accepted AS a WHERE a.jti = marked)
		OR coalesce(of_ledger = l.id AND marked < ledger_begin(), false)
	FROM ledger AS l;
$$;

-- Go on with a ledger that lacks a node's mark.  Which tokens were issued after its newest is not
-- known to it.
CREATE FUNCTION mark_accept(actor text, reason text, marked uuid)
	RETURNS TABLE (at timestamptz, newest uuid, newest_at timestamptz)
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	now timestamptz := act(actor, reason);
BEGIN
	IF marked IS NULL OR get_byte(uuid_send(marked), 6) >> 4 <> 7 THEN
		RAISE invalid_parameter_value USING MESSAGE = 'marked: want the jti of a token';
	ELSIF (SELECT s.known FROM mark_state(marked, NULL) AS s) THEN
		RAISE object_not_in_prerequisite_state USING
			MESSAGE = format('token %s is known: there is nothing to accept', marked);
	END IF;
	SELECT t.jti, t.issued_at INTO newest, newest_at
	FROM token AS t ORDER BY t.jti DESC LIMIT 1;
	INSERT INTO mark_accepted (jti, accepted_at) VALUES (marked, now);
	PERFORM audit(now, actor, 'mark_accept', marked::text, reason,
		      jsonb_build_object('newest', newest, 'newest_at', newest_at));
	at := now;
	RETURN NEXT;
END $$;

GRANT EXECUTE ON FUNCTION mark_state TO stipa_authority, stipa_operator;
GRANT EXECUTE ON FUNCTION mark_accept TO stipa_operator;
