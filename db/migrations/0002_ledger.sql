-- SPDX-License-Identifier: Apache-2.0
-- What happened: the ledger of tokens, the refusals, the audit chain.
--
-- Ledger and audit are append-only, for their owner too.  The ledger has no foreign keys: it
-- outlives what it names, and takes no locks there.
SET LOCAL search_path = stipa, public;

-- The signed bytes of a token are a function of its row and of the kid's x5u (issue/claims.h).
-- The constraints say what no token may be, whoever writes.
CREATE TABLE token (
	jti uuid CONSTRAINT token_pkey PRIMARY KEY,  -- UUIDv7: begins with its time
	account_id bigint NOT NULL,
	client_id bigint NOT NULL,
	credential_id bigint NOT NULL,
	spc text NOT NULL,
	tkvalue text NOT NULL,      -- as received; empty in the 2017 form
	ca boolean NOT NULL,
	fingerprint text NOT NULL,  -- as received
	form int2 NOT NULL,         -- 1 atc, 2 of 2017
	optional_claims int2 NOT NULL,
	iss text,
	kid text NOT NULL,
	issued_at timestamptz NOT NULL,   -- its whole second is iat
	expires_at timestamptz NOT NULL,  -- exp
	request_id text NOT NULL,
	peer bytea NOT NULL,        -- IPv6 address; IPv4 as ::ffff:a.b.c.d
	CONSTRAINT token_jti_check CHECK (get_byte(uuid_send(jti), 6) >> 4 = 7),
	CONSTRAINT token_spc_check CHECK (length(spc) BETWEEN 1 AND 16),
	CONSTRAINT token_form_check CHECK (form IN (1, 2)),
	CONSTRAINT token_atc_check CHECK (form <> 1 OR tkvalue <> ''),
	CONSTRAINT token_2017_check
		CHECK (form <> 2 OR (tkvalue = '' AND NOT ca AND optional_claims = 0)),
	CONSTRAINT token_iss_check CHECK ((iss IS NOT NULL) = (optional_claims & 1 = 1)),
	CONSTRAINT token_fingerprint_check CHECK (length(fingerprint) BETWEEN 43 AND 103),
	CONSTRAINT token_life_check CHECK (expires_at > issued_at),
	CONSTRAINT token_whole_second_check
		CHECK (expires_at = date_trunc('second', expires_at)),
	CONSTRAINT token_peer_check CHECK (length(peer) = 16)
) PARTITION BY RANGE (jti);
CREATE INDEX token_account_jti ON token (account_id, jti);

CREATE FUNCTION refuse_change() RETURNS trigger
	LANGUAGE plpgsql
AS $$
BEGIN
	RAISE restrict_violation
		USING MESSAGE = format('%I is append-only: no %s', tg_table_name, tg_op);
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON token
	FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON token
	FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The least UUIDv7 of a moment.
CREATE FUNCTION uuid_from(moment timestamptz) RETURNS uuid
	LANGUAGE sql STABLE
	RETURN (lpad(to_hex(floor(extract(epoch FROM moment) * 1000)::bigint), 12, '0')
		|| repeat('0', 20))::uuid;

-- The ledger's partition of a moment, by name.
CREATE FUNCTION token_partition(moment timestamptz) RETURNS text
	LANGUAGE sql STABLE
	RETURN to_char(moment AT TIME ZONE 'UTC', '"token_"YYYY_MM');

-- CREATE … PARTITION OF would wait for every reader of the ledger, and hold up those behind it;
-- ATTACH of a table whose CHECK says the bounds does not.
CREATE FUNCTION token_partition_add(month timestamptz) RETURNS void
	LANGUAGE plpgsql
	SET search_path = stipa, pg_temp
	SET timezone = 'UTC'
AS $$
DECLARE
	first timestamptz := date_trunc('month', month);
	low uuid := uuid_from(first);
	high uuid := uuid_from(first + interval '1 month');
	part text := token_partition(first);
BEGIN
	EXECUTE format('CREATE TABLE %I (LIKE token INCLUDING ALL,
			CONSTRAINT token_bounds CHECK (jti >= %L AND jti < %L))', part, low, high);
	EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I
			FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', part);
	EXECUTE format('ALTER TABLE token ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
		       part, low, high);
END $$;

CREATE FUNCTION token_partition_exists(moment timestamptz) RETURNS boolean
	LANGUAGE sql STABLE
	RETURN EXISTS (SELECT FROM pg_inherits
		WHERE inhparent = 'stipa.token'::regclass
		AND inhrelid = to_regclass('stipa.' || token_partition(moment)));

-- Make what is missing of this month's partition and the next three; answer how many.
CREATE FUNCTION token_partitions_extend() RETURNS int
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = stipa, pg_temp
	SET timezone = 'UTC'
AS $$
DECLARE
	month timestamptz;
	made int := 0;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('stipa.token_partitions_extend'));
	FOR month IN
		SELECT date_trunc('month', clock_timestamp()) + i * interval '1 month'
		FROM generate_series(0, 3) AS i
	LOOP
		CONTINUE WHEN token_partition_exists(month);
		PERFORM token_partition_add(month);
		made := made + 1;
	END LOOP;
	RETURN made;
