-- SPDX-License-Identifier: Apache-2.0
-- The end of the audit chain, and who waits how long for its lock.
SET LOCAL search_path = stipa, public;

-- Each migration that adds a file says its number here anew; tests/db/schema.sh compares.
CREATE OR REPLACE FUNCTION schema_version() RETURNS int
	LANGUAGE sql IMMUTABLE
	RETURN 10;

-- An act that takes holds the audit lock while it waits for the rights lock, perhaps until a node
-- that stands still has been ended: it holds this one too, and others have patience with it.
CREATE FUNCTION taking_lock() RETURNS bigint
	LANGUAGE sql IMMUTABLE
	RETURN 1398032724;  -- "STIT"

-- Who holds an advisory lock of this database, and in which transaction.
CREATE FUNCTION lock_holders(key bigint) RETURNS TABLE (pid int, xact text)
	LANGUAGE sql
	SET search_path = stipa, pg_temp
AS $$
	SELECT l.pid, l.virtualtransaction FROM pg_locks AS l
	WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
	AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
	AND l.classid = (key >> 32)::oid AND l.objid = (key & 4294967295)::oid
	AND l.pid <> pg_backend_pid();
$$;

-- End a session.  Its transaction is undone: what it had not committed was never answered.
CREATE FUNCTION session_end(session int) RETURNS void
	LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM pg_terminate_backend(session);
EXCEPTION WHEN insufficient_privilege THEN
	RAISE WARNING 'session % is a superuser''s: not ended', session;
END $$;

-- Take an exclusive advisory lock.  Who has held it in one transaction for all of 2 s stands still,
-- and is ended; but an act that takes, and so may itself be waiting for such a one, after 10 s.
CREATE OR REPLACE FUNCTION lock_firmly(key bigint) RETURNS void
	LANGUAGE plpgsql
	SET search_path = stipa, pg_temp
	SET lock_timeout = '2s'
AS $$
DECLARE
	before text[];
BEGIN
	FOR attempt IN 1..5 LOOP
		before := ARRAY(SELECT h.xact FROM lock_holders(key) AS h);
		BEGIN
			PERFORM pg_advisory_xact_lock(key);
			RETURN;
		EXCEPTION WHEN lock_not_available THEN
			PERFORM session_end(h.pid) FROM lock_holders(key) AS h
			WHERE h.xact = ANY (before) AND (attempt = 5 OR h.xact NOT IN (
				SELECT t.xact FROM lock_holders(taking_lock()) AS t));
		END;
	END LOOP;
	PERFORM pg_advisory_xact_lock(key);
END $$;

CREATE OR REPLACE FUNCTION act_taking(actor text, reason text) RETURNS timestamptz
	LANGUAGE plpgsql
	SET search_path = stipa, pg_temp
AS $$
BEGIN
	PERFORM check_given('actor', actor);
	PERFORM check_given('reason', reason);
	PERFORM check_session();
	PERFORM lock_firmly(audit_lock());
	PERFORM pg_advisory_xact_lock(taking_lock());
	PERFORM lock_firmly(rights_lock());
	RETURN clock_timestamp();
END $$;

-- The last event of the chain, written with it: an event that is taken away at the end, or put
-- there, shows as one in the middle does.  Whoever can rewrite both is found by a head that was
-- noted elsewhere: audit_verify(id, hash).
CREATE TABLE audit_head (
	one boolean NOT NULL DEFAULT true CONSTRAINT audit_head_pkey PRIMARY KEY
		CONSTRAINT audit_head_one_check CHECK (one),
	id bigint NOT NULL,
	hash bytea NOT NULL
);
INSERT INTO audit_head (id, hash)
	SELECT coalesce(max(e.id), 0), coalesce(
		(SELECT l.hash FROM audit_event AS l ORDER BY l.id DESC LIMIT 1),
		decode(repeat('00', 32), 'hex'))
	FROM audit_event AS e;

CREATE FUNCTION refuse_other_than_next() RETURNS trigger
	LANGUAGE plpgsql
