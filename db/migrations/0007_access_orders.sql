-- SPDX-License-Identifier: Apache-2.0
-- What a node asks for: tokens (anew, also for access tokens), access tokens, their end.
--
-- The two rules of 0004_issue.sql hold for each of these: a lock is an act of its own, and the
-- clock is read under it.
SET LOCAL search_path = stipa, public;

-- An address among @allowed; NULL, when there is no list.
CREATE FUNCTION address_is_allowed(peer bytea, allowed cidr[]) RETURNS boolean
	LANGUAGE sql IMMUTABLE
	RETURN CASE WHEN allowed IS NOT NULL
		THEN stipa.peer_text(peer)::inet <<= ANY (allowed) END;

-- enum verdict of include/ipc/order.h.
CREATE OR REPLACE FUNCTION verdict_name(verdict int2) RETURNS text
	LANGUAGE sql IMMUTABLE
	RETURN (ARRAY['issued', 'stranger', 'credential_expired', 'client_disabled',
		'no_such_account', 'account_not_active', 'account_lapsed', 'malformed',
		'form_not_permitted', 'spc_ambiguous', 'spc_not_held', 'spc_lapsed',
		'no_delegation', 'signer_not_active', 'clock', 'address_not_allowed',
		'fingerprint_not_pinned', 'invalid_token', 'insufficient_scope', 'rate',
		'replayed', 'scope_not_permitted'])[verdict + 1];

