-- SPDX-License-Identifier: Apache-2.0
-- What people read about what 0006_access.sql has added, and who may call the functions since.
-- A view that has grown has its new columns at its end.
SET LOCAL search_path = stipa, public;

-- Each migration that adds a file says its number here anew; tests/db/schema.sh compares.
CREATE OR REPLACE FUNCTION schema_version() RETURNS int
	LANGUAGE sql IMMUTABLE
	RETURN 9;

CREATE FUNCTION scopes_text(scopes int2) RETURNS text
	LANGUAGE sql IMMUTABLE
	RETURN concat_ws(' ', CASE WHEN scopes & 1 <> 0 THEN 'spc-token' END,
		CASE WHEN scopes & 2 <> 0 THEN 'spc-token:ca' END,
		CASE WHEN scopes & 4 <> 0 THEN 'revoke' END);

CREATE OR REPLACE VIEW client_view AS
	SELECT c.name AS client, a.name AS account,
		CASE WHEN c.disabled_at IS NOT NULL THEN 'disabled'
			WHEN coalesce(secrets.alive, 0) = 0 THEN 'expired'
			ELSE 'enabled' END AS state,
		coalesce(secrets.alive, 0)::text AS secrets,
		coalesce(utc(secrets.expires), '') AS expires,
		utc(c.created_at) AS created, coalesce(utc(c.disabled_at), '') AS disabled,
		scopes_text(c.scopes) AS scopes,
		coalesce(array_to_string(c.allowed, ','), '') AS allowed,
		coalesce((SELECT string_agg(encode(f, 'hex'), ',' ORDER BY at)
			FROM unnest(c.pinned) WITH ORDINALITY AS p (f, at)), '') AS pinned,
		coalesce((SELECT string_agg(k.kid, ',' ORDER BY k.id) FROM client_key AS k
			WHERE k.client_id = c.id AND k.removed_at IS NULL
			AND k.expires_at > statement_timestamp()), '') AS keys,
		coalesce((SELECT string_agg(u.name, ',' ORDER BY u.name) FROM api_user AS u
			WHERE u.client_id = c.id), '') AS users
	FROM api_client AS c
	JOIN account AS a ON a.id = c.account_id
	CROSS JOIN LATERAL (SELECT count(*) AS alive, max(k.expires_at) AS expires
		FROM credential AS k WHERE k.client_id = c.id AND k.revoked_at IS NULL
		AND k.expires_at > statement_timestamp()) AS secrets;

CREATE VIEW client_key_view AS
	SELECT c.name AS client, a.name AS account, k.kid,
		CASE WHEN k.removed_at IS NOT NULL THEN 'removed'
			WHEN k.expires_at <= statement_timestamp() THEN 'expired'
			ELSE 'in use' END AS state,
		utc(k.created_at) AS created, utc(k.expires_at) AS expires,
		coalesce(utc(k.removed_at), '') AS removed,
		encode(sha256(k.spki), 'hex') AS sha256
	FROM client_key AS k
	JOIN api_client AS c ON c.id = k.client_id
	JOIN account AS a ON a.id = c.account_id;

CREATE VIEW api_user_view AS
	SELECT u.name AS "user", c.name AS client, a.name AS account,
		CASE WHEN u.disabled_at IS NOT NULL THEN 'disabled'
			WHEN u.digest IS NULL AND u.hash IS NULL THEN 'no password'
			ELSE 'enabled' END AS state,
		CASE WHEN u.digest IS NOT NULL THEN 'generated'
			WHEN u.hash IS NOT NULL THEN 'chosen'
			ELSE 'none' END AS password,
		utc(u.created_at) AS created, utc(u.tokens_from) AS changed,
		coalesce(utc(u.disabled_at), '') AS disabled
	FROM api_user AS u
	JOIN api_client AS c ON c.id = u.client_id
	JOIN account AS a ON a.id = c.account_id;

CREATE VIEW notice_view AS
	SELECT n.id, utc(n.at) AS at, a.name AS account, coalesce(c.name, '') AS client, n.kind,
		n.detail, n.request_id
	FROM notice AS n
	JOIN account AS a ON a.id = n.account_id
	LEFT JOIN api_client AS c ON c.id = n.client_id;

CREATE OR REPLACE VIEW policy_view AS
	SELECT p.version, utc(p.begins_at) AS begins, p.token_life::text AS token_life,
		p.optional_claims, coalesce(p.issuer, '') AS issuer, p.form_2017,
		p.access_life::text AS access_life
	FROM policy AS p;

-- By what a token or an access token was asked for.
CREATE FUNCTION source_text(presented int2, credential_id bigint, client_key_id bigint,
			    api_user_id bigint) RETURNS text
	LANGUAGE sql STABLE
	SET search_path = stipa, pg_temp
