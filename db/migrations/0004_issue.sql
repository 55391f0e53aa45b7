-- SPDX-License-Identifier: Apache-2.0
-- The one function that issues, and what a node asks before it says that it is ready.
SET LOCAL search_path = stipa, public;

-- Authenticate, authorise and record a batch of orders; answer in their order.  The verdicts and
-- defects are the numbers of include/ipc/order.h; the order in which they are judged is the order
-- below.  A stranger leaves no row but a count.
--
-- Two rules hold this together; tests/integration/issue.sh shows what breaks without them:
-- * The lock is an act of its own.  A statement's snapshot is older than a lock that it waits
--   for; VOLATILE plpgsql takes a new snapshot for the next statement (under READ COMMITTED).
-- * Periods are judged by a clock that is read under the lock: statement_timestamp() is older
--   than the wait, so a right that ended meanwhile would still look alive.  The node's clock is
--   compared with the clock before the wait.
--
-- Every look-up is one of a btree; the settings keep it so whatever the statistics say.  A right
-- is looked up with LIMIT 1, as EXISTS lets the planner read and hash the whole table.
CREATE FUNCTION issue_tokens(kid text, node_clock timestamptz, digests bytea[], accounts text[],
			     spcs text[], tkvalues text[], fingerprints text[], cas bool[],
			     forms int2[], defects int2[], jtis uuid[], request_ids text[],
			     peers bytea[])
	RETURNS TABLE (n int8, verdict int2, iat int8, exp int8, spc text, optional_claims int2,
		       iss text, account text, client text)
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
	SET timezone = 'UTC'
	SET plan_cache_mode = force_generic_plan
	SET enable_seqscan = off
	SET enable_hashjoin = off
	SET enable_mergejoin = off
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	signer text := kid;
	clock_skew interval := node_clock - clock_timestamp();
BEGIN
	PERFORM check_session();
	PERFORM pg_advisory_xact_lock_shared(rights_lock());

	RETURN QUERY
	WITH clock AS MATERIALIZED (
		SELECT clock_timestamp() AS now
	), rules AS MATERIALIZED (
		SELECT now, policy.token_life, policy.optional_claims, policy.issuer,
			policy.form_2017,
			clock_skew BETWEEN '-2 s' AND '2 s' AS clock_agrees,
			EXISTS (SELECT FROM signer_certificate AS s
				WHERE s.kid = signer AND s.purpose = 'token'
				AND s.activate_at <= now AND now < s.retire_at) AS signer_active
		FROM clock CROSS JOIN LATERAL (
			SELECT * FROM policy WHERE begins_at <= now
			ORDER BY begins_at DESC LIMIT 1) AS policy
	), asked AS MATERIALIZED (
		SELECT rules.now, o.n, o.account AS account_asked, o.tkvalue, o.fingerprint, o.ca,
			o.form, o.defect, o.jti, o.request_id, o.peer,
			credential.id AS credential_id, credential.expires_at,
			client.id AS client_id, client.name AS client, client.disabled_at,
			account.id AS account_id, account.name AS account, account.state,
			account.verified_until,
			date_trunc('second', now + coalesce(account.token_life, rules.token_life))
				AS token_until,
			CASE WHEN o.form = 1 THEN rules.optional_claims ELSE 0::int2 END
				AS optional_claims,
			CASE WHEN o.form = 1 AND rules.optional_claims & 1 = 1
				THEN rules.issuer END AS iss,
			o.form = 1 OR (o.form = 2 AND rules.form_2017) AS form_permitted,
			clock_agrees, signer_active,
			-- The 2017 body may leave its SPC out: the account's only one.  Where it
			-- holds several, the answer names them.
			CASE WHEN o.form = 2 AND o.spc = '' THEN (
				SELECT string_agg(spc, ',') FROM (
					SELECT held.spc FROM spc_assignment AS held
					WHERE held.account_id = account.id
					AND held.held_from <= now
					AND (held.held_until IS NULL OR held.held_until > now)
					ORDER BY held.spc LIMIT 10) AS held)
			ELSE o.spc END AS spc
		FROM rules
		CROSS JOIN unnest(digests, accounts, spcs, tkvalues, fingerprints, cas, forms,
				  defects, jtis, request_ids, peers)
			WITH ORDINALITY AS o (digest, account, spc, tkvalue, fingerprint, ca, form,
					      defect, jti, request_id, peer, n)
		LEFT JOIN credential ON credential.digest = o.digest
		LEFT JOIN api_client AS client ON client.id = credential.client_id
		-- The client's account and no other, by its name, an alias or a code it holds.
		LEFT JOIN account ON account.id = client.account_id AND (
			account.name = o.account
			OR (SELECT true FROM account_alias AS alias
				WHERE alias.alias = o.account AND alias.account_id = account.id
				LIMIT 1)
			OR (SELECT true FROM spc_assignment AS held
				WHERE held.account_id = account.id AND held.spc = o.account
				AND held.held_from <= now
				AND (held.held_until IS NULL OR held.held_until > now)
				LIMIT 1))
	), judged AS MATERIALIZED (
		SELECT asked.*, (CASE
			WHEN credential_id IS NULL THEN 1                -- stranger
			WHEN expires_at <= now THEN 2                    -- credential expired
			WHEN disabled_at IS NOT NULL THEN 3              -- client disabled
			WHEN asked.account_id IS NULL THEN 4             -- no such account
			WHEN state <> 'active' THEN 5                    -- account not active
			WHEN asked.verified_until <= now THEN 6          -- account lapsed
			WHEN defect IS DISTINCT FROM 0::int2 THEN 7      -- malformed
			WHEN form_permitted IS NOT TRUE THEN 8           -- form not permitted
			WHEN form = 2 AND strpos(asked.spc, ',') > 0 THEN 9  -- SPC ambiguous
			WHEN held.id IS NULL THEN 10                     -- SPC not held
			WHEN held.verified_until <= now THEN 11          -- SPC lapsed
			WHEN ca IS NOT FALSE AND (
				SELECT true FROM delegation AS d
				LEFT JOIN delegation_client AS c ON c.delegation_id = d.id
					AND c.client_id = asked.client_id
				WHERE d.account_id = asked.account_id AND d.spc = asked.spc
				AND d.withdrawn_at IS NULL
				AND d.granted_at <= now AND now < d.until_at
				AND (d.every_client OR c.client_id IS NOT NULL)
				LIMIT 1) IS NOT TRUE THEN 12             -- no delegation
			WHEN clock_agrees IS NOT TRUE THEN 14            -- clock
			WHEN NOT signer_active THEN 13                   -- signer not active
			ELSE 0 END)::int2 AS verdict
		FROM asked
		LEFT JOIN spc_assignment AS held ON held.account_id = asked.account_id
			AND held.spc = asked.spc AND held.held_from <= now
			AND (held.held_until IS NULL OR held.held_until > now)
	), issued AS (
		INSERT INTO token (jti, account_id, client_id, credential_id, spc, tkvalue, ca,
				   fingerprint, form, optional_claims, iss, kid, issued_at,
				   expires_at, request_id, peer)
		SELECT jti, account_id, client_id, credential_id, spc, tkvalue, ca, fingerprint,
			form, optional_claims, iss, signer, now, token_until, request_id, peer
		FROM judged WHERE verdict = 0
	), refused AS (
		SELECT *, date_trunc('minute', now) AS minute, pg_backend_pid() AS backend,
			CASE WHEN verdict = 7 THEN coalesce(defect, 0::int2) ELSE 0::int2 END AS why
		FROM judged WHERE verdict > 0
	), kept AS (
		INSERT INTO token_refusal (refused_at, client_id, account, spc, verdict, defect,
					   request_id, peer)
		SELECT now, client_id, account_asked, coalesce(spc, ''), verdict, why,
			request_id, peer
		FROM (SELECT *, row_number() OVER (PARTITION BY client_id ORDER BY n) AS nth
			FROM refused WHERE verdict > 1) AS known
		WHERE nth <= 60 AND nth + (
			SELECT coalesce(sum(c.refused), 0) FROM refusal_minute AS c
			WHERE c.minute = known.minute AND c.backend = known.backend
			AND c.client_id = known.client_id) <= 60
		ORDER BY n
	), counted AS (
		INSERT INTO refusal_minute AS c
			(minute, backend, client_id, verdict, defect, refused)
		SELECT minute, backend, coalesce(client_id, 0), verdict, why, count(*)
		FROM refused GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
		ON CONFLICT ON CONSTRAINT refusal_minute_pkey
			DO UPDATE SET refused = c.refused + excluded.refused
	)
	SELECT n, verdict, floor(extract(epoch FROM now))::int8,
		extract(epoch FROM token_until)::int8, coalesce(spc, ''), optional_claims, iss,
		account, client
	FROM judged ORDER BY n;