AS $$
BEGIN
	IF new.one AND new.id = old.id + 1 THEN
		RETURN new;
	END IF;
	RAISE restrict_violation USING MESSAGE = 'audit_head goes on by one event at a time';
END $$;
CREATE TRIGGER next_only BEFORE UPDATE ON audit_head
	FOR EACH ROW EXECUTE FUNCTION refuse_other_than_next();
CREATE TRIGGER append_only BEFORE DELETE ON audit_head
	FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON audit_head
	FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Append an event after the head: where events are missing, the gap stays.  Whoever calls holds the
-- audit lock.
CREATE OR REPLACE FUNCTION audit(at timestamptz, actor text, action text, subject text, reason text,
				 evidence jsonb) RETURNS void
	LANGUAGE plpgsql
	SET search_path = stipa, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	event audit_event;
BEGIN
	SELECT h.id + 1, h.hash INTO STRICT event.id, event.previous FROM audit_head AS h;
	event.at := at;
	event.actor := actor;
	event.action := action;
	event.subject := subject;
	event.reason := reason;
	event.evidence := jsonb_strip_nulls(coalesce(evidence, '{}'));
	event.hash := audit_hash(event);
	INSERT INTO audit_event SELECT event.*;
	UPDATE audit_head AS h SET id = event.id, hash = event.hash;
END $$;

-- The number of the first event that is not what it was or where it was, also of one that is
-- missing at the end; NULL when the chain is whole.  With @known_id and @known_hash, a head that
-- was noted before, also whether that event is still the same.
DROP FUNCTION audit_verify;
CREATE FUNCTION audit_verify(known_id bigint DEFAULT NULL, known_hash bytea DEFAULT NULL)
	RETURNS bigint
	LANGUAGE sql STABLE SECURITY DEFINER
	SET search_path = stipa, pg_temp
AS $$
	WITH events AS (
		SELECT id, hash IS DISTINCT FROM audit_hash(e)
			OR id <> row_number() OVER chain
			OR previous <> coalesce(lag(hash) OVER chain,
						decode(repeat('00', 32), 'hex')) AS bad
		FROM audit_event AS e WINDOW chain AS (ORDER BY id)
	), ends AS (
		SELECT (SELECT coalesce(max(id), 0) FROM audit_event) AS last,
			(SELECT h.id FROM audit_head AS h) AS head
	)
	SELECT min(id) FROM (
		SELECT id FROM events WHERE bad
		UNION ALL
		SELECT least(last, head) + 1 FROM ends WHERE head IS DISTINCT FROM last
		UNION ALL
		SELECT h.id FROM audit_head AS h JOIN audit_event AS e ON e.id = h.id
		WHERE e.hash <> h.hash
		UNION ALL
		SELECT known_id WHERE known_id IS NOT NULL AND known_hash IS DISTINCT FROM
			(SELECT e.hash FROM audit_event AS e WHERE e.id = known_id)) AS found;
$$;

-- Each event with all that its hash is of (audit_hash, 0002_ledger.sql), for whoever checks the
-- chain without this database.  @at_us: microseconds since 2000-01-01 UTC.
CREATE VIEW audit_export_view AS
	SELECT e.id, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at,
		(extract(epoch FROM e.at - '2000-01-01 00:00:00Z'::timestamptz) * 1000000)::bigint
			AS at_us,
		e.actor, e.action, e.subject, e.reason, e.evidence::text AS evidence,
		encode(e.previous, 'hex') AS previous, encode(e.hash, 'hex') AS hash
	FROM audit_event AS e;

CREATE VIEW audit_head_view AS
	SELECT h.id, encode(h.hash, 'hex') AS hash FROM audit_head AS h;

GRANT EXECUTE ON FUNCTION audit_verify TO stipa_auditor;
GRANT SELECT ON audit_head_view TO stipa_portal, stipa_auditor;
GRANT SELECT ON audit_head, audit_export_view TO stipa_auditor;
