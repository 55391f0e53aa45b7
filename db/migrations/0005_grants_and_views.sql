-- SPDX-License-Identifier: Apache-2.0
-- What each role may call, and what people read.  No role but the owner may write a table.
SET LOCAL search_path = stipa, public;

-- Each migration that adds a file says its number here anew; tests/db/schema.sh compares.
CREATE FUNCTION schema_version() RETURNS int
	LANGUAGE sql IMMUTABLE
	RETURN 5;

-- 2026-01-31T23:59:59Z
CREATE FUNCTION utc(moment timestamptz) RETURNS text
	LANGUAGE sql STABLE
	RETURN to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"');

-- The text of an IPv6 address; of ::ffff:a.b.c.d, the IPv4 address.
CREATE FUNCTION peer_text(peer bytea) RETURNS text
	LANGUAGE sql IMMUTABLE
	RETURN CASE
		WHEN substr(peer, 1, 12) = '\x00000000000000000000ffff'
		THEN concat_ws('.', get_byte(peer, 12), get_byte(peer, 13), get_byte(peer, 14),
			       get_byte(peer, 15))
		ELSE host(regexp_replace(encode(peer, 'hex'), '(....)(?=.)', '\1:', 'g')::inet) END;

-- enum verdict of include/ipc/order.h.
CREATE FUNCTION verdict_name(verdict int2) RETURNS text
	LANGUAGE sql IMMUTABLE
	RETURN (ARRAY['issued', 'stranger', 'credential_expired', 'client_disabled',
		'no_such_account', 'account_not_active', 'account_lapsed', 'malformed',
		'form_not_permitted', 'spc_ambiguous', 'spc_not_held', 'spc_lapsed',
		'no_delegation', 'signer_not_active', 'clock'])[verdict + 1];

CREATE VIEW account_view AS
	SELECT a.name AS account, a.state, o.name AS organisation, o.legal_name,
		utc(h.since) AS since, h.actor, h.reason,
		utc(a.verified_until) AS verified_until,
		coalesce(a.token_life::text, 'policy') AS token_life,
		coalesce((SELECT string_agg(s.spc, ',' ORDER BY s.spc) FROM spc_assignment AS s
			WHERE s.account_id = a.id
			AND (s.held_until IS NULL OR s.held_until > statement_timestamp())), '')
			AS spcs,
		coalesce((SELECT string_agg(l.alias, ',' ORDER BY l.alias) FROM account_alias AS l
			WHERE l.account_id = a.id), '') AS aliases,
		coalesce((SELECT string_agg(c.name, ',' ORDER BY c.name) FROM api_client AS c
			WHERE c.account_id = a.id), '') AS clients
	FROM account AS a
	JOIN organisation AS o ON o.id = a.organisation_id
	CROSS JOIN LATERAL (SELECT s.* FROM account_state AS s WHERE s.account_id = a.id
		ORDER BY s.id DESC LIMIT 1) AS h;

CREATE VIEW account_state_view AS
	SELECT a.name AS account, s.state, utc(s.since) AS since, s.actor, s.reason,
		coalesce(s.evidence, '') AS evidence, s.id
	FROM account_state AS s JOIN account AS a ON a.id = s.account_id;

CREATE VIEW spc_view AS
	SELECT h.spc, h.kind, a.name AS account,
		CASE WHEN h.held_until <= statement_timestamp() THEN 'ended'
			WHEN h.verified_until <= statement_timestamp() THEN 'lapsed'
			ELSE 'held' END AS state,
		utc(h.held_from) AS held_from, coalesce(utc(h.held_until), '') AS held_until,
		coalesce(utc(h.verified_until), '') AS verified_until,
		coalesce(h.evidence, '') AS evidence
	FROM spc_assignment AS h JOIN account AS a ON a.id = h.account_id;

CREATE VIEW delegation_view AS
	SELECT d.id, a.name AS account, d.spc,
		CASE WHEN d.withdrawn_at IS NOT NULL THEN 'withdrawn'
			WHEN d.until_at <= statement_timestamp() THEN 'ended'
			ELSE 'in force' END AS state,
		d.sca, d.cps_version, d.evidence, utc(d.granted_at) AS granted,
		utc(least(d.until_at, d.withdrawn_at)) AS until,
		CASE WHEN d.every_client THEN 'all' ELSE
			(SELECT string_agg(c.name, ',' ORDER BY c.name)
			FROM delegation_client AS dc JOIN api_client AS c ON c.id = dc.client_id
			WHERE dc.delegation_id = d.id) END AS clients
	FROM delegation AS d JOIN account AS a ON a.id = d.account_id;

