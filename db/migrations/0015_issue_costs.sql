-- SPDX-License-Identifier: Apache-2.0
-- Issuing touches what its batch needs.  Access tokens and refusals are rare beside tokens for
-- secrets, and setting up a plan that reaches for their tables cost a batch as much as eight rows.
SET LOCAL search_path = stipa, public;

-- Each migration that adds a file says its number here anew; tests/db/schema.sh compares.
CREATE OR REPLACE FUNCTION schema_version() RETURNS int
	LANGUAGE sql IMMUTABLE
	RETURN 15;

-- Proof by an access token: what it is good for, until when, and of which client.
CREATE TYPE token_proof AS (
	client_id bigint,
	credential_id bigint,
	client_key_id bigint,
	api_user_id bigint,
	ends_at timestamptz,
	scopes int2
);

-- For each order that presents an access token (@presented 1) its proof, NULL without one; in the
-- order of @digests.  An access token is good for as long as its source is; least() leaves NULLs
-- out.  The caller holds the rights lock.
CREATE FUNCTION token_proofs(digests bytea[], presented int2[]) RETURNS token_proof[]
	LANGUAGE plpgsql
	SET search_path = stipa, pg_temp
AS $$
BEGIN
	RETURN (
		SELECT array_agg(CASE WHEN t.digest IS NOT NULL THEN ROW(
				t.client_id, t.credential_id, t.client_key_id, t.api_user_id,
				least(t.expires_at, t.revoked_at, c.expires_at, c.revoked_at,
				      k.expires_at, k.removed_at, u.disabled_at,
				      CASE WHEN t.issued_at <= u.tokens_from THEN u.tokens_from END),
				t.scopes)::token_proof END ORDER BY o.n)
		FROM unnest(digests, presented) WITH ORDINALITY AS o (digest, presented, n)
		LEFT JOIN access_token AS t ON t.digest = CASE o.presented WHEN 1 THEN o.digest END
		LEFT JOIN credential AS c ON c.id = t.credential_id
		LEFT JOIN client_key AS k ON k.id = t.client_key_id
		LEFT JOIN api_user AS u ON u.id = t.api_user_id);
END $$;

-- An order that was refused, for the refusals.
CREATE TYPE refused_order AS (
	n bigint,
	client_id bigint,  -- NULL: a stranger
	account text,      -- as asked
	spc text,          -- as asked, or as found
	verdict int2,
	defect int2,       -- 0 unless malformed
	request_id text,
	peer bytea
);

-- Count all, and keep those of known clients, the first 60 of each minute and backend.  True.
CREATE FUNCTION refusals_record(refused refused_order[], at timestamptz) RETURNS boolean
	LANGUAGE plpgsql
	SET search_path = stipa, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	this_minute timestamptz := date_trunc('minute', at);
BEGIN
	WITH kept AS (
		INSERT INTO token_refusal (refused_at, client_id, account, spc, verdict, defect,
					   request_id, peer)
		SELECT at, client_id, account, spc, verdict, defect, request_id, peer
		FROM (SELECT *, row_number() OVER (PARTITION BY client_id ORDER BY n) AS nth
			FROM unnest(refused) WHERE client_id IS NOT NULL) AS known
		WHERE nth <= 60 AND nth + (
			SELECT coalesce(sum(c.refused), 0) FROM refusal_minute AS c
			WHERE c.minute = this_minute AND c.backend = pg_backend_pid()
			AND c.client_id = known.client_id) <= 60
		ORDER BY n
	)
	INSERT INTO refusal_minute AS c (minute, backend, client_id, verdict, defect, refused)
	SELECT this_minute, pg_backend_pid(), coalesce(client_id, 0), verdict, defect, count(*)
	FROM unnest(refused) GROUP BY 3, 4, 5 ORDER BY 3, 4, 5
	ON CONFLICT ON CONSTRAINT refusal_minute_pkey
		DO UPDATE SET refused = c.refused + excluded.refused;
	RETURN true;
END $$;

-- As in 0007_access_orders.sql; but access tokens are looked up, and refusals recorded, by acts of
-- their own, where the batch has such.
CREATE OR REPLACE FUNCTION issue_tokens(kid text, node_clock timestamptz, digests bytea[],
			     accounts text[], spcs text[], tkvalues text[], fingerprints text[],
			     cas bool[], forms int2[], defects int2[], jtis uuid[],
			     request_ids text[], peers bytea[], presented int2[], dry_runs bool[])
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
	proofs token_proof[];
