-- SPDX-License-Identifier: Apache-2.0
-- Assertions as libraries make them: for an hour, and without a kid where the client has one key.
SET LOCAL search_path = stipa, public;

-- Each migration that adds a file says its number here anew; tests/db/schema.sh compares.
CREATE OR REPLACE FUNCTION schema_version() RETURNS int
	LANGUAGE sql IMMUTABLE
	RETURN 11;

-- For each, the key that verifies the client's assertion, by its kid: the SPKI (DER), and the kid
-- for authenticate().  A key that has expired verifies too: grant_tokens says so.
--
-- Without a kid it is the only one that the client has now; with several, none.  Which one it was
-- goes on with the order, so that a key that has taken its place meanwhile proves nothing.
--
-- client_key(), which asked for one by its kid, stays for nodes of before.
CREATE FUNCTION client_keys(clients text[], kids text[])
	RETURNS TABLE (n int8, kid text, spki bytea)
	LANGUAGE sql STABLE SECURITY DEFINER
	SET search_path = stipa, pg_temp
	SET enable_seqscan = off
	SET enable_hashjoin = off
	SET enable_mergejoin = off
	SET jit = off
AS $$
	SELECT o.n, k.kid, k.spki
	FROM unnest(clients, kids) WITH ORDINALITY AS o (client, kid, n)
	LEFT JOIN api_client AS c ON c.name = o.client
	LEFT JOIN client_key AS k ON k.client_id = c.id AND k.removed_at IS NULL
		AND k.kid = CASE WHEN o.kid <> '' THEN o.kid ELSE (
			SELECT min(live.kid) FROM client_key AS live
			WHERE live.client_id = c.id AND live.removed_at IS NULL
			AND live.expires_at > clock_timestamp() HAVING count(*) = 1) END
	ORDER BY o.n;
$$;

-- As in 0007_access_orders.sql, and: an assertion may live for an hour and a minute, as in
-- include/edge/assertion.h, and for 2 s more, by which the clocks may differ.  Its jti is kept until
-- then; for each order that comes, up to two go that have expired.
CREATE OR REPLACE FUNCTION authenticate(now timestamptz, methods int2[], digests bytea[],
					clients text[], kids text[], assertion_jtis text[],
					assertion_exps int8[], peers bytea[])
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
				AND moment + interval '1 h 1 min 2 s') IS NOT TRUE THEN 1
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

	DELETE FROM assertion_seen AS s WHERE (s.client_id, s.jti) IN (
		SELECT client_id, jti FROM assertion_seen
		WHERE expires_at < moment - interval '1 min'
		ORDER BY expires_at LIMIT 2 * cardinality(methods) FOR UPDATE SKIP LOCKED);
END $$;

-- As in 0007_access_orders.sql, and: a client that may have no scope gets no token (21).  Assertions
-- go in authenticate().
CREATE OR REPLACE FUNCTION grant_tokens(node_clock timestamptz, methods int2[], digests bytea[],
					clients text[], kids text[], assertion_jtis text[],
					assertion_exps int8[], asked_scopes int2[],
					token_digests bytea[], peers bytea[], request_ids text[])
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
			WHEN scopes_asked IS NULL OR scopes_asked & ~scopes <> 0 OR scopes = 0
				THEN 21
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
	)
	SELECT n, answer, floor(extract(epoch FROM token_until))::int8, granted, client, account
	FROM judged ORDER BY n;
END $$;

GRANT EXECUTE ON FUNCTION client_keys TO stipa_authority;