CREATE VIEW client_view AS
	SELECT c.name AS client, a.name AS account,
		CASE WHEN c.disabled_at IS NOT NULL THEN 'disabled'
			WHEN coalesce(secrets.alive, 0) = 0 THEN 'expired'
			ELSE 'enabled' END AS state,
		coalesce(secrets.alive, 0)::text AS secrets,
		coalesce(utc(secrets.expires), '') AS expires,
		utc(c.created_at) AS created, coalesce(utc(c.disabled_at), '') AS disabled
	FROM api_client AS c
	JOIN account AS a ON a.id = c.account_id
	CROSS JOIN LATERAL (SELECT count(*) AS alive, max(k.expires_at) AS expires
		FROM credential AS k WHERE k.client_id = c.id AND k.revoked_at IS NULL
		AND k.expires_at > statement_timestamp()) AS secrets;

CREATE VIEW signer_view AS
	SELECT s.kid, s.purpose, signer_state_at(s, statement_timestamp()) AS state,
		encode(s.sha256, 'hex') AS sha256, s.x5u, utc(s.created_at) AS created,
		utc(s.publish_at) AS published, utc(s.activate_at) AS active,
		utc(s.retire_at) AS retired, utc(s.remove_at) AS removed, s.chain
	FROM signer_certificate AS s;

CREATE VIEW policy_view AS
	SELECT p.version, utc(p.begins_at) AS begins, p.token_life::text AS token_life,
		p.optional_claims, coalesce(p.issuer, '') AS issuer, p.form_2017
	FROM policy AS p;

-- @account_id, @issued_at: to find and to sort by.  @claims: what is signed beside the x5u.
CREATE VIEW token_view AS
	SELECT t.jti, a.name AS account, c.name AS client, t.spc, t.ca::text AS ca,
		CASE t.form WHEN 1 THEN 'atc' ELSE '2017' END AS form,
		utc(t.issued_at) AS issued, utc(t.expires_at) AS expires, t.kid, t.fingerprint,
		t.tkvalue, t.optional_claims::text AS optional_claims, coalesce(t.iss, '') AS iss,
		s.x5u, t.credential_id::text AS credential, t.request_id,
		peer_text(t.peer) AS peer, t.account_id, t.issued_at, t.expires_at
	FROM token AS t
	LEFT JOIN account AS a ON a.id = t.account_id
	LEFT JOIN api_client AS c ON c.id = t.client_id
	LEFT JOIN signer_certificate AS s ON s.kid = t.kid;

CREATE VIEW refusal_view AS
	SELECT r.id, utc(r.refused_at) AS refused, c.name AS client, r.account, r.spc,
		verdict_name(r.verdict) AS verdict, r.defect::text AS defect, r.request_id,
		peer_text(r.peer) AS peer
	FROM token_refusal AS r LEFT JOIN api_client AS c ON c.id = r.client_id;

CREATE VIEW refusal_minute_view AS
	SELECT utc(m.minute) AS minute, coalesce(c.name, '') AS client,
		verdict_name(m.verdict) AS verdict, m.defect::text AS defect,
		sum(m.refused)::text AS refused
	FROM refusal_minute AS m LEFT JOIN api_client AS c ON c.id = m.client_id
	GROUP BY m.minute, c.name, m.verdict, m.defect;

CREATE VIEW audit_view AS
	SELECT e.id, utc(e.at) AS at, e.actor, e.action, e.subject, e.reason,
		e.evidence::text AS evidence, encode(e.hash, 'hex') AS hash
	FROM audit_event AS e;

GRANT USAGE ON SCHEMA stipa TO stipa_authority, stipa_portal, stipa_auditor;

GRANT EXECUTE ON FUNCTION issue_tokens, node_signer, issuing_state, schema_version,
	token_partitions_extend TO stipa_authority;

GRANT EXECUTE ON FUNCTION organisation_add, account_add, account_review, account_approve,
	account_refuse, account_suspend, account_reinstate, account_revoke, account_close,
	account_verify, account_token_life, alias_add, alias_remove, spc_assign, spc_verify,
	spc_withdraw, spc_transfer, delegation_grant, delegation_withdraw, client_add,
	client_rotate, client_disable, client_enable, policy_set TO stipa_portal;

GRANT EXECUTE ON FUNCTION signer_register, signer_retire, token_partitions_extend,
	refusals_prune, node_signer, issuing_state TO stipa_operator;

GRANT EXECUTE ON FUNCTION schema_version, utc, peer_text, verdict_name, signer_state_at
	TO stipa_portal, stipa_auditor;
GRANT EXECUTE ON FUNCTION audit_verify, audit_hash, audit_text TO stipa_auditor;

GRANT SELECT ON organisation, account, account_state, account_alias, spc_kind, spc_assignment,
	api_client, delegation, delegation_client, policy, signer_certificate,
	account_view, account_state_view, spc_view, delegation_view, client_view, signer_view,
	policy_view, token_view, refusal_view, refusal_minute_view, audit_view
	TO stipa_portal, stipa_auditor;
GRANT SELECT (id, client_id, created_at, expires_at, revoked_at) ON credential
	TO stipa_portal, stipa_auditor;
GRANT SELECT ON token, token_refusal, refusal_minute, audit_event TO stipa_auditor;