END $$;

-- What a node compares with its key when it connects.
CREATE FUNCTION node_signer(kid text)
	RETURNS TABLE (x5u text, sha256 bytea, state text)
	LANGUAGE sql STABLE SECURITY DEFINER
	SET search_path = stipa, pg_temp
AS $$
	SELECT s.x5u, s.sha256, signer_state_at(s, clock_timestamp())
	FROM signer_certificate AS s WHERE s.kid = node_signer.kid AND s.purpose = 'token';
$$;

-- Why no token could be issued now; NULL when one could.
CREATE FUNCTION issuing_state(kid text, node_clock timestamptz) RETURNS text
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
	SET timezone = 'UTC'
AS $$
#variable_conflict use_variable
DECLARE
	now timestamptz := clock_timestamp();
	signer_state text;
BEGIN
	IF pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' THEN
		RETURN 'the database takes no writes: a standby, or read-only';
	END IF;
	BEGIN
		PERFORM check_session();
	EXCEPTION WHEN object_not_in_prerequisite_state THEN
		RETURN sqlerrm;
	END;
	IF abs(extract(epoch FROM node_clock - now)) > 2 THEN
		RETURN format('this node''s clock and the database''s differ by %s s',
			      round(extract(epoch FROM node_clock - now), 1));
	END IF;
	SELECT s.state INTO signer_state FROM node_signer(kid) AS s;
	IF NOT FOUND THEN
		RETURN format('token signer %s is not registered', kid);
	ELSIF signer_state <> 'active' THEN
		RETURN format('token signer %s is %s', kid, signer_state);
	END IF;
	IF NOT token_partition_exists(now) THEN
		RETURN 'the ledger has no partition for this month: '
			'token_partitions_extend() makes it';
	ELSIF NOT token_partition_exists(now + interval '1 month') THEN
		RETURN 'the ledger''s partitions end within a month: '
			'token_partitions_extend() makes more';
	ELSIF NOT EXISTS (SELECT FROM policy AS p WHERE p.begins_at <= now) THEN
		RETURN 'no policy is in force';
	END IF;
	RETURN NULL;
END $$;