-- As in 0004_issue.sql, and: @presented 0, the digest is a secret's, 1, an access token's;
-- @dry_runs, the verdict and nothing else, no row is written and no refusal counted.
--
-- The sum of a proof: what it is good for, until when, and of which client.  An access token is
-- good for as long as its source is; least() leaves NULLs out.
DROP FUNCTION issue_tokens;
CREATE FUNCTION issue_tokens(kid text, node_clock timestamptz, digests bytea[], accounts text[],
			     spcs text[], tkvalues text[], fingerprints text[], cas bool[],
			     forms int2[], defects int2[], jtis uuid[], request_ids text[],
			     peers bytea[], presented int2[], dry_runs bool[])
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
			o.form, o.defect, o.jti, o.request_id, o.peer, o.presented, o.dry_run,
			proof.credential_id, proof.client_key_id, proof.api_user_id,
			proof.scopes & client.scopes AS scopes, proof.ends_at,
			client.id AS client_id, client.name AS client, client.disabled_at,
			client.pinned, address_is_allowed(o.peer, client.allowed) AS address_allowed,
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
				  defects, jtis, request_ids, peers, presented, dry_runs)
			WITH ORDINALITY AS o (digest, account, spc, tkvalue, fingerprint, ca, form,
					      defect, jti, request_id, peer, presented, dry_run,
					      n)
		LEFT JOIN LATERAL (
			SELECT c.client_id, c.id AS credential_id, NULL::bigint AS client_key_id,
				NULL::bigint AS api_user_id, c.expires_at AS ends_at,
				7::int2 AS scopes
			FROM credential AS c
			WHERE o.presented = 0 AND c.digest = o.digest
			UNION ALL
			SELECT t.client_id, t.credential_id, t.client_key_id, t.api_user_id,
				least(t.expires_at, t.revoked_at, c.expires_at, c.revoked_at,
				      k.expires_at, k.removed_at, u.disabled_at,
				      CASE WHEN t.issued_at <= u.tokens_from THEN u.tokens_from END),
				t.scopes
			FROM access_token AS t
			LEFT JOIN credential AS c ON c.id = t.credential_id
			LEFT JOIN client_key AS k ON k.id = t.client_key_id
			LEFT JOIN api_user AS u ON u.id = t.api_user_id
			WHERE o.presented = 1 AND t.digest = o.digest) AS proof ON true
		LEFT JOIN api_client AS client ON client.id = proof.client_id
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
			WHEN client_id IS NULL THEN                      -- stranger, invalid token
				CASE asked.presented WHEN 1 THEN 17 ELSE 1 END
			WHEN ends_at <= now THEN                         -- credential expired
				CASE asked.presented WHEN 1 THEN 17 ELSE 2 END
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
		FROM asked
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
	), refused AS (
		SELECT *, date_trunc('minute', now) AS minute, pg_backend_pid() AS backend,
			CASE WHEN verdict = 7 THEN coalesce(defect, 0::int2) ELSE 0::int2 END AS why
		FROM judged WHERE verdict > 0 AND dry_run IS NOT TRUE
	), kept AS (
		INSERT INTO token_refusal (refused_at, client_id, account, spc, verdict, defect,
					   request_id, peer)
		SELECT now, client_id, account_asked, coalesce(spc, ''), verdict, why,
			request_id, peer
		FROM (SELECT *, row_number() OVER (PARTITION BY client_id ORDER BY n) AS nth
			FROM refused WHERE client_id IS NOT NULL) AS known
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

-- Authenticate the clients of a batch, as grant_tokens and revoke_tokens say; the caller holds the
-- rights lock.  An assertion is used up by this.
CREATE FUNCTION authenticate(now timestamptz, methods int2[], digests bytea[], clients text[],
			     kids text[], assertion_jtis text[], assertion_exps int8[],
			     peers bytea[])
	RETURNS TABLE (n int8, verdict int2, client_id bigint, credential_id bigint,
		       client_key_id bigint, api_user_id bigint, ends_at timestamptz,
		       scopes int2, client text, account text)
	LANGUAGE plpgsql
	SET search_path = stipa, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	moment timestamptz := now;
BEGIN
	RETURN QUERY
	WITH asked AS MATERIALIZED (
		SELECT o.n, o.method, o.jti, to_timestamp(o.exp) AS assertion_until, proof.*,
			client.name AS client, client.scopes, client.disabled_at,
			address_is_allowed(o.peer, client.allowed) AS address_allowed,
			account.name AS account
		FROM unnest(methods, digests, clients, kids, assertion_jtis, assertion_exps, peers)
			WITH ORDINALITY AS o (method, digest, client, kid, jti, exp, peer, n)
		LEFT JOIN LATERAL (
			SELECT c.client_id, c.id AS credential_id, NULL::bigint AS client_key_id,
				NULL::bigint AS api_user_id, c.expires_at AS ends_at
			FROM credential AS c
			WHERE o.method = 1 AND c.digest = o.digest
			UNION ALL
			SELECT k.client_id, NULL, k.id, NULL, k.expires_at
			FROM api_client AS c JOIN client_key AS k ON k.client_id = c.id
			WHERE o.method = 2 AND c.name = o.client AND k.kid = o.kid
			AND k.removed_at IS NULL
			UNION ALL
			SELECT u.client_id, NULL, NULL, u.id, 'infinity'
			FROM api_user AS u
			WHERE o.method = 3 AND u.digest = o.digest AND u.disabled_at IS NULL
			UNION ALL
			SELECT u.client_id, NULL, NULL, u.id, 'infinity'
			FROM api_user AS u
			WHERE o.method = 4 AND u.name = o.client AND u.disabled_at IS NULL
			AND sha256(convert_to(u.hash, 'UTF8')) = o.digest) AS proof ON true
		LEFT JOIN api_client AS client ON client.id = proof.client_id
		LEFT JOIN account ON account.id = client.account_id
	), judged AS MATERIALIZED (
		SELECT *, (CASE
			WHEN client_id IS NULL THEN 1                    -- stranger
			WHEN method = 2 AND (assertion_until BETWEEN moment
				AND moment + interval '10 min 2 s') IS NOT TRUE THEN 1
			WHEN ends_at <= moment THEN 2                    -- credential expired
			WHEN disabled_at IS NOT NULL THEN 3              -- client disabled
			WHEN NOT address_allowed THEN 15                 -- address not allowed
			WHEN method = 2 AND row_number() OVER (
				PARTITION BY method, client_id, jti ORDER BY n) > 1 THEN 20
			ELSE 0 END)::int2 AS verdict
		FROM asked
	), used AS (
		INSERT INTO assertion_seen AS s (client_id, jti, expires_at)
		SELECT client_id, jti, assertion_until FROM judged
		WHERE method = 2 AND verdict = 0
		ORDER BY client_id, jti
		ON CONFLICT ON CONSTRAINT assertion_seen_pkey
			DO UPDATE SET expires_at = excluded.expires_at
			WHERE s.expires_at < moment
		RETURNING s.client_id, s.jti
	)
	SELECT n, (CASE WHEN method = 2 AND verdict = 0 AND (client_id, jti) NOT IN (
				SELECT used.client_id, used.jti FROM used) THEN 20  -- replayed
			ELSE verdict END)::int2,
		client_id, credential_id, client_key_id, api_user_id, ends_at, scopes, client,
		account
	FROM judged ORDER BY n;
END $$;

-- Authenticate clients and users and record an access token for each; answer in their order.
--   method                            @digests                        @clients    @kids
--   1 a client's secret               as in credential.digest         -           -
--   2 an assertion that was verified  -                               its client  its kid
--   3 a password of ours              as in api_user.digest           -           -
--   4 a chosen password, verified     SHA-256 of the verified hash    its user    -
-- 2 has also jti and exp of the assertion.  4 names the hash, because the password may have been
-- changed since it was read (login_hash).
-- @asked_scopes: bits, 0 for all that the client may have.  Verdicts are those of issue_tokens, and
-- 20 (the assertion has been used), 21 (the client may not have one of these scopes).
--
-- Refusals are counted, and those of known clients kept, as in issue_tokens.  For each row that
-- comes, up to two go that have expired.
CREATE FUNCTION grant_tokens(node_clock timestamptz, methods int2[], digests bytea[],
			     clients text[], kids text[], assertion_jtis text[],
			     assertion_exps int8[], asked_scopes int2[], token_digests bytea[],
			     peers bytea[], request_ids text[])
	RETURNS TABLE (n int8, verdict int2, exp int8, scopes int2, client text, account text)
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
	clock_agrees boolean := node_clock - clock_timestamp() BETWEEN '-2 s' AND '2 s';
	at timestamptz;
BEGIN
	PERFORM check_session();
	PERFORM pg_advisory_xact_lock_shared(rights_lock());
	at := clock_timestamp();

	RETURN QUERY
	WITH rules AS MATERIALIZED (
		SELECT access_life FROM policy WHERE begins_at <= at ORDER BY begins_at DESC LIMIT 1
	), asked AS MATERIALIZED (
		SELECT o.*, least(date_trunc('second', at + access_life), o.ends_at) AS token_until
		FROM rules CROSS JOIN ROWS FROM (
			authenticate(at, methods, digests, clients, kids, assertion_jtis,
				     assertion_exps, peers),
			unnest(asked_scopes, token_digests, peers, request_ids))
			AS o (n, verdict, client_id, credential_id, client_key_id, api_user_id,
			      ends_at, scopes, client, account, scopes_asked, token_digest, peer,
			      request_id)
	), judged AS MATERIALIZED (
		SELECT *, (CASE
			WHEN verdict <> 0 THEN verdict
			WHEN scopes_asked IS NULL OR scopes_asked & ~scopes <> 0 THEN 21
			WHEN clock_agrees IS NOT TRUE THEN 14
			ELSE 0 END)::int2 AS answer,
			CASE scopes_asked WHEN 0 THEN scopes ELSE scopes_asked END AS granted
		FROM asked
	), made AS (
		INSERT INTO access_token (digest, client_id, credential_id, client_key_id,
					  api_user_id, scopes, issued_at, expires_at, request_id,
					  peer)
		SELECT token_digest, client_id, credential_id, client_key_id, api_user_id, granted,
			at, token_until, request_id, peer
		FROM judged WHERE answer = 0
	), refused AS (
		SELECT *, date_trunc('minute', at) AS minute, pg_backend_pid() AS backend
		FROM judged WHERE answer > 0
	), kept AS (
		INSERT INTO token_refusal (refused_at, client_id, account, spc, verdict, defect,
					   request_id, peer, asked)
		SELECT at, client_id, account, '', answer, 0, request_id, peer, 2
		FROM (SELECT *, row_number() OVER (PARTITION BY client_id ORDER BY n) AS nth
			FROM refused WHERE client_id IS NOT NULL) AS known
		WHERE nth <= 60 AND nth + (
			SELECT coalesce(sum(c.refused), 0) FROM refusal_minute AS c
			WHERE c.minute = known.minute AND c.backend = known.backend
			AND c.client_id = known.client_id) <= 60
		ORDER BY n
	), counted AS (
		INSERT INTO refusal_minute AS c
			(minute, backend, client_id, verdict, defect, refused)
		SELECT minute, backend, coalesce(client_id, 0), answer, 0, count(*)
		FROM refused GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
		ON CONFLICT ON CONSTRAINT refusal_minute_pkey
			DO UPDATE SET refused = c.refused + excluded.refused
	), tokens_gone AS (
		DELETE FROM access_token AS t WHERE t.digest IN (
			SELECT digest FROM access_token WHERE expires_at < at - interval '1 min'
			ORDER BY expires_at LIMIT 2 * cardinality(methods) FOR UPDATE SKIP LOCKED)
	), assertions_gone AS (
		DELETE FROM assertion_seen AS s WHERE (s.client_id, s.jti) IN (
			SELECT client_id, jti FROM assertion_seen
			WHERE expires_at < at - interval '1 min'
			ORDER BY expires_at LIMIT 2 * cardinality(methods) FOR UPDATE SKIP LOCKED)
	)
	SELECT n, answer, floor(extract(epoch FROM token_until))::int8, granted, client, account
	FROM judged ORDER BY n;
END $$;

-- The SPKI (DER) that verifies a client's assertion; NULL, when it has no such key.  A key that has
-- expired verifies too: grant_tokens says so.
CREATE FUNCTION client_key(client text, kid text) RETURNS bytea
	LANGUAGE sql STABLE SECURITY DEFINER
	SET search_path = stipa, pg_temp
AS $$
	SELECT k.spki FROM api_client AS c JOIN client_key AS k ON k.client_id = c.id
	WHERE c.name = client_key.client AND k.kid = client_key.kid AND k.removed_at IS NULL;
$$;

-- The argon2id hash that verifies a chosen password; NULL, when the user is unknown, disabled, or
-- has none.
CREATE FUNCTION login_hash(users text[])
	RETURNS TABLE (n int8, hash text)
	LANGUAGE sql STABLE SECURITY DEFINER
	SET search_path = stipa, pg_temp
	SET enable_seqscan = off
	SET enable_hashjoin = off
	SET enable_mergejoin = off
	SET jit = off
AS $$
	SELECT o.n, u.hash FROM unnest(users) WITH ORDINALITY AS o (name, n)
	LEFT JOIN api_user AS u ON u.name = o.name AND u.disabled_at IS NULL ORDER BY o.n;
$$;

-- End access tokens.  Methods 1 to 4 as in grant_tokens: a client ends those of its own, and a
-- token that is not there, or another's, is ended as far as it can tell (RFC 7009 section 2.2).
-- Method 5: the token ends itself; one that is not good is verdict 17.
--
-- It takes the rights lock exclusively, as every taking does, but only when there is something to
-- take: whoever knows a token has been answered, so its row is there to be seen.  It is no event of
-- the audit chain, so that logins and logouts do not queue there.
CREATE FUNCTION revoke_tokens(methods int2[], digests bytea[], clients text[], kids text[],
			      assertion_jtis text[], assertion_exps int8[],
			      token_digests bytea[], peers bytea[])
	RETURNS TABLE (n int8, verdict int2)
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
	at timestamptz;
BEGIN
	PERFORM check_session();
	IF EXISTS (SELECT FROM unnest(token_digests) AS o (digest)
		   JOIN access_token AS t ON t.digest = o.digest
		   WHERE t.revoked_at IS NULL AND t.expires_at > clock_timestamp()) THEN
		PERFORM lock_firmly(rights_lock());
	ELSE
		PERFORM pg_advisory_xact_lock_shared(rights_lock());
	END IF;
	at := clock_timestamp();

	RETURN QUERY
	WITH judged AS MATERIALIZED (
		SELECT o.n, o.method, o.verdict, o.client_id = t.client_id AS own, t.digest,
			t.digest IS NOT NULL AND t.revoked_at IS NULL AND t.expires_at > at
				AS alive
		FROM ROWS FROM (
			authenticate(at, methods, digests, clients, kids, assertion_jtis,
				     assertion_exps, peers),
			unnest(methods, token_digests))
			AS o (n, verdict, client_id, credential_id, client_key_id, api_user_id,
			      ends_at, scopes, client, account, method, token_digest)
		LEFT JOIN access_token AS t ON t.digest = o.token_digest
	), ended AS (
		UPDATE access_token AS t SET revoked_at = at
		FROM judged WHERE t.digest = judged.digest AND alive
		AND (method = 5 OR (verdict = 0 AND own))
	)
	SELECT n, (CASE WHEN method <> 5 THEN verdict WHEN alive THEN 0 ELSE 17 END)::int2
	FROM judged ORDER BY n;
END $$;

GRANT EXECUTE ON FUNCTION issue_tokens, grant_tokens, client_key, login_hash, revoke_tokens
	TO stipa_authority;