END $$;

SELECT token_partitions_extend();

-- Refusals.  All are counted; the first 60 of each client, minute and backend are kept as rows,
-- those of strangers never.  A count belongs to one backend, so nodes do not wait for each other.
CREATE TABLE refusal_minute (
	minute timestamptz NOT NULL,
	backend int NOT NULL,
	client_id bigint NOT NULL,  -- 0: strangers
	verdict int2 NOT NULL,
	defect int2 NOT NULL,       -- 0 unless malformed
	refused bigint NOT NULL,
	CONSTRAINT refusal_minute_pkey PRIMARY KEY (minute, backend, client_id, verdict, defect)
);

CREATE TABLE token_refusal (
	id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT token_refusal_pkey PRIMARY KEY,
	refused_at timestamptz NOT NULL,
	client_id bigint NOT NULL,
	account text NOT NULL,  -- as asked
	spc text NOT NULL,      -- as asked, or as found
	verdict int2 NOT NULL,
	defect int2 NOT NULL,
	request_id text NOT NULL,
	peer bytea NOT NULL
);
CREATE INDEX token_refusal_refused_at ON token_refusal (refused_at);
CREATE INDEX token_refusal_client ON token_refusal (client_id, id);

CREATE FUNCTION refusals_prune(keep interval) RETURNS bigint
	LANGUAGE sql SECURITY DEFINER
	SET search_path = stipa, pg_temp
AS $$
	WITH rows AS (
		DELETE FROM token_refusal WHERE refused_at < now() - keep RETURNING 1
	), counts AS (
		DELETE FROM refusal_minute WHERE minute < now() - keep RETURNING 1
	)
	SELECT (SELECT count(*) FROM rows) + (SELECT count(*) FROM counts);
$$;

-- Who decided what.  Each event holds the hash of the one before it, so that none can be changed
-- or taken out of the middle; publishing the last hash binds the end.
CREATE TABLE audit_event (
	id bigint CONSTRAINT audit_event_pkey PRIMARY KEY,  -- 1, 2, 3 … without a gap
	at timestamptz NOT NULL,
	actor text NOT NULL,
	action text NOT NULL,
	subject text NOT NULL,
	reason text NOT NULL,
	evidence jsonb NOT NULL,
	previous bytea NOT NULL,
	hash bytea NOT NULL
);
CREATE INDEX audit_event_subject ON audit_event (subject, id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_event
	FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON audit_event
	FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A text as its length in four bytes, then its bytes: no two lists of texts look alike.
CREATE FUNCTION audit_text(member text) RETURNS bytea
	LANGUAGE sql IMMUTABLE
	RETURN int4send(octet_length(member)) || convert_to(member, 'UTF8');

-- SHA-256 of: previous hash (32 bytes), id (8 bytes), at (8 bytes, microseconds since 2000-01-01
-- UTC), then actor, action, subject, reason and evidence as texts.
CREATE FUNCTION audit_hash(event audit_event) RETURNS bytea
	LANGUAGE sql STABLE
	RETURN sha256(event.previous || int8send(event.id) || timestamptz_send(event.at)
		|| audit_text(event.actor) || audit_text(event.action)
		|| audit_text(event.subject) || audit_text(event.reason)
		|| audit_text(event.evidence::text));

CREATE FUNCTION audit_lock() RETURNS bigint
	LANGUAGE sql IMMUTABLE
	RETURN 1398032705;  -- "STIA"

-- Append an event.  Whoever calls holds the audit lock (0003_rights.sql: act).
CREATE FUNCTION audit(at timestamptz, actor text, action text, subject text, reason text,
		      evidence jsonb) RETURNS void
	LANGUAGE plpgsql
	SET search_path = stipa, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	event audit_event;
BEGIN
	SELECT e.id + 1, e.hash INTO event.id, event.previous
	FROM audit_event AS e ORDER BY e.id DESC LIMIT 1;
	event.id := coalesce(event.id, 1);
	event.previous := coalesce(event.previous, decode(repeat('00', 32), 'hex'));
	event.at := at;
	event.actor := actor;
	event.action := action;
	event.subject := subject;
	event.reason := reason;
	event.evidence := jsonb_strip_nulls(coalesce(evidence, '{}'));
	event.hash := audit_hash(event);
	INSERT INTO audit_event SELECT event.*;
END $$;

-- The first event that is not what it was or where it was; NULL when the chain is whole.
CREATE FUNCTION audit_verify() RETURNS bigint
	LANGUAGE sql STABLE SECURITY DEFINER
	SET search_path = stipa, pg_temp
AS $$
	SELECT min(id) FROM (
		SELECT id, hash IS DISTINCT FROM audit_hash(e)
			OR id <> row_number() OVER chain
			OR previous <> coalesce(lag(hash) OVER chain,
						decode(repeat('00', 32), 'hex')) AS bad
		FROM audit_event AS e WINDOW chain AS (ORDER BY id)) AS events
	WHERE bad;
$$;