BEGIN
	PERFORM check_session();
	PERFORM pg_advisory_xact_lock_shared(rights_lock());
	IF 1 = ANY (presented) THEN
		proofs := token_proofs(digests, presented);
	END IF;

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
	), judged AS MATERIALIZED (
		SELECT now, n, jti, asked.account_id, client_id, credential_id,
			client_key_id, api_user_id, presented, asked.spc, tkvalue, ca, fingerprint,
			form, defect, optional_claims, iss, token_until, request_id, peer, dry_run,
			account_asked, account, client, (CASE
			WHEN client_id IS NULL THEN                      -- stranger, invalid token
				CASE presented WHEN 1 THEN 17 ELSE 1 END
			WHEN ends_at <= now THEN                         -- credential expired
				CASE presented WHEN 1 THEN 17 ELSE 2 END
			WHEN disabled_at IS NOT NULL THEN 3              -- client disabled
			WHEN NOT address_allowed THEN 15                 -- address not allowed
			WHEN asked.account_id IS NULL THEN 4             -- no such account
			WHEN state <> 'active' THEN 5                    -- account not active
			WHEN asked.verified_until <= now THEN 6          -- account lapsed
			WHEN scopes & 3 = 0 THEN 18                      -- insufficient scope
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
			WHEN ca AND scopes & 2 = 0 THEN 18               -- insufficient scope
			WHEN pinned IS NOT NULL                          -- fingerprint not pinned
				AND fingerprint_bytes(fingerprint) <> ALL (pinned) THEN 16
			WHEN clock_agrees IS NOT TRUE THEN 14            -- clock
			WHEN NOT signer_active THEN 13                   -- signer not active
			ELSE 0 END)::int2 AS verdict
		FROM (
			SELECT rules.now, o.n, o.account AS account_asked, o.tkvalue, o.fingerprint,
				o.ca, o.form, o.defect, o.jti, o.request_id, o.peer, o.presented,
				o.dry_run,
				coalesce(secret.id, o.token_credential_id) AS credential_id,
				o.client_key_id, o.api_user_id,
				CASE WHEN secret.id IS NULL THEN o.scopes ELSE 7::int2 END
					& client.scopes AS scopes,
				coalesce(secret.expires_at, o.ends_at) AS ends_at,
				client.id AS client_id, client.name AS client, client.disabled_at,
				client.pinned,
				address_is_allowed(o.peer, client.allowed) AS address_allowed,
				account.id AS account_id, account.name AS account, account.state,
				account.verified_until,
				date_trunc('second', now
					+ coalesce(account.token_life, rules.token_life))
					AS token_until,
				CASE WHEN o.form = 1 THEN rules.optional_claims ELSE 0::int2 END
					AS optional_claims,
				CASE WHEN o.form = 1 AND rules.optional_claims & 1 = 1
					THEN rules.issuer END AS iss,
				o.form = 1 OR (o.form = 2 AND rules.form_2017) AS form_permitted,
				clock_agrees, signer_active,
				-- The 2017 body may leave its SPC out: the account's only one.
				-- Where it holds several, the answer names them.
				CASE WHEN o.form = 2 AND o.spc = '' THEN (
					SELECT string_agg(spc, ',') FROM (
						SELECT held.spc FROM spc_assignment AS held
						WHERE held.account_id = account.id
						AND held.held_from <= now
						AND (held.held_until IS NULL
							OR held.held_until > now)
						ORDER BY held.spc LIMIT 10) AS held)
				ELSE o.spc END AS spc
			FROM rules
			CROSS JOIN unnest(digests, accounts, spcs, tkvalues, fingerprints, cas,
					  forms, defects, jtis, request_ids, peers, presented,
					  dry_runs, proofs)
				WITH ORDINALITY AS o (digest, account, spc, tkvalue, fingerprint, ca,
						      form, defect, jti, request_id, peer, presented,
						      dry_run, token_client_id, token_credential_id,
						      client_key_id, api_user_id, ends_at, scopes, n)
			LEFT JOIN credential AS secret
				ON secret.digest = CASE o.presented WHEN 0 THEN o.digest END
			LEFT JOIN api_client AS client
				ON client.id = coalesce(secret.client_id, o.token_client_id)
			-- The client's account and no other, by its name, an alias or a code it
			-- holds.
			LEFT JOIN account ON account.id = client.account_id AND (
				account.name = o.account
				OR (SELECT true FROM account_alias AS alias
					WHERE alias.alias = o.account
					AND alias.account_id = account.id LIMIT 1)
				OR (SELECT true FROM spc_assignment AS held
					WHERE held.account_id = account.id AND held.spc = o.account
					AND held.held_from <= now
					AND (held.held_until IS NULL OR held.held_until > now)
					LIMIT 1))
			OFFSET 0) AS asked  -- each of its columns is computed once
		LEFT JOIN spc_assignment AS held ON held.account_id = asked.account_id
			AND held.spc = asked.spc AND held.held_from <= now
			AND (held.held_until IS NULL OR held.held_until > now)
	), issued AS (
		INSERT INTO token (jti, account_id, client_id, credential_id, client_key_id,
				   api_user_id, presented, spc, tkvalue, ca, fingerprint, form,
				   optional_claims, iss, kid, issued_at, expires_at, request_id,
				   peer)
		SELECT jti, account_id, client_id, credential_id, client_key_id, api_user_id,
			presented, spc, tkvalue, ca, fingerprint, form, optional_claims, iss,
			signer, now, token_until, request_id, peer
		FROM judged WHERE verdict = 0 AND dry_run IS NOT TRUE
	)
	SELECT n, verdict, floor(extract(epoch FROM now))::int8,
		extract(epoch FROM token_until)::int8, coalesce(spc, ''), optional_claims, iss,
		account, client
	FROM judged
	WHERE (SELECT refusals_record(array_agg(ROW(n, client_id, account_asked,
				coalesce(spc, ''), verdict,
				CASE WHEN verdict = 7 THEN coalesce(defect, 0::int2) ELSE 0::int2 END,
				request_id, peer)::refused_order), min(now))
			FROM judged WHERE verdict > 0 AND dry_run IS NOT TRUE
			HAVING count(*) > 0) IS NOT FALSE
	ORDER BY n;
END $$;