AS $$
	SELECT CASE presented WHEN 1 THEN 'access token for ' ELSE '' END || coalesce(
		'secret ' || credential_id,
		'key ' || (SELECT k.kid FROM client_key AS k WHERE k.id = client_key_id),
		'user ' || (SELECT u.name FROM api_user AS u WHERE u.id = api_user_id));
$$;

CREATE OR REPLACE VIEW token_view AS
	SELECT t.jti, a.name AS account, c.name AS client, t.spc, t.ca::text AS ca,
		CASE t.form WHEN 1 THEN 'atc' ELSE '2017' END AS form,
		utc(t.issued_at) AS issued, utc(t.expires_at) AS expires, t.kid, t.fingerprint,
		t.tkvalue, t.optional_claims::text AS optional_claims, coalesce(t.iss, '') AS iss,
		s.x5u, t.credential_id::text AS credential, t.request_id,
		peer_text(t.peer) AS peer, t.account_id, t.issued_at, t.expires_at,
		source_text(t.presented, t.credential_id, t.client_key_id, t.api_user_id)
			AS asked_by
	FROM token AS t
	LEFT JOIN account AS a ON a.id = t.account_id
	LEFT JOIN api_client AS c ON c.id = t.client_id
	LEFT JOIN signer_certificate AS s ON s.kid = t.kid;

-- Access tokens until they are pruned; never a digest.
CREATE VIEW access_token_view AS
	SELECT c.name AS client, a.name AS account, scopes_text(t.scopes) AS scopes,
		CASE WHEN t.revoked_at IS NOT NULL THEN 'revoked'
			WHEN t.expires_at <= statement_timestamp() THEN 'expired'
			ELSE 'in use' END AS state,
		source_text(0::int2, t.credential_id, t.client_key_id, t.api_user_id) AS asked_by,
		utc(t.issued_at) AS issued, utc(t.expires_at) AS expires,
		coalesce(utc(t.revoked_at), '') AS revoked, t.request_id,
		peer_text(t.peer) AS peer, t.issued_at
	FROM access_token AS t
	LEFT JOIN api_client AS c ON c.id = t.client_id
	LEFT JOIN account AS a ON a.id = c.account_id;

-- What became of a request: a token, an access token, or a refusal with its verdict.  A client may
-- use a request's name again, so that there may be several rows.
CREATE INDEX token_request ON token (request_id);
CREATE VIEW request_view AS
	SELECT t.request_id, 'token' AS kind, utc(t.issued_at) AS at, c.name AS client,
		a.name AS account, t.spc, 'issued' AS verdict, '0' AS defect, t.jti::text AS jti,
		source_text(t.presented, t.credential_id, t.client_key_id, t.api_user_id)
			AS asked_by,
		peer_text(t.peer) AS peer, t.issued_at AS at_time
	FROM token AS t
	LEFT JOIN account AS a ON a.id = t.account_id
	LEFT JOIN api_client AS c ON c.id = t.client_id
	UNION ALL
	SELECT r.request_id, 'refusal', utc(r.refused_at), c.name, r.account, r.spc,
		verdict_name(r.verdict), r.defect::text, '',
		CASE r.asked WHEN 1 THEN 'token request' ELSE 'login or grant' END,
		peer_text(r.peer), r.refused_at
	FROM token_refusal AS r
	LEFT JOIN api_client AS c ON c.id = r.client_id
	UNION ALL
	SELECT t.request_id, 'access token', utc(t.issued_at), c.name, a.name, '', 'granted', '0',
		'', source_text(0::int2, t.credential_id, t.client_key_id, t.api_user_id),
		peer_text(t.peer), t.issued_at
	FROM access_token AS t
	LEFT JOIN api_client AS c ON c.id = t.client_id
	LEFT JOIN account AS a ON a.id = c.account_id;

GRANT EXECUTE ON FUNCTION report_secrets TO stipa_authority;

GRANT EXECUTE ON FUNCTION client_add, client_rotate, client_allow, client_pin, client_scopes,
	client_key_add, client_key_remove, api_user_add, api_user_rotate, api_user_disable,
	api_user_enable, policy_set TO stipa_portal;

GRANT EXECUTE ON FUNCTION scopes_text, source_text TO stipa_portal, stipa_auditor;

-- Hashes of chosen passwords are read by none but login_hash.
GRANT SELECT ON client_key, notice, client_key_view, api_user_view, notice_view,
	access_token_view, request_view TO stipa_portal, stipa_auditor;
GRANT SELECT (id, client_id, name, created_at, tokens_from, disabled_at) ON api_user
	TO stipa_portal, stipa_auditor;
