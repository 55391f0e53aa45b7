-- What the migrations make, as pg_dump says it: to read and to review.  make schema

CREATE SCHEMA stipa;

ALTER SCHEMA stipa OWNER TO stipa_owner;

CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public;

COMMENT ON EXTENSION btree_gist IS 'support for indexing common datatypes in GiST';

CREATE TYPE stipa.refused_order AS (
	n bigint,
	client_id bigint,
	account text,
	spc text,
	verdict smallint,
	defect smallint,
	request_id text,
	peer bytea
);

ALTER TYPE stipa.refused_order OWNER TO stipa_owner;

CREATE TYPE stipa.token_proof AS (
	client_id bigint,
	credential_id bigint,
	client_key_id bigint,
	api_user_id bigint,
	ends_at timestamp with time zone,
	scopes smallint
);

ALTER TYPE stipa.token_proof OWNER TO stipa_owner;

CREATE FUNCTION stipa.account_add(actor text, reason text, account text, organisation text, legal_name text, verified_until timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $_$
#variable_conflict use_variable
DECLARE
	now timestamptz := act(actor, reason);
	holder organisation;
	made bigint;
BEGIN
	IF account IS NULL OR account !~ '^sp-[a-z0-9][a-z0-9-]{0,31}$' THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'account: must be sp- and 1 to 32 of a-z 0-9 -';
	END IF;
	PERFORM check_given('organisation', organisation);
	PERFORM check_ahead('verified_until', verified_until, now);
	SELECT o.* INTO holder FROM organisation AS o WHERE o.name = organisation;
	IF holder.id IS NULL THEN
		INSERT INTO organisation (name, legal_name, kinds, created_at)
		VALUES (organisation, coalesce(legal_name, organisation), '{sp}', now)
		RETURNING * INTO holder;
	ELSIF holder.legal_name <> legal_name THEN
		RAISE invalid_parameter_value USING MESSAGE =
			format('legal name: that of %s is %s', organisation, holder.legal_name);
	ELSIF NOT holder.kinds @> '{sp}' THEN
		UPDATE organisation AS o SET kinds = o.kinds || '{sp}' WHERE o.id = holder.id;
	END IF;
	INSERT INTO account (organisation_id, name, state, verified_until)
	VALUES (holder.id, account, 'applied', verified_until) RETURNING id INTO made;
	INSERT INTO account_state (account_id, state, since, actor, reason)
	VALUES (made, 'applied', now, actor, reason);
	PERFORM audit(now, actor, 'account_add', account, reason, jsonb_build_object(
		'organisation', holder.name, 'legal_name', holder.legal_name,
		'verified_until', verified_until));
END $_$;

ALTER FUNCTION stipa.account_add(actor text, reason text, account text, organisation text, legal_name text, verified_until timestamp with time zone) OWNER TO stipa_owner;

CREATE FUNCTION stipa.account_approve(actor text, reason text, account text, evidence text, verified_until timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	now timestamptz := act(actor, reason);
	present account := the_account(account);
	until timestamptz := coalesce(verified_until, present.verified_until);
BEGIN
	PERFORM check_given('evidence', evidence);
	PERFORM check_ahead('verified_until', until, now);
	IF present.state = 'applied' THEN
		PERFORM account_enter(now, actor, reason, account, '{applied}', 'in_review', NULL);
	END IF;
	PERFORM account_enter(now, actor, reason, account, '{in_review}', 'active', evidence);
	UPDATE account AS a SET verified_until = until WHERE a.id = present.id;
	PERFORM audit(now, actor, 'account_approve', account, reason, jsonb_build_object(
		'evidence', evidence, 'verified_until', until));
END $$;

ALTER FUNCTION stipa.account_approve(actor text, reason text, account text, evidence text, verified_until timestamp with time zone) OWNER TO stipa_owner;

CREATE FUNCTION stipa.account_close(actor text, reason text, account text) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
DECLARE
	now timestamptz := act_taking(actor, reason);
BEGIN
	PERFORM account_enter(now, actor, reason, account,
			      '{applied,in_review,active,suspended}', 'closed', NULL);
	PERFORM audit(now, actor, 'account_close', account, reason,
		      account_end(now, (the_account(account)).id));
	RETURN now;
END $$;

ALTER FUNCTION stipa.account_close(actor text, reason text, account text) OWNER TO stipa_owner;

CREATE FUNCTION stipa.account_end(now timestamp with time zone, account_id bigint) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	given_back text[];
BEGIN
	WITH ended AS (
		UPDATE spc_assignment AS h SET held_until = now
		WHERE h.account_id = account_id
		AND (h.held_until IS NULL OR h.held_until > now)
		RETURNING h.spc
	)
	SELECT array_agg(ended.spc ORDER BY ended.spc) INTO given_back FROM ended;
	UPDATE delegation AS d SET withdrawn_at = now
	WHERE d.account_id = account_id AND d.withdrawn_at IS NULL AND d.until_at > now;
	RETURN jsonb_build_object('spcs', given_back);
END $$;

ALTER FUNCTION stipa.account_end(now timestamp with time zone, account_id bigint) OWNER TO stipa_owner;

CREATE FUNCTION stipa.account_enter(now timestamp with time zone, actor text, reason text, name text, from_states text[], to_state text, evidence text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	present account := the_account(name);
BEGIN
	IF present.state <> ALL (from_states) THEN
		RAISE object_not_in_prerequisite_state
			USING MESSAGE = format('account %s is %s, not %s', name, present.state,
					       array_to_string(from_states, ' or '));
	END IF;
	UPDATE account AS a SET state = to_state WHERE a.id = present.id;
	INSERT INTO account_state (account_id, state, since, actor, reason, evidence)
	VALUES (present.id, to_state, now, actor, reason, evidence);
END $$;

ALTER FUNCTION stipa.account_enter(now timestamp with time zone, actor text, reason text, name text, from_states text[], to_state text, evidence text) OWNER TO stipa_owner;

CREATE FUNCTION stipa.account_refuse(actor text, reason text, account text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
DECLARE
	now timestamptz := act(actor, reason);
BEGIN
	PERFORM account_enter(now, actor, reason, account, '{applied,in_review}', 'refused', NULL);
	PERFORM audit(now, actor, 'account_refuse', account, reason, NULL);
END $$;

ALTER FUNCTION stipa.account_refuse(actor text, reason text, account text) OWNER TO stipa_owner;

CREATE FUNCTION stipa.account_reinstate(actor text, reason text, account text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
DECLARE
	now timestamptz := act(actor, reason);
BEGIN
	PERFORM account_enter(now, actor, reason, account, '{suspended}', 'active', NULL);
	PERFORM audit(now, actor, 'account_reinstate', account, reason, NULL);
END $$;

ALTER FUNCTION stipa.account_reinstate(actor text, reason text, account text) OWNER TO stipa_owner;

CREATE FUNCTION stipa.account_review(actor text, reason text, account text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
DECLARE
	now timestamptz := act(actor, reason);
BEGIN
	PERFORM account_enter(now, actor, reason, account, '{applied}', 'in_review', NULL);
	PERFORM audit(now, actor, 'account_review', account, reason, NULL);
END $$;

ALTER FUNCTION stipa.account_review(actor text, reason text, account text) OWNER TO stipa_owner;

CREATE FUNCTION stipa.account_revoke(actor text, reason text, account text) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
DECLARE
	now timestamptz := act_taking(actor, reason);
BEGIN
	PERFORM account_enter(now, actor, reason, account, '{active,suspended}', 'revoked', NULL);
	PERFORM audit(now, actor, 'account_revoke', account, reason,
		      account_end(now, (the_account(account)).id));
	RETURN now;
END $$;

ALTER FUNCTION stipa.account_revoke(actor text, reason text, account text) OWNER TO stipa_owner;

CREATE FUNCTION stipa.account_suspend(actor text, reason text, account text) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
DECLARE
	now timestamptz := act_taking(actor, reason);
BEGIN
	PERFORM account_enter(now, actor, reason, account, '{active}', 'suspended', NULL);
	PERFORM audit(now, actor, 'account_suspend', account, reason, NULL);
	RETURN now;
END $$;

ALTER FUNCTION stipa.account_suspend(actor text, reason text, account text) OWNER TO stipa_owner;

CREATE FUNCTION stipa.account_token_life(actor text, reason text, account text, token_life interval) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	now timestamptz := act_taking(actor, reason);
	present account := the_living_account(account);
BEGIN
	IF token_life NOT BETWEEN '10 min' AND '398 d' THEN
		RAISE invalid_parameter_value USING MESSAGE = 'token_life: 10 min to 398 d';
	END IF;
	UPDATE account AS a SET token_life = token_life WHERE a.id = present.id;
	PERFORM audit(now, actor, 'account_token_life', account, reason, jsonb_build_object(
		'token_life', token_life, 'before', present.token_life));
	RETURN now;
END $$;

ALTER FUNCTION stipa.account_token_life(actor text, reason text, account text, token_life interval) OWNER TO stipa_owner;

CREATE FUNCTION stipa.account_verify(actor text, reason text, account text, evidence text, verified_until timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	now timestamptz := act_taking(actor, reason);
	present account := the_living_account(account);
BEGIN
	PERFORM check_given('evidence', evidence);
	PERFORM check_given('verified_until', verified_until::text);
	UPDATE account AS a SET verified_until = verified_until WHERE a.id = present.id;
	PERFORM audit(now, actor, 'account_verify', account, reason, jsonb_build_object(
		'evidence', evidence, 'verified_until', verified_until,
		'before', present.verified_until));
	RETURN now;
END $$;

ALTER FUNCTION stipa.account_verify(actor text, reason text, account text, evidence text, verified_until timestamp with time zone) OWNER TO stipa_owner;

CREATE FUNCTION stipa.act(actor text, reason text) RETURNS timestamp with time zone
    LANGUAGE plpgsql
    SET search_path TO 'stipa', 'pg_temp'
    SET lock_timeout TO '10s'
    AS $$
BEGIN
	PERFORM check_given('actor', actor);
	PERFORM check_given('reason', reason);
	PERFORM check_session();
	PERFORM pg_advisory_xact_lock(audit_lock());
	RETURN clock_timestamp();
END $$;

ALTER FUNCTION stipa.act(actor text, reason text) OWNER TO stipa_owner;

CREATE FUNCTION stipa.act_taking(actor text, reason text) RETURNS timestamp with time zone
    LANGUAGE plpgsql
    SET search_path TO 'stipa', 'pg_temp'
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

ALTER FUNCTION stipa.act_taking(actor text, reason text) OWNER TO stipa_owner;

CREATE FUNCTION stipa.peer_text(peer bytea) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN (substr(peer, 1, 12) = '\x00000000000000000000ffff'::bytea) THEN concat_ws('.'::text, get_byte(peer, 12), get_byte(peer, 13), get_byte(peer, 14), get_byte(peer, 15)) ELSE host((regexp_replace(encode(peer, 'hex'::text), '(....)(?=.)'::text, '\1:'::text, 'g'::text))::inet) END;

ALTER FUNCTION stipa.peer_text(peer bytea) OWNER TO stipa_owner;

CREATE FUNCTION stipa.address_is_allowed(peer bytea, allowed cidr[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN (allowed IS NOT NULL) THEN COALESCE(((stipa.peer_text(peer))::inet <<= ANY ((allowed)::inet[])), false) ELSE NULL::boolean END;

ALTER FUNCTION stipa.address_is_allowed(peer bytea, allowed cidr[]) OWNER TO stipa_owner;

CREATE FUNCTION stipa.alias_add(actor text, reason text, account text, alias text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $_$
#variable_conflict use_variable
DECLARE
	now timestamptz := act(actor, reason);
	holder account := the_living_account(account);
BEGIN
	IF alias IS NULL OR alias !~ '^[A-Za-z0-9._~-]{1,63}$' OR alias ~ '^sp-' THEN
		RAISE invalid_parameter_value USING MESSAGE =
			'alias: must be 1 to 63 of A-Z a-z 0-9 . _ ~ -, and not begin with sp-';
	END IF;
	INSERT INTO account_alias (alias, account_id) VALUES (alias, holder.id);
	PERFORM audit(now, actor, 'alias_add', account, reason,
		      jsonb_build_object('alias', alias));
END $_$;

ALTER FUNCTION stipa.alias_add(actor text, reason text, account text, alias text) OWNER TO stipa_owner;

CREATE FUNCTION stipa.alias_remove(actor text, reason text, account text, alias text) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	now timestamptz := act_taking(actor, reason);
	holder account := the_account(account);
BEGIN
	DELETE FROM account_alias AS a WHERE a.alias = alias AND a.account_id = holder.id;
	IF NOT FOUND THEN
		RAISE no_data_found
			USING MESSAGE = format('account %s has no alias %s', account, alias);
	END IF;
	PERFORM audit(now, actor, 'alias_remove', account, reason,
		      jsonb_build_object('alias', alias));
	RETURN now;
END $$;

ALTER FUNCTION stipa.alias_remove(actor text, reason text, account text, alias text) OWNER TO stipa_owner;

CREATE FUNCTION stipa.api_user_add(actor text, reason text, client text, name text, digest bytea, hash text, secret_digest bytea DEFAULT NULL::bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $_$
#variable_conflict use_variable
DECLARE
	now timestamptz := act(actor, reason);
	present api_client := the_living_client(client);
BEGIN
	IF name IS NULL OR name !~ '^[A-Za-z0-9._@+-]{1,64}$' THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'user: must be 1 to 64 of A-Z a-z 0-9 . _ @ + -';
	END IF;
	PERFORM check_password(digest, hash, secret_digest);
	INSERT INTO api_user (client_id, name, digest, secret_digest, hash, created_at,
			      tokens_from)
	VALUES (present.id, name, digest, secret_digest, hash, now, now);
	PERFORM audit(now, actor, 'api_user_add', name, reason, jsonb_build_object(
		'client', client, 'password',
		CASE WHEN hash IS NULL THEN 'generated' ELSE 'chosen' END));
END $_$;

ALTER FUNCTION stipa.api_user_add(actor text, reason text, client text, name text, digest bytea, hash text, secret_digest bytea) OWNER TO stipa_owner;

CREATE FUNCTION stipa.api_user_disable(actor text, reason text, name text) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	now timestamptz := act_taking(actor, reason);
	present api_user := the_user(name);
BEGIN
	IF present.disabled_at IS NOT NULL THEN
		RAISE object_not_in_prerequisite_state
			USING MESSAGE = format('API user %s is disabled', name);
	END IF;
	UPDATE api_user AS u SET disabled_at = now, tokens_from = now WHERE u.id = present.id;
	PERFORM audit(now, actor, 'api_user_disable', name, reason, NULL);
	RETURN now;
END $$;

ALTER FUNCTION stipa.api_user_disable(actor text, reason text, name text) OWNER TO stipa_owner;

CREATE FUNCTION stipa.api_user_enable(actor text, reason text, name text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	now timestamptz := act(actor, reason);
	present api_user := the_user(name);
BEGIN
	IF present.disabled_at IS NULL THEN
		RAISE object_not_in_prerequisite_state
			USING MESSAGE = format('API user %s is not disabled', name);
	END IF;
	UPDATE api_user AS u SET disabled_at = NULL WHERE u.id = present.id;
	PERFORM audit(now, actor, 'api_user_enable', name, reason, NULL);
END $$;

ALTER FUNCTION stipa.api_user_enable(actor text, reason text, name text) OWNER TO stipa_owner;

CREATE FUNCTION stipa.api_user_rotate(actor text, reason text, name text, digest bytea, hash text, secret_digest bytea DEFAULT NULL::bytea) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	now timestamptz := act_taking(actor, reason);
	present api_user := the_user(name);
BEGIN
	PERFORM check_password(digest, hash, secret_digest);
	UPDATE api_user AS u SET digest = digest, secret_digest = secret_digest, hash = hash,
		tokens_from = now
	WHERE u.id = present.id;
	PERFORM audit(now, actor, 'api_user_rotate', name, reason, jsonb_build_object(
		'password', CASE WHEN hash IS NULL THEN 'generated' ELSE 'chosen' END));
	RETURN now;
END $$;

ALTER FUNCTION stipa.api_user_rotate(actor text, reason text, name text, digest bytea, hash text, secret_digest bytea) OWNER TO stipa_owner;

CREATE FUNCTION stipa.is_digest(given bytea) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    RETURN ((length(given) = 32) AND (given <> decode(repeat('00'::text, 32), 'hex'::text)));

ALTER FUNCTION stipa.is_digest(given bytea) OWNER TO stipa_owner;

CREATE FUNCTION stipa.are_digests(given bytea[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    RETURN (SELECT COALESCE(bool_and(COALESCE(stipa.is_digest(one.one), false)), false) AS "coalesce" FROM unnest(are_digests.given) one(one));

ALTER FUNCTION stipa.are_digests(given bytea[]) OWNER TO stipa_owner;

CREATE FUNCTION stipa.audit(at timestamp with time zone, actor text, action text, subject text, reason text, evidence jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'stipa', 'pg_temp'
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

ALTER FUNCTION stipa.audit(at timestamp with time zone, actor text, action text, subject text, reason text, evidence jsonb) OWNER TO stipa_owner;

CREATE FUNCTION stipa.audit_text(member text) RETURNS bytea
    LANGUAGE sql IMMUTABLE
    RETURN (int4send(octet_length(member)) || convert_to(member, 'UTF8'::name));

ALTER FUNCTION stipa.audit_text(member text) OWNER TO stipa_owner;

CREATE TABLE stipa.audit_event (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    reason text NOT NULL,
    evidence jsonb NOT NULL,
    previous bytea NOT NULL,
    hash bytea NOT NULL
);

ALTER TABLE stipa.audit_event OWNER TO stipa_owner;

CREATE FUNCTION stipa.audit_hash(event stipa.audit_event) RETURNS bytea
    LANGUAGE sql STABLE
    RETURN sha256(((((((((event).previous || int8send((event).id)) || timestamptz_send((event).at)) || stipa.audit_text((event).actor)) || stipa.audit_text((event).action)) || stipa.audit_text((event).subject)) || stipa.audit_text((event).reason)) || stipa.audit_text(((event).evidence)::text)));

ALTER FUNCTION stipa.audit_hash(event stipa.audit_event) OWNER TO stipa_owner;

CREATE FUNCTION stipa.audit_lock() RETURNS bigint
    LANGUAGE sql IMMUTABLE
    RETURN 1398032705;

ALTER FUNCTION stipa.audit_lock() OWNER TO stipa_owner;

CREATE FUNCTION stipa.audit_verify(known_id bigint DEFAULT NULL::bigint, known_hash bytea DEFAULT NULL::bytea) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
	WITH events AS (
		SELECT coalesce(id, 0) AS id, hash IS NULL OR hash IS DISTINCT FROM audit_hash(e)
			OR id IS DISTINCT FROM row_number() OVER chain
			OR previous IS DISTINCT FROM coalesce(lag(hash) OVER chain,
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
		WHERE e.hash IS DISTINCT FROM h.hash
		UNION ALL
		SELECT known_id WHERE known_id IS NOT NULL AND known_hash IS DISTINCT FROM
			(SELECT e.hash FROM audit_event AS e WHERE e.id = known_id)) AS found;
$$;

ALTER FUNCTION stipa.audit_verify(known_id bigint, known_hash bytea) OWNER TO stipa_owner;

CREATE FUNCTION stipa.authenticate(now timestamp with time zone, methods smallint[], digests bytea[], clients text[], kids text[], assertion_jtis text[], assertion_exps bigint[], peers bytea[]) RETURNS TABLE(n bigint, verdict smallint, client_id bigint, credential_id bigint, client_key_id bigint, api_user_id bigint, ends_at timestamp with time zone, scopes smallint, client text, account text)
    LANGUAGE plpgsql
    SET search_path TO 'stipa', 'pg_temp'
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

ALTER FUNCTION stipa.authenticate(now timestamp with time zone, methods smallint[], digests bytea[], clients text[], kids text[], assertion_jtis text[], assertion_exps bigint[], peers bytea[]) OWNER TO stipa_owner;

CREATE FUNCTION stipa.check_ahead(what text, given timestamp with time zone, now timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
	IF given IS NULL OR given <= now THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('%s: must be a time ahead', what);
	END IF;
END $$;

ALTER FUNCTION stipa.check_ahead(what text, given timestamp with time zone, now timestamp with time zone) OWNER TO stipa_owner;

CREATE FUNCTION stipa.check_columns() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
DECLARE
	given jsonb := to_jsonb(new);
BEGIN
	FOR i IN 0 .. tg_nargs / 3 - 1 LOOP
		IF given ->> tg_argv[3 * i] !~ tg_argv[3 * i + 1] THEN
			RAISE invalid_parameter_value USING
				MESSAGE = format('%s: %s', tg_argv[3 * i], tg_argv[3 * i + 2]);
		END IF;
	END LOOP;
	RETURN new;
END $$;

ALTER FUNCTION stipa.check_columns() OWNER TO stipa_owner;

CREATE FUNCTION stipa.check_digest(what text, given bytea) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
BEGIN
	IF is_digest(given) IS NOT TRUE THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('%s: must be a SHA-256', what);
	END IF;
END $$;

ALTER FUNCTION stipa.check_digest(what text, given bytea) OWNER TO stipa_owner;

CREATE FUNCTION stipa.check_given(what text, given text) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
	IF given IS NULL OR btrim(given) = '' THEN
		RAISE invalid_parameter_value USING MESSAGE = format('%s: must not be empty', what);
	END IF;
END $$;

ALTER FUNCTION stipa.check_given(what text, given text) OWNER TO stipa_owner;

CREATE FUNCTION stipa.check_password(digest bytea, hash text, secret_digest bytea) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'stipa', 'pg_temp'
    AS $_$
BEGIN
	IF (digest IS NULL) = (hash IS NULL) THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'password: either a digest or a hash';
	ELSIF hash IS NOT NULL AND secret_digest IS NOT NULL THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'secret_digest: of a password that was made here';
	ELSIF hash !~ ('^\$argon2id\$v=19\$m=[1-9][0-9]{3,4},t=[1-5],p=[1-4]'
			'\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}$')
	      OR substring(hash FROM 'm=([0-9]+)')::numeric NOT BETWEEN 7168 AND 65536
	      OR length(hash) > 255 THEN
		RAISE invalid_parameter_value USING MESSAGE =
			'hash: must be argon2id, version 19, m 7168 to 65536, t 1 to 5, p 1 to 4';
	END IF;
	IF digest IS NOT NULL THEN
		PERFORM check_digest('digest', digest);
	END IF;
	IF secret_digest IS NOT NULL THEN
		PERFORM check_digest('secret_digest', secret_digest);
	END IF;
END $_$;

ALTER FUNCTION stipa.check_password(digest bytea, hash text, secret_digest bytea) OWNER TO stipa_owner;

CREATE FUNCTION stipa.check_session() RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
	IF current_setting('transaction_isolation') <> 'read committed' THEN
		RAISE object_not_in_prerequisite_state USING MESSAGE = format(
			'transaction isolation is %s: rights are judged under read committed only',
			current_setting('transaction_isolation'));
	END IF;
	IF current_setting('synchronous_commit') IN ('off', 'local') THEN
		RAISE object_not_in_prerequisite_state USING MESSAGE = format(
			'synchronous_commit is %s: what is acknowledged must be durable',
			current_setting('synchronous_commit'));
	END IF;
END $$;

ALTER FUNCTION stipa.check_session() OWNER TO stipa_owner;

CREATE FUNCTION stipa.client_add(actor text, reason text, account text, client text, digest bytea, expires timestamp with time zone, secret_digest bytea DEFAULT NULL::bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $_$
#variable_conflict use_variable
DECLARE
	now timestamptz := act(actor, reason);
	holder account := the_living_account(account);
	made bigint;
BEGIN
	IF client IS NULL OR client !~ '^[A-Za-z0-9_-]{3,64}$' THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'client: must be 3 to 64 of A-Z a-z 0-9 _ -';
	END IF;
	INSERT INTO api_client (account_id, name, created_at)
	VALUES (holder.id, client, now) RETURNING id INTO made;
	PERFORM credential_add(now, made, digest, expires, secret_digest);
	PERFORM audit(now, actor, 'client_add', client, reason,
		      jsonb_build_object('account', account, 'expires', expires));
END $_$;

ALTER FUNCTION stipa.client_add(actor text, reason text, account text, client text, digest bytea, expires timestamp with time zone, secret_digest bytea) OWNER TO stipa_owner;

CREATE FUNCTION stipa.client_allow(actor text, reason text, client text, cidrs text[]) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	now timestamptz := act_taking(actor, reason);
	present api_client := the_client(client);
	range text;
	ranges cidr[];
BEGIN
	FOREACH range IN ARRAY coalesce(cidrs, '{}') LOOP
		BEGIN
			ranges := ranges || range::cidr;
		EXCEPTION WHEN invalid_text_representation THEN
			RAISE invalid_parameter_value USING MESSAGE = format(
				'addresses: %s is no address and no range, as 192.0.2.0/24 and '
				'2001:db8::/32 are', range);
		END;
		IF range::cidr <<= '::ffff:0:0/96'::cidr OR range IS NULL THEN
			RAISE invalid_parameter_value USING MESSAGE = format(
				'addresses: write %s as one of IPv4', range);
		END IF;
	END LOOP;
	IF cardinality(ranges) > 64 THEN
		RAISE invalid_parameter_value USING MESSAGE = 'addresses: at most 64 ranges';
	END IF;
	UPDATE api_client AS c SET allowed = ranges WHERE c.id = present.id;
	PERFORM audit(now, actor, 'client_allow', client, reason, jsonb_build_object(
		'allowed', ranges::text[], 'before', present.allowed::text[]));
	RETURN now;
END $$;

ALTER FUNCTION stipa.client_allow(actor text, reason text, client text, cidrs text[]) OWNER TO stipa_owner;

CREATE FUNCTION stipa.client_disable(actor text, reason text, client text) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	now timestamptz := act_taking(actor, reason);
	present api_client := the_client(client);
BEGIN
	IF present.disabled_at IS NOT NULL THEN
		RAISE object_not_in_prerequisite_state
			USING MESSAGE = format('client %s is disabled', client);
	END IF;
	UPDATE api_client AS c SET disabled_at = now WHERE c.id = present.id;
	PERFORM audit(now, actor, 'client_disable', client, reason, NULL);
	RETURN now;
END $$;

ALTER FUNCTION stipa.client_disable(actor text, reason text, client text) OWNER TO stipa_owner;

CREATE FUNCTION stipa.client_enable(actor text, reason text, client text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	now timestamptz := act(actor, reason);
	present api_client := the_client(client);
BEGIN
	IF present.disabled_at IS NULL THEN
		RAISE object_not_in_prerequisite_state
			USING MESSAGE = format('client %s is not disabled', client);
	END IF;
	UPDATE api_client AS c SET disabled_at = NULL WHERE c.id = present.id;
	PERFORM audit(now, actor, 'client_enable', client, reason, NULL);
END $$;

ALTER FUNCTION stipa.client_enable(actor text, reason text, client text) OWNER TO stipa_owner;

CREATE FUNCTION stipa.client_key(client text, kid text) RETURNS bytea
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
	SELECT k.spki FROM api_client AS c JOIN client_key AS k ON k.client_id = c.id
	WHERE c.name = client_key.client AND k.kid = client_key.kid AND k.removed_at IS NULL;
$$;

ALTER FUNCTION stipa.client_key(client text, kid text) OWNER TO stipa_owner;

CREATE FUNCTION stipa.client_key_add(actor text, reason text, client text, kid text, spki bytea, expires timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $_$
#variable_conflict use_variable
DECLARE
	now timestamptz := act(actor, reason);
	present api_client := the_living_client(client);
BEGIN
	PERFORM check_ahead('expires', expires, now);
	IF kid IS NULL OR kid !~ '^[A-Za-z0-9._~:=+/-]{1,64}$' THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'kid: must be 1 to 64 of A-Z a-z 0-9 . _ ~ : = + / -';
	ELSIF spki IS NULL OR length(spki) <> 91 OR substr(spki, 1, 27)
	      <> '\x3059301306072a8648ce3d020106082a8648ce3d03010703420004' THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'key: must be a public key on P-256 (SPKI, DER)';
	ELSIF EXISTS (SELECT FROM client_key AS k
		      WHERE k.client_id = present.id AND k.kid = kid) THEN
		RAISE unique_violation USING MESSAGE = format(
			'client %s has or had a key %s: choose another kid', client, kid);
	END IF;
	INSERT INTO client_key (client_id, kid, spki, created_at, expires_at)
	VALUES (present.id, kid, spki, now, expires);
	PERFORM audit(now, actor, 'client_key_add', client, reason, jsonb_build_object(
		'kid', kid, 'sha256', encode(sha256(spki), 'hex'), 'expires', expires));
END $_$;

ALTER FUNCTION stipa.client_key_add(actor text, reason text, client text, kid text, spki bytea, expires timestamp with time zone) OWNER TO stipa_owner;

CREATE FUNCTION stipa.client_key_remove(actor text, reason text, client text, kid text) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	now timestamptz := act_taking(actor, reason);
	present api_client := the_client(client);
BEGIN
	UPDATE client_key AS k SET removed_at = now
	WHERE k.client_id = present.id AND k.kid = kid AND k.removed_at IS NULL;
	IF NOT FOUND THEN
		RAISE no_data_found
			USING MESSAGE = format('client %s has no key %s', client, kid);
	END IF;
	PERFORM audit(now, actor, 'client_key_remove', client, reason,
		      jsonb_build_object('kid', kid));
	RETURN now;
END $$;

ALTER FUNCTION stipa.client_key_remove(actor text, reason text, client text, kid text) OWNER TO stipa_owner;

CREATE FUNCTION stipa.client_keys(clients text[], kids text[]) RETURNS TABLE(n bigint, kid text, spki bytea)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
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

ALTER FUNCTION stipa.client_keys(clients text[], kids text[]) OWNER TO stipa_owner;

CREATE FUNCTION stipa.client_pin(actor text, reason text, client text, fingerprints bytea[]) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	now timestamptz := act_taking(actor, reason);
	present api_client := the_client(client);
	pins bytea[] := nullif(fingerprints, '{}');
	written text[] := ARRAY(SELECT encode(f, 'hex') FROM unnest(fingerprints) AS f);
BEGIN
	IF pins IS NOT NULL AND NOT are_digests(pins) THEN
		RAISE invalid_parameter_value USING MESSAGE = 'fingerprints: 32 bytes each';
	ELSIF cardinality(pins) > 64 THEN
		RAISE invalid_parameter_value USING MESSAGE = 'fingerprints: at most 64';
	END IF;
	UPDATE api_client AS c SET pinned = pins WHERE c.id = present.id;
	PERFORM audit(now, actor, 'client_pin', client, reason, jsonb_build_object(
		'pinned', written, 'before',
		ARRAY(SELECT encode(f, 'hex') FROM unnest(present.pinned) AS f)));
	RETURN now;
END $$;

ALTER FUNCTION stipa.client_pin(actor text, reason text, client text, fingerprints bytea[]) OWNER TO stipa_owner;

CREATE FUNCTION stipa.client_rotate(actor text, reason text, client text, digest bytea, expires timestamp with time zone, keep_old_until timestamp with time zone DEFAULT NULL::timestamp with time zone, secret_digest bytea DEFAULT NULL::bytea) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	now timestamptz := act_taking(actor, reason);
	present api_client := the_client(client);
	kept bigint;
BEGIN
	IF keep_old_until IS NOT NULL THEN
		PERFORM check_ahead('keep_old_until', keep_old_until, now);
		SELECT c.id INTO kept FROM credential AS c
		WHERE c.client_id = present.id AND c.revoked_at IS NULL AND c.expires_at > now
		ORDER BY c.id DESC LIMIT 1;
	END IF;
	PERFORM credential_add(now, present.id, digest, expires, secret_digest);
	UPDATE credential AS c SET expires_at = least(c.expires_at, keep_old_until)
	WHERE c.id = kept;
	UPDATE credential AS c SET digest = NULL, secret_digest = NULL, revoked_at = now
	WHERE c.client_id = present.id AND c.revoked_at IS NULL
	AND c.id IS DISTINCT FROM kept AND c.digest <> digest;
	PERFORM audit(now, actor, 'client_rotate', client, reason, jsonb_build_object(
		'expires', expires, 'keep_old_until', keep_old_until));
	RETURN now;
END $$;

ALTER FUNCTION stipa.client_rotate(actor text, reason text, client text, digest bytea, expires timestamp with time zone, keep_old_until timestamp with time zone, secret_digest bytea) OWNER TO stipa_owner;

CREATE FUNCTION stipa.client_scopes(actor text, reason text, client text, scopes smallint) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	now timestamptz := act_taking(actor, reason);
	present api_client := the_client(client);
BEGIN
	IF scopes IS NULL OR scopes NOT BETWEEN 0 AND 7 THEN
		RAISE invalid_parameter_value USING MESSAGE = 'scopes: 0 to 7';
	END IF;
	UPDATE api_client AS c SET scopes = scopes WHERE c.id = present.id;
	PERFORM audit(now, actor, 'client_scopes', client, reason, jsonb_build_object(
		'scopes', scopes, 'before', present.scopes));
	RETURN now;
END $$;

ALTER FUNCTION stipa.client_scopes(actor text, reason text, client text, scopes smallint) OWNER TO stipa_owner;

CREATE FUNCTION stipa.credential_add(now timestamp with time zone, client_id bigint, digest bytea, expires timestamp with time zone, secret_digest bytea) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
BEGIN
	PERFORM check_ahead('expires', expires, now);
	PERFORM check_digest('digest', digest);
	IF secret_digest IS NOT NULL THEN
		PERFORM check_digest('secret_digest', secret_digest);
	END IF;
	INSERT INTO credential (client_id, digest, secret_digest, created_at, expires_at)
	VALUES (client_id, digest, secret_digest, now, expires);
END $$;

ALTER FUNCTION stipa.credential_add(now timestamp with time zone, client_id bigint, digest bytea, expires timestamp with time zone, secret_digest bytea) OWNER TO stipa_owner;

CREATE FUNCTION stipa.delegation_grant(actor text, reason text, account text, spc text, sca text, cps_version text, evidence text, until timestamp with time zone, clients text[] DEFAULT NULL::text[]) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	now timestamptz := act(actor, reason);
	holder account := the_living_account(account);
	held spc_assignment := the_assignment(spc, now);
	missing text;
	made bigint;
BEGIN
	PERFORM check_given('sca', sca);
	PERFORM check_given('cps_version', cps_version);
	PERFORM check_given('evidence', evidence);
	PERFORM check_ahead('until', until, now);
	IF held.account_id <> holder.id THEN
		RAISE object_not_in_prerequisite_state
			USING MESSAGE = format('account %s does not hold the SPC %s', account, spc);
	ELSIF NOT EXISTS (SELECT FROM spc_kind AS k
			  WHERE k.name = held.kind AND k.uses @> '{ca}') THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('spc: a code of kind %s is not delegated', held.kind);
	ELSIF cardinality(clients) = 0 THEN
		RAISE invalid_parameter_value USING MESSAGE = 'clients: at least one, or all';
	END IF;
	SELECT wanted.name INTO missing FROM unnest(clients) AS wanted (name)
	WHERE NOT EXISTS (SELECT FROM api_client AS c
			  WHERE c.name = wanted.name AND c.account_id = holder.id) LIMIT 1;
	IF FOUND THEN
		RAISE no_data_found
			USING MESSAGE = format('account %s has no client %s', account, missing);
	END IF;
	INSERT INTO delegation (account_id, spc, sca, cps_version, evidence, granted_at, until_at,
				every_client)
	VALUES (holder.id, spc, sca, cps_version, evidence, now, until, clients IS NULL)
	RETURNING id INTO made;
	INSERT INTO delegation_client (delegation_id, client_id)
	SELECT made, c.id FROM api_client AS c WHERE c.name = ANY (clients);
	PERFORM audit(now, actor, 'delegation_grant', account, reason, jsonb_build_object(
		'delegation', made, 'spc', spc, 'sca', sca, 'cps_version', cps_version,
		'evidence', evidence, 'until', until, 'clients', clients));
	RETURN made;
END $$;

ALTER FUNCTION stipa.delegation_grant(actor text, reason text, account text, spc text, sca text, cps_version text, evidence text, until timestamp with time zone, clients text[]) OWNER TO stipa_owner;

CREATE FUNCTION stipa.delegation_withdraw(actor text, reason text, id bigint) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	now timestamptz := act_taking(actor, reason);
	present delegation;
	holder text;
BEGIN
	SELECT d.* INTO present FROM delegation AS d WHERE d.id = id;
	IF present.id IS NULL THEN
		RAISE no_data_found USING MESSAGE = format('no delegation %s', id);
	ELSIF present.withdrawn_at IS NOT NULL OR present.until_at <= now THEN
		RAISE object_not_in_prerequisite_state
			USING MESSAGE = format('delegation %s is over', id);
	END IF;
	UPDATE delegation AS d SET withdrawn_at = now WHERE d.id = id;
	SELECT a.name INTO holder FROM account AS a WHERE a.id = present.account_id;
	PERFORM audit(now, actor, 'delegation_withdraw', holder, reason, jsonb_build_object(
		'delegation', id, 'spc', present.spc, 'sca', present.sca));
	RETURN now;
END $$;

ALTER FUNCTION stipa.delegation_withdraw(actor text, reason text, id bigint) OWNER TO stipa_owner;

CREATE FUNCTION stipa.fingerprint_bytes(fingerprint text) RETURNS bytea
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN (fingerprint ~~ 'SHA256 %'::text) THEN decode(replace(substr(fingerprint, 8), ':'::text, ''::text), 'hex'::text) ELSE decode((translate(fingerprint, '-_'::text, '+/'::text) || '='::text), 'base64'::text) END;

ALTER FUNCTION stipa.fingerprint_bytes(fingerprint text) OWNER TO stipa_owner;

CREATE FUNCTION stipa.grant_tokens(node_clock timestamp with time zone, methods smallint[], digests bytea[], clients text[], kids text[], assertion_jtis text[], assertion_exps bigint[], asked_scopes smallint[], token_digests bytea[], peers bytea[], request_ids text[]) RETURNS TABLE(n bigint, verdict smallint, exp bigint, scopes smallint, client text, account text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
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

ALTER FUNCTION stipa.grant_tokens(node_clock timestamp with time zone, methods smallint[], digests bytea[], clients text[], kids text[], assertion_jtis text[], assertion_exps bigint[], asked_scopes smallint[], token_digests bytea[], peers bytea[], request_ids text[]) OWNER TO stipa_owner;

CREATE FUNCTION stipa.issue_tokens(kid text, node_clock timestamp with time zone, digests bytea[], accounts text[], spcs text[], tkvalues text[], fingerprints text[], cas boolean[], forms smallint[], defects smallint[], jtis uuid[], request_ids text[], peers bytea[], presented smallint[], dry_runs boolean[]) RETURNS TABLE(n bigint, verdict smallint, iat bigint, exp bigint, spc text, optional_claims smallint, iss text, account text, client text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
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

ALTER FUNCTION stipa.issue_tokens(kid text, node_clock timestamp with time zone, digests bytea[], accounts text[], spcs text[], tkvalues text[], fingerprints text[], cas boolean[], forms smallint[], defects smallint[], jtis uuid[], request_ids text[], peers bytea[], presented smallint[], dry_runs boolean[]) OWNER TO stipa_owner;

CREATE FUNCTION stipa.issuing_state(kid text, node_clock timestamp with time zone) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    SET "TimeZone" TO 'UTC'
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

ALTER FUNCTION stipa.issuing_state(kid text, node_clock timestamp with time zone) OWNER TO stipa_owner;

CREATE FUNCTION stipa.ledger_begin() RETURNS uuid
    LANGUAGE sql STABLE
    SET search_path TO 'stipa', 'pg_temp'
    AS $_$
	SELECT min(substring(pg_get_expr(c.relpartbound, c.oid)
		FROM $re$FROM \('([0-9a-f-]{36})'\)$re$))::uuid
	FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
	WHERE i.inhparent = 'stipa.token'::regclass;
$_$;

ALTER FUNCTION stipa.ledger_begin() OWNER TO stipa_owner;

CREATE FUNCTION stipa.lock_firmly(key bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'stipa', 'pg_temp'
    SET lock_timeout TO '2s'
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

ALTER FUNCTION stipa.lock_firmly(key bigint) OWNER TO stipa_owner;

CREATE FUNCTION stipa.lock_holders(key bigint) RETURNS TABLE(pid integer, xact text)
    LANGUAGE sql
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
	SELECT l.pid, l.virtualtransaction FROM pg_locks AS l
	WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
	AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
	AND l.classid = (key >> 32)::oid AND l.objid = (key & 4294967295)::oid
	AND l.pid <> pg_backend_pid();
$$;

ALTER FUNCTION stipa.lock_holders(key bigint) OWNER TO stipa_owner;

CREATE FUNCTION stipa.login_hash(users text[]) RETURNS TABLE(n bigint, hash text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
	SELECT o.n, u.hash FROM unnest(users) WITH ORDINALITY AS o (name, n)
	LEFT JOIN api_user AS u ON u.name = o.name AND u.disabled_at IS NULL ORDER BY o.n;
$$;

ALTER FUNCTION stipa.login_hash(users text[]) OWNER TO stipa_owner;

CREATE FUNCTION stipa.mark_accept(actor text, reason text, marked uuid) RETURNS TABLE(at timestamp with time zone, newest uuid, newest_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
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

ALTER FUNCTION stipa.mark_accept(actor text, reason text, marked uuid) OWNER TO stipa_owner;

CREATE FUNCTION stipa.mark_state(marked uuid, of_ledger uuid) RETURNS TABLE(ledger uuid, known boolean)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
	SELECT l.id, marked IS NULL
		OR EXISTS (SELECT FROM token AS t WHERE t.jti = marked)
		OR EXISTS (SELECT FROM mark_accepted AS a WHERE a.jti = marked)
		OR coalesce(of_ledger = l.id AND marked < ledger_begin(), false)
	FROM ledger AS l;
$$;

ALTER FUNCTION stipa.mark_state(marked uuid, of_ledger uuid) OWNER TO stipa_owner;

CREATE FUNCTION stipa.node_signer(kid text) RETURNS TABLE(x5u text, sha256 bytea, state text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
	SELECT s.x5u, s.sha256, signer_state_at(s, clock_timestamp())
	FROM signer_certificate AS s WHERE s.kid = node_signer.kid AND s.purpose = 'token';
$$;

ALTER FUNCTION stipa.node_signer(kid text) OWNER TO stipa_owner;

CREATE FUNCTION stipa.organisation_add(actor text, reason text, name text, legal_name text, kinds text[]) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	now timestamptz := act(actor, reason);
	made bigint;
BEGIN
	PERFORM check_given('name', name);
	PERFORM check_given('legal name', legal_name);
	IF coalesce(cardinality(kinds), 0) = 0 THEN
		RAISE invalid_parameter_value USING MESSAGE = 'kinds: at least one';
	END IF;
	INSERT INTO organisation (name, legal_name, kinds, created_at)
	VALUES (name, legal_name, kinds, now) RETURNING id INTO made;
	PERFORM audit(now, actor, 'organisation_add', name, reason,
		      jsonb_build_object('legal_name', legal_name, 'kinds', kinds));
	RETURN made;
END $$;

ALTER FUNCTION stipa.organisation_add(actor text, reason text, name text, legal_name text, kinds text[]) OWNER TO stipa_owner;

CREATE FUNCTION stipa.policy_set(actor text, reason text, token_life interval, optional_claims smallint, issuer text, form_2017 boolean, from_ timestamp with time zone, access_life interval DEFAULT NULL::interval) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	now timestamptz := act_taking(actor, reason);
	life interval := coalesce(access_life, (SELECT p.access_life FROM policy AS p
		WHERE p.begins_at <= coalesce(from_, now) ORDER BY p.begins_at DESC LIMIT 1));
	made int;
BEGIN
	IF from_ IS NOT NULL THEN
		PERFORM check_ahead('from', from_, now);
	END IF;
	IF token_life IS NULL OR token_life NOT BETWEEN '10 min' AND '398 d' THEN
		RAISE invalid_parameter_value USING MESSAGE = 'token_life: 10 min to 398 d';
	ELSIF optional_claims IS NULL OR optional_claims NOT BETWEEN 0 AND 7 THEN
		RAISE invalid_parameter_value USING MESSAGE = 'optional_claims: 0 to 7';
	ELSIF optional_claims & 1 = 1 AND issuer IS NULL THEN
		RAISE invalid_parameter_value USING MESSAGE = 'issuer: the claim iss needs one';
	ELSIF form_2017 IS NULL THEN
		RAISE invalid_parameter_value USING MESSAGE = 'form_2017: true or false';
	ELSIF life NOT BETWEEN '1 min' AND '1 h' THEN
		RAISE invalid_parameter_value USING MESSAGE = 'access_life: 1 min to 1 h';
	END IF;
	INSERT INTO policy (begins_at, token_life, optional_claims, issuer, form_2017,
			    access_life)
	VALUES (coalesce(from_, now), token_life, optional_claims, issuer, form_2017, life)
	RETURNING version INTO made;
	PERFORM audit(now, actor, 'policy_set', 'version ' || made, reason, jsonb_build_object(
		'from', coalesce(from_, now), 'token_life', token_life,
		'optional_claims', optional_claims, 'issuer', issuer, 'form_2017', form_2017,
		'access_life', life));
	RETURN made;
END $$;

ALTER FUNCTION stipa.policy_set(actor text, reason text, token_life interval, optional_claims smallint, issuer text, form_2017 boolean, from_ timestamp with time zone, access_life interval) OWNER TO stipa_owner;

CREATE FUNCTION stipa.refusals_kept() RETURNS interval
    LANGUAGE sql IMMUTABLE
    RETURN '1 year 1 mon'::interval;

ALTER FUNCTION stipa.refusals_kept() OWNER TO stipa_owner;

CREATE FUNCTION stipa.refusals_prune(at_most integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
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

ALTER FUNCTION stipa.refusals_prune(at_most integer) OWNER TO stipa_owner;

CREATE FUNCTION stipa.refusals_record(refused stipa.refused_order[], at timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'stipa', 'pg_temp'
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

ALTER FUNCTION stipa.refusals_record(refused stipa.refused_order[], at timestamp with time zone) OWNER TO stipa_owner;

CREATE FUNCTION stipa.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
	RAISE restrict_violation
		USING MESSAGE = format('%I is append-only: no %s', tg_table_name, tg_op);
END $$;

ALTER FUNCTION stipa.refuse_change() OWNER TO stipa_owner;

CREATE FUNCTION stipa.refuse_other_than_next() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
	IF new.one AND new.id = old.id + 1 THEN
		RETURN new;
	END IF;
	RAISE restrict_violation USING MESSAGE = 'audit_head goes on by one event at a time';
END $$;

ALTER FUNCTION stipa.refuse_other_than_next() OWNER TO stipa_owner;

CREATE FUNCTION stipa.report_access_token(now timestamp with time zone, digest bytea, request_id text, peer bytea) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	found access_token;
	client api_client;
BEGIN
	UPDATE access_token AS t SET revoked_at = now
	WHERE t.digest = digest AND t.revoked_at IS NULL AND t.expires_at > now
	RETURNING t.* INTO found;
	IF found.digest IS NULL THEN
		RETURN false;
	END IF;
	SELECT c.* INTO client FROM api_client AS c WHERE c.id = found.client_id;
	INSERT INTO notice (at, account_id, client_id, kind, detail, request_id)
	VALUES (now, client.account_id, client.id, 'access_token_reported', format(
		'an access token of client %s was reported as leaked and has been revoked: '
		'find out how it got out', client.name), request_id);
	PERFORM report_audit(now, 'access_token_reported', client.name, request_id, peer,
			     jsonb_build_object('got_by_request', found.request_id));
	RETURN true;
END $$;

ALTER FUNCTION stipa.report_access_token(now timestamp with time zone, digest bytea, request_id text, peer bytea) OWNER TO stipa_owner;

CREATE FUNCTION stipa.report_audit(now timestamp with time zone, action text, subject text, request_id text, peer bytea, evidence jsonb) RETURNS void
    LANGUAGE sql
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
	SELECT audit(now, 'report', action, subject, 'reported as leaked', evidence
		|| jsonb_build_object('request_id', request_id, 'peer', peer_text(peer)));
$$;

ALTER FUNCTION stipa.report_audit(now timestamp with time zone, action text, subject text, request_id text, peer bytea, evidence jsonb) OWNER TO stipa_owner;

CREATE FUNCTION stipa.report_credential(now timestamp with time zone, secret_digest bytea, request_id text, peer bytea) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	found credential;
	client api_client;
BEGIN
	SELECT c.* INTO found FROM credential AS c WHERE c.secret_digest = secret_digest;
	IF found.id IS NULL THEN
		RETURN false;
	END IF;
	SELECT c.* INTO client FROM api_client AS c WHERE c.id = found.client_id;
	UPDATE credential AS c SET digest = NULL, secret_digest = NULL, revoked_at = now
	WHERE c.id = found.id;
	INSERT INTO notice (at, account_id, client_id, kind, detail, request_id)
	VALUES (now, client.account_id, client.id, 'secret_reported', format(
		'a secret of client %s was reported as leaked and has been revoked: '
		'give the client a new one', client.name), request_id);
	PERFORM report_audit(now, 'secret_reported', client.name, request_id, peer,
			     jsonb_build_object('credential', found.id));
	RETURN true;
END $$;

ALTER FUNCTION stipa.report_credential(now timestamp with time zone, secret_digest bytea, request_id text, peer bytea) OWNER TO stipa_owner;

CREATE FUNCTION stipa.report_password(now timestamp with time zone, secret_digest bytea, request_id text, peer bytea) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	found api_user;
	client api_client;
BEGIN
	SELECT u.* INTO found FROM api_user AS u WHERE u.secret_digest = secret_digest;
	IF found.id IS NULL THEN
		RETURN false;
	END IF;
	SELECT c.* INTO client FROM api_client AS c WHERE c.id = found.client_id;
	UPDATE api_user AS u SET digest = NULL, secret_digest = NULL, tokens_from = now
	WHERE u.id = found.id;
	INSERT INTO notice (at, account_id, client_id, kind, detail, request_id)
	VALUES (now, client.account_id, client.id, 'password_reported', format(
		'the password of API user %s was reported as leaked and has been revoked: '
		'give the user a new one', found.name), request_id);
	PERFORM report_audit(now, 'password_reported', found.name, request_id, peer,
			     jsonb_build_object('client', client.name));
	RETURN true;
END $$;

ALTER FUNCTION stipa.report_password(now timestamp with time zone, secret_digest bytea, request_id text, peer bytea) OWNER TO stipa_owner;

CREATE FUNCTION stipa.report_secrets(secret_digests bytea[], token_digests bytea[], request_ids text[], peers bytea[]) RETURNS TABLE(n bigint, hit boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
#variable_conflict use_column
DECLARE
	now timestamptz;
	asked record;
BEGIN
	IF EXISTS (SELECT FROM unnest(secret_digests) AS o (digest)
		   JOIN credential AS c ON c.secret_digest = o.digest)
	   OR EXISTS (SELECT FROM unnest(secret_digests) AS o (digest)
		      JOIN api_user AS u ON u.secret_digest = o.digest)
	   OR EXISTS (SELECT FROM unnest(token_digests) AS o (digest)
		      JOIN access_token AS t ON t.digest = o.digest
		      WHERE t.revoked_at IS NULL AND t.expires_at > clock_timestamp()) THEN
		now := act_taking('report', 'reported as leaked');
	END IF;
	FOR asked IN
		SELECT o.* FROM unnest(secret_digests, token_digests, request_ids, peers)
			WITH ORDINALITY AS o (secret, token, request_id, peer, n) ORDER BY o.n
	LOOP
		n := asked.n;
		hit := now IS NOT NULL AND (
			report_credential(now, asked.secret, asked.request_id, asked.peer)
			OR report_password(now, asked.secret, asked.request_id, asked.peer)
			OR report_access_token(now, asked.token, asked.request_id, asked.peer));
		RETURN NEXT;
	END LOOP;
END $$;

ALTER FUNCTION stipa.report_secrets(secret_digests bytea[], token_digests bytea[], request_ids text[], peers bytea[]) OWNER TO stipa_owner;

CREATE FUNCTION stipa.revoke_tokens(methods smallint[], digests bytea[], clients text[], kids text[], assertion_jtis text[], assertion_exps bigint[], token_digests bytea[], peers bytea[]) RETURNS TABLE(n bigint, verdict smallint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
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

ALTER FUNCTION stipa.revoke_tokens(methods smallint[], digests bytea[], clients text[], kids text[], assertion_jtis text[], assertion_exps bigint[], token_digests bytea[], peers bytea[]) OWNER TO stipa_owner;

CREATE FUNCTION stipa.rights_lock() RETURNS bigint
    LANGUAGE sql IMMUTABLE
    RETURN 1398032708;

ALTER FUNCTION stipa.rights_lock() OWNER TO stipa_owner;

CREATE FUNCTION stipa.schema_version() RETURNS integer
    LANGUAGE sql IMMUTABLE
    RETURN 15;

ALTER FUNCTION stipa.schema_version() OWNER TO stipa_owner;

CREATE FUNCTION stipa.scopes_text(scopes smallint) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN concat_ws(' '::text, CASE WHEN (((scopes)::integer & 1) <> 0) THEN 'spc-token'::text ELSE NULL::text END, CASE WHEN (((scopes)::integer & 2) <> 0) THEN 'spc-token:ca'::text ELSE NULL::text END, CASE WHEN (((scopes)::integer & 4) <> 0) THEN 'revoke'::text ELSE NULL::text END);

ALTER FUNCTION stipa.scopes_text(scopes smallint) OWNER TO stipa_owner;

CREATE FUNCTION stipa.session_end(session integer) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
	PERFORM pg_terminate_backend(session);
EXCEPTION WHEN insufficient_privilege THEN
	RAISE WARNING 'session % is a superuser''s: not ended', session;
END $$;

ALTER FUNCTION stipa.session_end(session integer) OWNER TO stipa_owner;

CREATE FUNCTION stipa.signer_register(actor text, reason text, kid text, purpose text, certificate bytea, chain text, x5u text, publish_at timestamp with time zone, activate_at timestamp with time zone, retire_at timestamp with time zone, remove_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	now timestamptz := act(actor, reason);
BEGIN
	PERFORM check_given('kid', kid);
	PERFORM check_given('chain', chain);
	PERFORM check_ahead('retire_at', retire_at, now);
	IF get_byte(certificate || '\x00', 0) <> 48 THEN
		RAISE invalid_parameter_value USING MESSAGE = 'certificate: must be DER';
	ELSIF NOT publish_at <= activate_at OR NOT activate_at <= retire_at
	      OR NOT retire_at <= remove_at THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'times: published, active, retired, removed, in this order';
	END IF;
	INSERT INTO signer_certificate (kid, purpose, certificate, chain, x5u, created_at,
					publish_at, activate_at, retire_at, remove_at)
	VALUES (kid, purpose, certificate, chain, x5u, now,
		publish_at, activate_at, retire_at, remove_at);
	PERFORM audit(now, actor, 'signer_register', kid, reason, jsonb_build_object(
		'purpose', purpose, 'sha256', encode(sha256(certificate), 'hex'), 'x5u', x5u,
		'publish_at', publish_at, 'activate_at', activate_at, 'retire_at', retire_at,
		'remove_at', remove_at));
END $$;

ALTER FUNCTION stipa.signer_register(actor text, reason text, kid text, purpose text, certificate bytea, chain text, x5u text, publish_at timestamp with time zone, activate_at timestamp with time zone, retire_at timestamp with time zone, remove_at timestamp with time zone) OWNER TO stipa_owner;

CREATE FUNCTION stipa.signer_retire(actor text, reason text, kid text) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	now timestamptz := act_taking(actor, reason);
	present signer_certificate;
BEGIN
	SELECT s.* INTO present FROM signer_certificate AS s WHERE s.kid = kid;
	IF present.kid IS NULL THEN
		RAISE no_data_found USING MESSAGE = format('no signer %s', kid);
	ELSIF present.retire_at <= now THEN
		RAISE object_not_in_prerequisite_state USING
			MESSAGE = format('signer %s is %s', kid, signer_state_at(present, now));
	END IF;
	UPDATE signer_certificate AS s SET retire_at = now,
		activate_at = least(s.activate_at, now), publish_at = least(s.publish_at, now)
	WHERE s.kid = kid;
	PERFORM audit(now, actor, 'signer_retire', kid, reason, NULL);
	RETURN now;
END $$;

ALTER FUNCTION stipa.signer_retire(actor text, reason text, kid text) OWNER TO stipa_owner;

CREATE TABLE stipa.signer_certificate (
    kid text NOT NULL,
    purpose text NOT NULL,
    certificate bytea NOT NULL,
    sha256 bytea GENERATED ALWAYS AS (sha256(certificate)) STORED NOT NULL,
    chain text NOT NULL,
    x5u text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    publish_at timestamp with time zone NOT NULL,
    activate_at timestamp with time zone NOT NULL,
    retire_at timestamp with time zone NOT NULL,
    remove_at timestamp with time zone NOT NULL,
    CONSTRAINT signer_certificate_kid_check CHECK ((kid ~ '^[A-Za-z0-9._-]{1,63}$'::text)),
    CONSTRAINT signer_certificate_purpose_check CHECK ((purpose = ANY (ARRAY['root'::text, 'token'::text, 'list'::text, 'crl'::text]))),
    CONSTRAINT signer_certificate_times_check CHECK (((publish_at <= activate_at) AND (activate_at <= retire_at) AND (retire_at <= remove_at))),
    CONSTRAINT signer_certificate_x5u_check CHECK ((x5u ~ '^https://[!#-[\]-~]{1,255}$'::text))
);

ALTER TABLE stipa.signer_certificate OWNER TO stipa_owner;

CREATE FUNCTION stipa.signer_state_at(signer stipa.signer_certificate, moment timestamp with time zone) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN ((signer).remove_at <= moment) THEN 'removed'::text WHEN ((signer).retire_at <= moment) THEN 'retired'::text WHEN ((signer).activate_at <= moment) THEN 'active'::text WHEN ((signer).publish_at <= moment) THEN 'published'::text ELSE 'created'::text END;

ALTER FUNCTION stipa.signer_state_at(signer stipa.signer_certificate, moment timestamp with time zone) OWNER TO stipa_owner;

CREATE FUNCTION stipa.source_text(presented smallint, credential_id bigint, client_key_id bigint, api_user_id bigint) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
	SELECT CASE presented WHEN 1 THEN 'access token for ' ELSE '' END || coalesce(
		'secret ' || credential_id,
		'key ' || (SELECT k.kid FROM client_key AS k WHERE k.id = client_key_id),
		'user ' || (SELECT u.name FROM api_user AS u WHERE u.id = api_user_id));
$$;

ALTER FUNCTION stipa.source_text(presented smallint, credential_id bigint, client_key_id bigint, api_user_id bigint) OWNER TO stipa_owner;

CREATE FUNCTION stipa.spc_assign(actor text, reason text, account text, spc text, kind text DEFAULT 'OCN'::text, verified_until timestamp with time zone DEFAULT NULL::timestamp with time zone, evidence text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	now timestamptz := act(actor, reason);
	to_account account := the_living_account(account);
	rule spc_kind;
	holder text;
BEGIN
	SELECT k.* INTO rule FROM spc_kind AS k WHERE k.name = kind;
	IF rule.name IS NULL THEN
		RAISE no_data_found USING MESSAGE = format('no kind of SPC %s', kind);
	ELSIF spc IS NULL OR spc !~ rule.pattern THEN
		RAISE invalid_parameter_value
			USING MESSAGE = format('spc: %s is written %s', kind, rule.pattern);
	ELSIF NOT rule.uses @> '{token}' THEN
		RAISE invalid_parameter_value
			USING MESSAGE = format('spc: no token carries a code of kind %s', kind);
	ELSIF verified_until IS NOT NULL THEN
		PERFORM check_ahead('verified_until', verified_until, now);
	END IF;
	SELECT a.name INTO holder FROM spc_assignment AS h JOIN account AS a ON a.id = h.account_id
	WHERE (h.spc || '') = spc AND (h.held_until IS NULL OR h.held_until > now);
	IF FOUND THEN
		RAISE exclusion_violation
			USING MESSAGE = format('the SPC %s is held by %s', spc, holder);
	END IF;
	INSERT INTO spc_assignment (account_id, kind, spc, held_from, verified_until, evidence)
	VALUES (to_account.id, kind, spc, now, verified_until, evidence);
	PERFORM audit(now, actor, 'spc_assign', account, reason, jsonb_build_object(
		'spc', spc, 'kind', kind, 'verified_until', verified_until,
		'evidence', evidence));
END $$;

ALTER FUNCTION stipa.spc_assign(actor text, reason text, account text, spc text, kind text, verified_until timestamp with time zone, evidence text) OWNER TO stipa_owner;

CREATE TABLE stipa.spc_assignment (
    id bigint NOT NULL,
    account_id bigint NOT NULL,
    kind text NOT NULL,
    spc text NOT NULL,
    held_from timestamp with time zone NOT NULL,
    held_until timestamp with time zone,
    verified_until timestamp with time zone,
    evidence text,
    CONSTRAINT spc_assignment_period_check CHECK ((held_from < held_until)),
    CONSTRAINT spc_assignment_spc_check CHECK ((spc ~ '^[0-9A-Z]{1,16}$'::text))
);

ALTER TABLE stipa.spc_assignment OWNER TO stipa_owner;

CREATE FUNCTION stipa.spc_end(now timestamp with time zone, held stipa.spc_assignment) RETURNS void
    LANGUAGE sql
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
	UPDATE delegation AS d SET withdrawn_at = now
	WHERE d.account_id = held.account_id AND d.spc = held.spc
	AND d.withdrawn_at IS NULL AND d.until_at > now;
	UPDATE spc_assignment AS h SET held_until = now WHERE h.id = held.id;
$$;

ALTER FUNCTION stipa.spc_end(now timestamp with time zone, held stipa.spc_assignment) OWNER TO stipa_owner;

CREATE FUNCTION stipa.spc_transfer(actor text, reason text, spc text, to_account text, evidence text, verified_until timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	now timestamptz := act_taking(actor, reason);
	held spc_assignment := the_assignment(spc, now);
	receiver account := the_living_account(to_account);
	giver text := (SELECT a.name FROM account AS a WHERE a.id = held.account_id);
BEGIN
	PERFORM check_given('evidence', evidence);
	IF held.account_id = receiver.id THEN
		RAISE object_not_in_prerequisite_state
			USING MESSAGE = format('account %s holds the SPC %s', to_account, spc);
	ELSIF verified_until IS NOT NULL THEN
		PERFORM check_ahead('verified_until', verified_until, now);
	END IF;
	PERFORM spc_end(now, held);
	INSERT INTO spc_assignment (account_id, kind, spc, held_from, verified_until, evidence)
	VALUES (receiver.id, held.kind, spc, now, verified_until, evidence);
	PERFORM audit(now, actor, 'spc_transfer', to_account, reason, jsonb_build_object(
		'spc', spc, 'from', giver, 'evidence', evidence));
	RETURN now;
END $$;

ALTER FUNCTION stipa.spc_transfer(actor text, reason text, spc text, to_account text, evidence text, verified_until timestamp with time zone) OWNER TO stipa_owner;

CREATE FUNCTION stipa.spc_verify(actor text, reason text, account text, spc text, evidence text, verified_until timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	now timestamptz := act_taking(actor, reason);
	held spc_assignment := the_assignment_of(account, spc, now);
BEGIN
	PERFORM check_given('evidence', evidence);
	UPDATE spc_assignment AS h SET verified_until = verified_until WHERE h.id = held.id;
	PERFORM audit(now, actor, 'spc_verify', account, reason, jsonb_build_object(
		'spc', spc, 'evidence', evidence, 'verified_until', verified_until,
		'before', held.verified_until));
	RETURN now;
END $$;

ALTER FUNCTION stipa.spc_verify(actor text, reason text, account text, spc text, evidence text, verified_until timestamp with time zone) OWNER TO stipa_owner;

CREATE FUNCTION stipa.spc_withdraw(actor text, reason text, account text, spc text) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
DECLARE
	now timestamptz := act_taking(actor, reason);
	held spc_assignment := the_assignment_of(account, spc, now);
BEGIN
	PERFORM spc_end(now, held);
	PERFORM audit(now, actor, 'spc_withdraw', account, reason,
		      jsonb_build_object('spc', spc));
	RETURN now;
END $$;

ALTER FUNCTION stipa.spc_withdraw(actor text, reason text, account text, spc text) OWNER TO stipa_owner;

CREATE FUNCTION stipa.taking_lock() RETURNS bigint
    LANGUAGE sql IMMUTABLE
    RETURN 1398032724;

ALTER FUNCTION stipa.taking_lock() OWNER TO stipa_owner;

CREATE TABLE stipa.account (
    id bigint NOT NULL,
    organisation_id bigint NOT NULL,
    name text NOT NULL,
    state text NOT NULL,
    verified_until timestamp with time zone NOT NULL,
    token_life interval,
    CONSTRAINT account_name_check CHECK ((name ~ '^sp-[a-z0-9][a-z0-9-]{0,31}$'::text)),
    CONSTRAINT account_state_check CHECK ((state = ANY (ARRAY['applied'::text, 'in_review'::text, 'active'::text, 'refused'::text, 'suspended'::text, 'revoked'::text, 'closed'::text]))),
    CONSTRAINT account_token_life_check CHECK (((token_life >= '00:10:00'::interval) AND (token_life <= '398 days'::interval)))
);

ALTER TABLE stipa.account OWNER TO stipa_owner;

CREATE FUNCTION stipa.the_account(name text) RETURNS stipa.account
    LANGUAGE plpgsql STABLE
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	found account;
BEGIN
	SELECT a.* INTO found FROM account AS a WHERE a.name = name;
	IF found.id IS NULL THEN
		RAISE no_data_found USING MESSAGE = format('no account %s', name);
	END IF;
	RETURN found;
END $$;

ALTER FUNCTION stipa.the_account(name text) OWNER TO stipa_owner;

CREATE FUNCTION stipa.the_assignment(spc text, now timestamp with time zone) RETURNS stipa.spc_assignment
    LANGUAGE plpgsql STABLE
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	found spc_assignment;
BEGIN
	SELECT h.* INTO found FROM spc_assignment AS h
	WHERE (h.spc || '') = spc AND h.held_from <= now
	AND (h.held_until IS NULL OR h.held_until > now);
	IF found.id IS NULL THEN
		RAISE no_data_found USING MESSAGE = format('nobody holds the SPC %s', spc);
	END IF;
	RETURN found;
END $$;

ALTER FUNCTION stipa.the_assignment(spc text, now timestamp with time zone) OWNER TO stipa_owner;

CREATE FUNCTION stipa.the_assignment_of(account text, spc text, now timestamp with time zone) RETURNS stipa.spc_assignment
    LANGUAGE plpgsql STABLE
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
DECLARE
	holder account := the_account(account);
	held spc_assignment := the_assignment(spc, now);
BEGIN
	IF held.account_id <> holder.id THEN
		RAISE no_data_found
			USING MESSAGE = format('account %s does not hold the SPC %s', account, spc);
	END IF;
	RETURN held;
END $$;

ALTER FUNCTION stipa.the_assignment_of(account text, spc text, now timestamp with time zone) OWNER TO stipa_owner;

CREATE TABLE stipa.api_client (
    id bigint NOT NULL,
    account_id bigint NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    disabled_at timestamp with time zone,
    scopes smallint DEFAULT 7 NOT NULL,
    allowed cidr[],
    pinned bytea[],
    CONSTRAINT api_client_allowed_check CHECK ((cardinality(allowed) > 0)),
    CONSTRAINT api_client_name_check CHECK ((name ~ '^[A-Za-z0-9_-]{3,64}$'::text)),
    CONSTRAINT api_client_pinned_check CHECK (((pinned IS NULL) OR stipa.are_digests(pinned))),
    CONSTRAINT api_client_scopes_check CHECK (((scopes >= 0) AND (scopes <= 7)))
);

ALTER TABLE stipa.api_client OWNER TO stipa_owner;

CREATE FUNCTION stipa.the_client(name text) RETURNS stipa.api_client
    LANGUAGE plpgsql STABLE
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	found api_client;
BEGIN
	SELECT c.* INTO found FROM api_client AS c WHERE c.name = name;
	IF found.id IS NULL THEN
		RAISE no_data_found USING MESSAGE = format('no client %s', name);
	END IF;
	RETURN found;
END $$;

ALTER FUNCTION stipa.the_client(name text) OWNER TO stipa_owner;

CREATE FUNCTION stipa.the_living_account(name text) RETURNS stipa.account
    LANGUAGE plpgsql STABLE
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
DECLARE
	found account := the_account(name);
BEGIN
	IF found.state IN ('refused', 'revoked', 'closed') THEN
		RAISE object_not_in_prerequisite_state
			USING MESSAGE = format('account %s is %s', name, found.state);
	END IF;
	RETURN found;
END $$;

ALTER FUNCTION stipa.the_living_account(name text) OWNER TO stipa_owner;

CREATE FUNCTION stipa.the_living_client(name text) RETURNS stipa.api_client
    LANGUAGE plpgsql STABLE
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
DECLARE
	found api_client := the_client(name);
BEGIN
	PERFORM the_living_account((SELECT a.name FROM account AS a WHERE a.id = found.account_id));
	RETURN found;
END $$;

ALTER FUNCTION stipa.the_living_client(name text) OWNER TO stipa_owner;

CREATE TABLE stipa.api_user (
    id bigint NOT NULL,
    client_id bigint NOT NULL,
    name text NOT NULL,
    digest bytea,
    secret_digest bytea,
    hash text,
    created_at timestamp with time zone NOT NULL,
    tokens_from timestamp with time zone NOT NULL,
    disabled_at timestamp with time zone,
    CONSTRAINT api_user_digest_check CHECK (stipa.is_digest(digest)),
    CONSTRAINT api_user_hash_check CHECK (((length(hash) <= 255) AND (hash ~ '^\$argon2id\$v=19\$m=[1-9][0-9]{3,4},t=[1-5],p=[1-4]\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}$'::text) AND ((("substring"(hash, 'm=([0-9]+)'::text))::numeric >= (7168)::numeric) AND (("substring"(hash, 'm=([0-9]+)'::text))::numeric <= (65536)::numeric)))),
    CONSTRAINT api_user_name_check CHECK ((name ~ '^[A-Za-z0-9._@+-]{1,64}$'::text)),
    CONSTRAINT api_user_one_password_check CHECK (((digest IS NULL) OR (hash IS NULL))),
    CONSTRAINT api_user_secret_digest_check CHECK (stipa.is_digest(secret_digest)),
    CONSTRAINT api_user_secret_digest_of_check CHECK (((secret_digest IS NULL) OR (digest IS NOT NULL)))
);

ALTER TABLE stipa.api_user OWNER TO stipa_owner;

CREATE FUNCTION stipa.the_user(name text) RETURNS stipa.api_user
    LANGUAGE plpgsql STABLE
    SET search_path TO 'stipa', 'pg_temp'
    AS $$
#variable_conflict use_variable
DECLARE
	found api_user;
BEGIN
	SELECT u.* INTO found FROM api_user AS u WHERE u.name = name;
	IF found.id IS NULL THEN
		RAISE no_data_found USING MESSAGE = format('no API user %s', name);
	END IF;
	RETURN found;
END $$;

ALTER FUNCTION stipa.the_user(name text) OWNER TO stipa_owner;

CREATE FUNCTION stipa.token_partition(moment timestamp with time zone) RETURNS text
    LANGUAGE sql STABLE
    RETURN to_char((moment AT TIME ZONE 'UTC'::text), '"token_"YYYY_MM'::text);

ALTER FUNCTION stipa.token_partition(moment timestamp with time zone) OWNER TO stipa_owner;

CREATE FUNCTION stipa.token_partition_add(month timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'stipa', 'pg_temp'
    SET "TimeZone" TO 'UTC'
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

ALTER FUNCTION stipa.token_partition_add(month timestamp with time zone) OWNER TO stipa_owner;

CREATE TABLE stipa.token (
    jti uuid NOT NULL,
    account_id bigint NOT NULL,
    client_id bigint NOT NULL,
    credential_id bigint,
    spc text NOT NULL,
    tkvalue text NOT NULL,
    ca boolean NOT NULL,
    fingerprint text NOT NULL,
    form smallint NOT NULL,
    optional_claims smallint NOT NULL,
    iss text,
    kid text NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    request_id text NOT NULL,
    peer bytea NOT NULL,
    presented smallint DEFAULT 0 NOT NULL,
    client_key_id bigint,
    api_user_id bigint,
    CONSTRAINT token_2017_check CHECK (((form <> 2) OR ((tkvalue = ''::text) AND (NOT ca) AND (optional_claims = 0)))),
    CONSTRAINT token_atc_check CHECK (((form <> 1) OR (tkvalue <> ''::text))),
    CONSTRAINT token_fingerprint_check CHECK (((length(fingerprint) >= 43) AND (length(fingerprint) <= 103))),
    CONSTRAINT token_form_check CHECK ((form = ANY (ARRAY[1, 2]))),
    CONSTRAINT token_iss_check CHECK (((iss IS NOT NULL) = (((optional_claims)::integer & 1) = 1))),
    CONSTRAINT token_jti_check CHECK (((get_byte(uuid_send(jti), 6) >> 4) = 7)),
    CONSTRAINT token_life_check CHECK ((expires_at > issued_at)),
    CONSTRAINT token_peer_check CHECK ((length(peer) = 16)),
    CONSTRAINT token_presented_check CHECK ((presented = ANY (ARRAY[0, 1]))),
    CONSTRAINT token_source_check CHECK (((num_nonnulls(credential_id, client_key_id, api_user_id) = 1) AND ((presented = 1) OR (credential_id IS NOT NULL)))),
    CONSTRAINT token_spc_check CHECK (((length(spc) >= 1) AND (length(spc) <= 16))),
    CONSTRAINT token_whole_second_check CHECK ((expires_at = date_trunc('second'::text, expires_at)))
)
PARTITION BY RANGE (jti);

ALTER TABLE stipa.token OWNER TO stipa_owner;

CREATE FUNCTION stipa.token_partition_exists(moment timestamp with time zone) RETURNS boolean
    LANGUAGE sql STABLE
    RETURN (EXISTS (SELECT FROM pg_inherits WHERE ((pg_inherits.inhparent = ('stipa.token'::regclass)::oid) AND (pg_inherits.inhrelid = (to_regclass(('stipa.'::text || stipa.token_partition(token_partition_exists.moment))))::oid))));

ALTER FUNCTION stipa.token_partition_exists(moment timestamp with time zone) OWNER TO stipa_owner;

CREATE FUNCTION stipa.token_partitions_extend() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'stipa', 'pg_temp'
    SET "TimeZone" TO 'UTC'
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

ALTER FUNCTION stipa.token_partitions_extend() OWNER TO stipa_owner;

CREATE FUNCTION stipa.token_proofs(digests bytea[], presented smallint[]) RETURNS stipa.token_proof[]
    LANGUAGE plpgsql
    SET search_path TO 'stipa', 'pg_temp'
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

ALTER FUNCTION stipa.token_proofs(digests bytea[], presented smallint[]) OWNER TO stipa_owner;

CREATE FUNCTION stipa.utc(moment timestamp with time zone) RETURNS text
    LANGUAGE sql STABLE
    RETURN to_char((moment AT TIME ZONE 'UTC'::text), 'YYYY-MM-DD"T"HH24:MI:SS"Z"'::text);

ALTER FUNCTION stipa.utc(moment timestamp with time zone) OWNER TO stipa_owner;

CREATE FUNCTION stipa.uuid_from(moment timestamp with time zone) RETURNS uuid
    LANGUAGE sql STABLE
    RETURN ((lpad(to_hex((floor((EXTRACT(epoch FROM moment) * (1000)::numeric)))::bigint), 12, '0'::text) || repeat('0'::text, 20)))::uuid;

ALTER FUNCTION stipa.uuid_from(moment timestamp with time zone) OWNER TO stipa_owner;

CREATE FUNCTION stipa.verdict_name(verdict smallint) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN (ARRAY['issued'::text, 'stranger'::text, 'credential_expired'::text, 'client_disabled'::text, 'no_such_account'::text, 'account_not_active'::text, 'account_lapsed'::text, 'malformed'::text, 'form_not_permitted'::text, 'spc_ambiguous'::text, 'spc_not_held'::text, 'spc_lapsed'::text, 'no_delegation'::text, 'signer_not_active'::text, 'clock'::text, 'address_not_allowed'::text, 'fingerprint_not_pinned'::text, 'invalid_token'::text, 'insufficient_scope'::text, 'rate'::text, 'replayed'::text, 'scope_not_permitted'::text])[(verdict + 1)];

ALTER FUNCTION stipa.verdict_name(verdict smallint) OWNER TO stipa_owner;

CREATE TABLE stipa.access_token (
    digest bytea NOT NULL,
    client_id bigint NOT NULL,
    credential_id bigint,
    client_key_id bigint,
    api_user_id bigint,
    scopes smallint NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    request_id text NOT NULL,
    peer bytea NOT NULL,
    CONSTRAINT access_token_digest_check CHECK (stipa.is_digest(digest)),
    CONSTRAINT access_token_life_check CHECK (((expires_at > issued_at) AND (expires_at <= (issued_at + '01:00:00'::interval)))),
    CONSTRAINT access_token_peer_check CHECK ((length(peer) = 16)),
    CONSTRAINT access_token_scopes_check CHECK (((scopes >= 0) AND (scopes <= 7))),
    CONSTRAINT access_token_source_check CHECK ((num_nonnulls(credential_id, client_key_id, api_user_id) = 1))
)
WITH (autovacuum_vacuum_scale_factor='0.05');

ALTER TABLE stipa.access_token OWNER TO stipa_owner;

CREATE VIEW stipa.access_token_view AS
 SELECT c.name AS client,
    a.name AS account,
    stipa.scopes_text(t.scopes) AS scopes,
        CASE
            WHEN (t.revoked_at IS NOT NULL) THEN 'revoked'::text
            WHEN (t.expires_at <= statement_timestamp()) THEN 'expired'::text
            ELSE 'in use'::text
        END AS state,
    stipa.source_text((0)::smallint, t.credential_id, t.client_key_id, t.api_user_id) AS asked_by,
    stipa.utc(t.issued_at) AS issued,
    stipa.utc(t.expires_at) AS expires,
    COALESCE(stipa.utc(t.revoked_at), ''::text) AS revoked,
    t.request_id,
    stipa.peer_text(t.peer) AS peer,
    t.issued_at
   FROM ((stipa.access_token t
     LEFT JOIN stipa.api_client c ON ((c.id = t.client_id)))
     LEFT JOIN stipa.account a ON ((a.id = c.account_id)));

ALTER TABLE stipa.access_token_view OWNER TO stipa_owner;

CREATE TABLE stipa.account_alias (
    alias text NOT NULL,
    account_id bigint NOT NULL,
    CONSTRAINT account_alias_check CHECK (((alias ~ '^[A-Za-z0-9._~-]{1,63}$'::text) AND (alias !~ '^sp-'::text)))
);

ALTER TABLE stipa.account_alias OWNER TO stipa_owner;

ALTER TABLE stipa.account ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME stipa.account_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE stipa.account_state (
    id bigint NOT NULL,
    account_id bigint NOT NULL,
    state text NOT NULL,
    since timestamp with time zone NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    evidence text
);

ALTER TABLE stipa.account_state OWNER TO stipa_owner;

ALTER TABLE stipa.account_state ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME stipa.account_state_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW stipa.account_state_view AS
 SELECT a.name AS account,
    s.state,
    stipa.utc(s.since) AS since,
    s.actor,
    s.reason,
    COALESCE(s.evidence, ''::text) AS evidence,
    s.id
   FROM (stipa.account_state s
     JOIN stipa.account a ON ((a.id = s.account_id)));

ALTER TABLE stipa.account_state_view OWNER TO stipa_owner;

CREATE TABLE stipa.organisation (
    id bigint NOT NULL,
    name text NOT NULL,
    legal_name text NOT NULL,
    kinds text[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT organisation_kinds_check CHECK (((cardinality(kinds) > 0) AND (kinds <@ ARRAY['pa'::text, 'ga'::text, 'sp'::text, 'sti_ca'::text, 'sca'::text, 'partner'::text]))),
    CONSTRAINT organisation_legal_name_check CHECK ((legal_name ~ '^[^[:cntrl:]]{1,200}$'::text)),
    CONSTRAINT organisation_name_check CHECK ((name ~ '^[^[:cntrl:]]{1,200}$'::text))
);

ALTER TABLE stipa.organisation OWNER TO stipa_owner;

CREATE VIEW stipa.account_view AS
 SELECT a.name AS account,
    a.state,
    o.name AS organisation,
    o.legal_name,
    stipa.utc(h.since) AS since,
    h.actor,
    h.reason,
    stipa.utc(a.verified_until) AS verified_until,
    COALESCE((a.token_life)::text, 'policy'::text) AS token_life,
    COALESCE(( SELECT string_agg(s.spc, ','::text ORDER BY s.spc) AS string_agg
           FROM stipa.spc_assignment s
          WHERE ((s.account_id = a.id) AND ((s.held_until IS NULL) OR (s.held_until > statement_timestamp())))), ''::text) AS spcs,
    COALESCE(( SELECT string_agg(l.alias, ','::text ORDER BY l.alias) AS string_agg
           FROM stipa.account_alias l
          WHERE (l.account_id = a.id)), ''::text) AS aliases,
    COALESCE(( SELECT string_agg(c.name, ','::text ORDER BY c.name) AS string_agg
           FROM stipa.api_client c
          WHERE (c.account_id = a.id)), ''::text) AS clients
   FROM ((stipa.account a
     JOIN stipa.organisation o ON ((o.id = a.organisation_id)))
     CROSS JOIN LATERAL ( SELECT s.id,
            s.account_id,
            s.state,
            s.since,
            s.actor,
            s.reason,
            s.evidence
           FROM stipa.account_state s
          WHERE (s.account_id = a.id)
          ORDER BY s.id DESC
         LIMIT 1) h);

ALTER TABLE stipa.account_view OWNER TO stipa_owner;

ALTER TABLE stipa.api_client ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME stipa.api_client_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE stipa.api_user ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME stipa.api_user_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW stipa.api_user_view AS
 SELECT u.name AS "user",
    c.name AS client,
    a.name AS account,
        CASE
            WHEN (u.disabled_at IS NOT NULL) THEN 'disabled'::text
            WHEN ((u.digest IS NULL) AND (u.hash IS NULL)) THEN 'no password'::text
            ELSE 'enabled'::text
        END AS state,
        CASE
            WHEN (u.digest IS NOT NULL) THEN 'generated'::text
            WHEN (u.hash IS NOT NULL) THEN 'chosen'::text
            ELSE 'none'::text
        END AS password,
    stipa.utc(u.created_at) AS created,
    stipa.utc(u.tokens_from) AS changed,
    COALESCE(stipa.utc(u.disabled_at), ''::text) AS disabled
   FROM ((stipa.api_user u
     JOIN stipa.api_client c ON ((c.id = u.client_id)))
     JOIN stipa.account a ON ((a.id = c.account_id)));

ALTER TABLE stipa.api_user_view OWNER TO stipa_owner;

CREATE TABLE stipa.assertion_seen (
    client_id bigint NOT NULL,
    jti text NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT assertion_seen_jti_check CHECK (((length(jti) >= 1) AND (length(jti) <= 64)))
)
WITH (autovacuum_vacuum_scale_factor='0.05');

ALTER TABLE stipa.assertion_seen OWNER TO stipa_owner;

CREATE VIEW stipa.audit_export_view AS
 SELECT e.id,
    to_char((e.at AT TIME ZONE 'UTC'::text), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'::text) AS at,
    ((EXTRACT(epoch FROM (e.at - '2000-01-01 00:00:00+00'::timestamp with time zone)) * (1000000)::numeric))::bigint AS at_us,
    e.actor,
    e.action,
    e.subject,
    e.reason,
    (e.evidence)::text AS evidence,
    encode(e.previous, 'hex'::text) AS previous,
    encode(e.hash, 'hex'::text) AS hash
   FROM stipa.audit_event e;

ALTER TABLE stipa.audit_export_view OWNER TO stipa_owner;

CREATE TABLE stipa.audit_head (
    one boolean DEFAULT true NOT NULL,
    id bigint NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT audit_head_one_check CHECK (one)
);

ALTER TABLE stipa.audit_head OWNER TO stipa_owner;

CREATE VIEW stipa.audit_head_view AS
 SELECT h.id,
    encode(h.hash, 'hex'::text) AS hash
   FROM stipa.audit_head h;

ALTER TABLE stipa.audit_head_view OWNER TO stipa_owner;

CREATE VIEW stipa.audit_view AS
 SELECT e.id,
    stipa.utc(e.at) AS at,
    e.actor,
    e.action,
    e.subject,
    e.reason,
    (e.evidence)::text AS evidence,
    encode(e.hash, 'hex'::text) AS hash
   FROM stipa.audit_event e;

ALTER TABLE stipa.audit_view OWNER TO stipa_owner;

CREATE TABLE stipa.client_key (
    id bigint NOT NULL,
    client_id bigint NOT NULL,
    kid text NOT NULL,
    spki bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    removed_at timestamp with time zone,
    CONSTRAINT client_key_kid_check CHECK ((kid ~ '^[A-Za-z0-9._~:=+/-]{1,64}$'::text)),
    CONSTRAINT client_key_spki_check CHECK (((length(spki) = 91) AND (substr(spki, 1, 27) = '\x3059301306072a8648ce3d020106082a8648ce3d03010703420004'::bytea)))
);

ALTER TABLE stipa.client_key OWNER TO stipa_owner;

ALTER TABLE stipa.client_key ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME stipa.client_key_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW stipa.client_key_view AS
 SELECT c.name AS client,
    a.name AS account,
    k.kid,
        CASE
            WHEN (k.removed_at IS NOT NULL) THEN 'removed'::text
            WHEN (k.expires_at <= statement_timestamp()) THEN 'expired'::text
            ELSE 'in use'::text
        END AS state,
    stipa.utc(k.created_at) AS created,
    stipa.utc(k.expires_at) AS expires,
    COALESCE(stipa.utc(k.removed_at), ''::text) AS removed,
    encode(sha256(k.spki), 'hex'::text) AS sha256
   FROM ((stipa.client_key k
     JOIN stipa.api_client c ON ((c.id = k.client_id)))
     JOIN stipa.account a ON ((a.id = c.account_id)));

ALTER TABLE stipa.client_key_view OWNER TO stipa_owner;

CREATE TABLE stipa.credential (
    id bigint NOT NULL,
    client_id bigint NOT NULL,
    digest bytea,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    secret_digest bytea,
    CONSTRAINT credential_digest_check CHECK (((length(digest) = 32) AND (digest <> decode(repeat('00'::text, 32), 'hex'::text)))),
    CONSTRAINT credential_erased_check CHECK (((digest IS NULL) = (revoked_at IS NOT NULL))),
    CONSTRAINT credential_secret_digest_check CHECK (stipa.is_digest(secret_digest)),
    CONSTRAINT credential_secret_erased_check CHECK (((secret_digest IS NULL) OR (revoked_at IS NULL)))
);

ALTER TABLE stipa.credential OWNER TO stipa_owner;

CREATE VIEW stipa.client_view AS
 SELECT c.name AS client,
    a.name AS account,
        CASE
            WHEN (c.disabled_at IS NOT NULL) THEN 'disabled'::text
            WHEN (COALESCE(secrets.alive, (0)::bigint) = 0) THEN 'expired'::text
            ELSE 'enabled'::text
        END AS state,
    (COALESCE(secrets.alive, (0)::bigint))::text AS secrets,
    COALESCE(stipa.utc(secrets.expires), ''::text) AS expires,
    stipa.utc(c.created_at) AS created,
    COALESCE(stipa.utc(c.disabled_at), ''::text) AS disabled,
    stipa.scopes_text(c.scopes) AS scopes,
    COALESCE(array_to_string(c.allowed, ','::text), ''::text) AS allowed,
    COALESCE(( SELECT string_agg(encode(p.f, 'hex'::text), ','::text ORDER BY p.at) AS string_agg
           FROM unnest(c.pinned) WITH ORDINALITY p(f, at)), ''::text) AS pinned,
    COALESCE(( SELECT string_agg(k.kid, ','::text ORDER BY k.id) AS string_agg
           FROM stipa.client_key k
          WHERE ((k.client_id = c.id) AND (k.removed_at IS NULL) AND (k.expires_at > statement_timestamp()))), ''::text) AS keys,
    COALESCE(( SELECT string_agg(u.name, ','::text ORDER BY u.name) AS string_agg
           FROM stipa.api_user u
          WHERE (u.client_id = c.id)), ''::text) AS users
   FROM ((stipa.api_client c
     JOIN stipa.account a ON ((a.id = c.account_id)))
     CROSS JOIN LATERAL ( SELECT count(*) AS alive,
            max(k.expires_at) AS expires
           FROM stipa.credential k
          WHERE ((k.client_id = c.id) AND (k.revoked_at IS NULL) AND (k.expires_at > statement_timestamp()))) secrets);

ALTER TABLE stipa.client_view OWNER TO stipa_owner;

ALTER TABLE stipa.credential ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME stipa.credential_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE stipa.delegation (
    id bigint NOT NULL,
    account_id bigint NOT NULL,
    spc text NOT NULL,
    sca text NOT NULL,
    cps_version text NOT NULL,
    evidence text NOT NULL,
    granted_at timestamp with time zone NOT NULL,
    until_at timestamp with time zone NOT NULL,
    withdrawn_at timestamp with time zone,
    every_client boolean NOT NULL,
    CONSTRAINT delegation_cps_version_check CHECK ((cps_version ~ '^[^[:cntrl:]]{1,200}$'::text)),
    CONSTRAINT delegation_period_check CHECK ((granted_at < until_at)),
    CONSTRAINT delegation_sca_check CHECK ((sca ~ '^[^[:cntrl:]]{1,200}$'::text))
);

ALTER TABLE stipa.delegation OWNER TO stipa_owner;

CREATE TABLE stipa.delegation_client (
    delegation_id bigint NOT NULL,
    client_id bigint NOT NULL
);

ALTER TABLE stipa.delegation_client OWNER TO stipa_owner;

ALTER TABLE stipa.delegation ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME stipa.delegation_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW stipa.delegation_view AS
 SELECT d.id,
    a.name AS account,
    d.spc,
        CASE
            WHEN (d.withdrawn_at IS NOT NULL) THEN 'withdrawn'::text
            WHEN (d.until_at <= statement_timestamp()) THEN 'ended'::text
            ELSE 'in force'::text
        END AS state,
    d.sca,
    d.cps_version,
    d.evidence,
    stipa.utc(d.granted_at) AS granted,
    stipa.utc(LEAST(d.until_at, d.withdrawn_at)) AS until,
        CASE
            WHEN d.every_client THEN 'all'::text
            ELSE ( SELECT string_agg(c.name, ','::text ORDER BY c.name) AS string_agg
               FROM (stipa.delegation_client dc
                 JOIN stipa.api_client c ON ((c.id = dc.client_id)))
              WHERE (dc.delegation_id = d.id))
        END AS clients
   FROM (stipa.delegation d
     JOIN stipa.account a ON ((a.id = d.account_id)));

ALTER TABLE stipa.delegation_view OWNER TO stipa_owner;

CREATE TABLE stipa.ledger (
    one boolean DEFAULT true NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    made_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ledger_one_check CHECK (one)
);

ALTER TABLE stipa.ledger OWNER TO stipa_owner;

CREATE TABLE stipa.mark_accepted (
    jti uuid NOT NULL,
    accepted_at timestamp with time zone NOT NULL
);

ALTER TABLE stipa.mark_accepted OWNER TO stipa_owner;

CREATE TABLE stipa.notice (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    account_id bigint NOT NULL,
    client_id bigint,
    kind text NOT NULL,
    detail text NOT NULL,
    request_id text NOT NULL,
    CONSTRAINT notice_kind_check CHECK ((kind = ANY (ARRAY['secret_reported'::text, 'password_reported'::text, 'access_token_reported'::text])))
);

ALTER TABLE stipa.notice OWNER TO stipa_owner;

ALTER TABLE stipa.notice ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME stipa.notice_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW stipa.notice_view AS
 SELECT n.id,
    stipa.utc(n.at) AS at,
    a.name AS account,
    COALESCE(c.name, ''::text) AS client,
    n.kind,
    n.detail,
    n.request_id
   FROM ((stipa.notice n
     JOIN stipa.account a ON ((a.id = n.account_id)))
     LEFT JOIN stipa.api_client c ON ((c.id = n.client_id)));

ALTER TABLE stipa.notice_view OWNER TO stipa_owner;

ALTER TABLE stipa.organisation ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME stipa.organisation_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE stipa.policy (
    version integer NOT NULL,
    begins_at timestamp with time zone NOT NULL,
    token_life interval NOT NULL,
    optional_claims smallint NOT NULL,
    issuer text,
    form_2017 boolean NOT NULL,
    access_life interval DEFAULT '01:00:00'::interval NOT NULL,
    CONSTRAINT policy_access_life_check CHECK (((access_life >= '00:01:00'::interval) AND (access_life <= '01:00:00'::interval))),
    CONSTRAINT policy_iss_check CHECK (((((optional_claims)::integer & 1) = 0) OR (issuer IS NOT NULL))),
    CONSTRAINT policy_issuer_check CHECK ((issuer ~ '^[!#-[\]-~]{1,255}$'::text)),
    CONSTRAINT policy_optional_claims_check CHECK (((optional_claims >= 0) AND (optional_claims <= 7))),
    CONSTRAINT policy_token_life_check CHECK (((token_life >= '00:10:00'::interval) AND (token_life <= '398 days'::interval)))
);

ALTER TABLE stipa.policy OWNER TO stipa_owner;

ALTER TABLE stipa.policy ALTER COLUMN version ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME stipa.policy_version_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW stipa.policy_view AS
 SELECT p.version,
    stipa.utc(p.begins_at) AS begins,
    (p.token_life)::text AS token_life,
    p.optional_claims,
    COALESCE(p.issuer, ''::text) AS issuer,
    p.form_2017,
    (p.access_life)::text AS access_life
   FROM stipa.policy p;

ALTER TABLE stipa.policy_view OWNER TO stipa_owner;

CREATE TABLE stipa.refusal_minute (
    minute timestamp with time zone NOT NULL,
    backend integer NOT NULL,
    client_id bigint NOT NULL,
    verdict smallint NOT NULL,
    defect smallint NOT NULL,
    refused bigint NOT NULL
);

ALTER TABLE stipa.refusal_minute OWNER TO stipa_owner;

CREATE VIEW stipa.refusal_minute_view AS
 SELECT stipa.utc(m.minute) AS minute,
    COALESCE(c.name, ''::text) AS client,
    stipa.verdict_name(m.verdict) AS verdict,
    (m.defect)::text AS defect,
    (sum(m.refused))::text AS refused
   FROM (stipa.refusal_minute m
     LEFT JOIN stipa.api_client c ON ((c.id = m.client_id)))
  GROUP BY m.minute, c.name, m.verdict, m.defect;

ALTER TABLE stipa.refusal_minute_view OWNER TO stipa_owner;

CREATE TABLE stipa.token_refusal (
    id bigint NOT NULL,
    refused_at timestamp with time zone NOT NULL,
    client_id bigint NOT NULL,
    account text NOT NULL,
    spc text NOT NULL,
    verdict smallint NOT NULL,
    defect smallint NOT NULL,
    request_id text NOT NULL,
    peer bytea NOT NULL,
    asked smallint DEFAULT 1 NOT NULL
);

ALTER TABLE stipa.token_refusal OWNER TO stipa_owner;

CREATE VIEW stipa.refusal_view AS
 SELECT r.id,
    stipa.utc(r.refused_at) AS refused,
    c.name AS client,
    r.account,
    r.spc,
    stipa.verdict_name(r.verdict) AS verdict,
    (r.defect)::text AS defect,
    r.request_id,
    stipa.peer_text(r.peer) AS peer
   FROM (stipa.token_refusal r
     LEFT JOIN stipa.api_client c ON ((c.id = r.client_id)));

ALTER TABLE stipa.refusal_view OWNER TO stipa_owner;

CREATE VIEW stipa.request_view AS
 SELECT t.request_id,
    'token'::text AS kind,
    stipa.utc(t.issued_at) AS at,
    c.name AS client,
    a.name AS account,
    t.spc,
    'issued'::text AS verdict,
    '0'::text AS defect,
    (t.jti)::text AS jti,
    stipa.source_text(t.presented, t.credential_id, t.client_key_id, t.api_user_id) AS asked_by,
    stipa.peer_text(t.peer) AS peer,
    t.issued_at AS at_time
   FROM ((stipa.token t
     LEFT JOIN stipa.account a ON ((a.id = t.account_id)))
     LEFT JOIN stipa.api_client c ON ((c.id = t.client_id)))
UNION ALL
 SELECT r.request_id,
    'refusal'::text AS kind,
    stipa.utc(r.refused_at) AS at,
    c.name AS client,
    r.account,
    r.spc,
    stipa.verdict_name(r.verdict) AS verdict,
    (r.defect)::text AS defect,
    ''::text AS jti,
        CASE r.asked
            WHEN 1 THEN 'token request'::text
            ELSE 'login or grant'::text
        END AS asked_by,
    stipa.peer_text(r.peer) AS peer,
    r.refused_at AS at_time
   FROM (stipa.token_refusal r
     LEFT JOIN stipa.api_client c ON ((c.id = r.client_id)))
UNION ALL
 SELECT t.request_id,
    'access token'::text AS kind,
    stipa.utc(t.issued_at) AS at,
    c.name AS client,
    a.name AS account,
    ''::text AS spc,
    'granted'::text AS verdict,
    '0'::text AS defect,
    ''::text AS jti,
    stipa.source_text((0)::smallint, t.credential_id, t.client_key_id, t.api_user_id) AS asked_by,
    stipa.peer_text(t.peer) AS peer,
    t.issued_at AS at_time
   FROM ((stipa.access_token t
     LEFT JOIN stipa.api_client c ON ((c.id = t.client_id)))
     LEFT JOIN stipa.account a ON ((a.id = c.account_id)));

ALTER TABLE stipa.request_view OWNER TO stipa_owner;

CREATE VIEW stipa.signer_view AS
 SELECT s.kid,
    s.purpose,
    stipa.signer_state_at(s.*, statement_timestamp()) AS state,
    encode(s.sha256, 'hex'::text) AS sha256,
    s.x5u,
    stipa.utc(s.created_at) AS created,
    stipa.utc(s.publish_at) AS published,
    stipa.utc(s.activate_at) AS active,
    stipa.utc(s.retire_at) AS retired,
    stipa.utc(s.remove_at) AS removed,
    s.chain
   FROM stipa.signer_certificate s;

ALTER TABLE stipa.signer_view OWNER TO stipa_owner;

ALTER TABLE stipa.spc_assignment ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME stipa.spc_assignment_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE stipa.spc_kind (
    name text NOT NULL,
    pattern text NOT NULL,
    uses text[] NOT NULL,
    about text NOT NULL,
    CONSTRAINT spc_kind_uses_check CHECK ((uses <@ ARRAY['token'::text, 'ca'::text]))
);

ALTER TABLE stipa.spc_kind OWNER TO stipa_owner;

CREATE VIEW stipa.spc_view AS
 SELECT h.spc,
    h.kind,
    a.name AS account,
        CASE
            WHEN (h.held_until <= statement_timestamp()) THEN 'ended'::text
            WHEN (h.verified_until <= statement_timestamp()) THEN 'lapsed'::text
            ELSE 'held'::text
        END AS state,
    stipa.utc(h.held_from) AS held_from,
    COALESCE(stipa.utc(h.held_until), ''::text) AS held_until,
    COALESCE(stipa.utc(h.verified_until), ''::text) AS verified_until,
    COALESCE(h.evidence, ''::text) AS evidence
   FROM (stipa.spc_assignment h
     JOIN stipa.account a ON ((a.id = h.account_id)));

ALTER TABLE stipa.spc_view OWNER TO stipa_owner;

ALTER TABLE stipa.token_refusal ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME stipa.token_refusal_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW stipa.token_view AS
 SELECT t.jti,
    a.name AS account,
    c.name AS client,
    t.spc,
    (t.ca)::text AS ca,
        CASE t.form
            WHEN 1 THEN 'atc'::text
            ELSE '2017'::text
        END AS form,
    stipa.utc(t.issued_at) AS issued,
    stipa.utc(t.expires_at) AS expires,
    t.kid,
    t.fingerprint,
    t.tkvalue,
    (t.optional_claims)::text AS optional_claims,
    COALESCE(t.iss, ''::text) AS iss,
    s.x5u,
    (t.credential_id)::text AS credential,
    t.request_id,
    stipa.peer_text(t.peer) AS peer,
    t.account_id,
    t.issued_at,
    t.expires_at,
    stipa.source_text(t.presented, t.credential_id, t.client_key_id, t.api_user_id) AS asked_by
   FROM (((stipa.token t
     LEFT JOIN stipa.account a ON ((a.id = t.account_id)))
     LEFT JOIN stipa.api_client c ON ((c.id = t.client_id)))
     LEFT JOIN stipa.signer_certificate s ON ((s.kid = t.kid)));

ALTER TABLE stipa.token_view OWNER TO stipa_owner;

ALTER TABLE ONLY stipa.access_token
    ADD CONSTRAINT access_token_pkey PRIMARY KEY (digest);

ALTER TABLE ONLY stipa.account_alias
    ADD CONSTRAINT account_alias_pkey PRIMARY KEY (alias);

ALTER TABLE ONLY stipa.account
    ADD CONSTRAINT account_name_key UNIQUE (name);

ALTER TABLE ONLY stipa.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);

ALTER TABLE ONLY stipa.account_state
    ADD CONSTRAINT account_state_pkey PRIMARY KEY (id);

ALTER TABLE ONLY stipa.api_client
    ADD CONSTRAINT api_client_name_key UNIQUE (name);

ALTER TABLE ONLY stipa.api_client
    ADD CONSTRAINT api_client_pkey PRIMARY KEY (id);

ALTER TABLE ONLY stipa.api_user
    ADD CONSTRAINT api_user_digest_key UNIQUE (digest);

ALTER TABLE ONLY stipa.api_user
    ADD CONSTRAINT api_user_name_key UNIQUE (name);

ALTER TABLE ONLY stipa.api_user
    ADD CONSTRAINT api_user_pkey PRIMARY KEY (id);

ALTER TABLE ONLY stipa.api_user
    ADD CONSTRAINT api_user_secret_digest_key UNIQUE (secret_digest);

ALTER TABLE ONLY stipa.assertion_seen
    ADD CONSTRAINT assertion_seen_pkey PRIMARY KEY (client_id, jti);

ALTER TABLE ONLY stipa.audit_event
    ADD CONSTRAINT audit_event_pkey PRIMARY KEY (id);

ALTER TABLE ONLY stipa.audit_head
    ADD CONSTRAINT audit_head_pkey PRIMARY KEY (one);

ALTER TABLE ONLY stipa.client_key
    ADD CONSTRAINT client_key_client_kid_key UNIQUE (client_id, kid);

ALTER TABLE ONLY stipa.client_key
    ADD CONSTRAINT client_key_pkey PRIMARY KEY (id);

ALTER TABLE ONLY stipa.credential
    ADD CONSTRAINT credential_digest_key UNIQUE (digest);

ALTER TABLE ONLY stipa.credential
    ADD CONSTRAINT credential_pkey PRIMARY KEY (id);

ALTER TABLE ONLY stipa.credential
    ADD CONSTRAINT credential_secret_digest_key UNIQUE (secret_digest);

ALTER TABLE ONLY stipa.delegation_client
    ADD CONSTRAINT delegation_client_pkey PRIMARY KEY (delegation_id, client_id);

ALTER TABLE ONLY stipa.delegation
    ADD CONSTRAINT delegation_pkey PRIMARY KEY (id);

ALTER TABLE ONLY stipa.ledger
    ADD CONSTRAINT ledger_pkey PRIMARY KEY (one);

ALTER TABLE ONLY stipa.mark_accepted
    ADD CONSTRAINT mark_accepted_pkey PRIMARY KEY (jti);

ALTER TABLE ONLY stipa.notice
    ADD CONSTRAINT notice_pkey PRIMARY KEY (id);

ALTER TABLE ONLY stipa.organisation
    ADD CONSTRAINT organisation_name_key UNIQUE (name);

ALTER TABLE ONLY stipa.organisation
    ADD CONSTRAINT organisation_pkey PRIMARY KEY (id);

ALTER TABLE ONLY stipa.policy
    ADD CONSTRAINT policy_begins_at_key UNIQUE (begins_at);

ALTER TABLE ONLY stipa.policy
    ADD CONSTRAINT policy_pkey PRIMARY KEY (version);

ALTER TABLE ONLY stipa.refusal_minute
    ADD CONSTRAINT refusal_minute_pkey PRIMARY KEY (minute, backend, client_id, verdict, defect);

ALTER TABLE ONLY stipa.signer_certificate
    ADD CONSTRAINT signer_certificate_pkey PRIMARY KEY (kid);

ALTER TABLE ONLY stipa.signer_certificate
    ADD CONSTRAINT signer_certificate_sha256_key UNIQUE (sha256);

ALTER TABLE ONLY stipa.spc_assignment
    ADD CONSTRAINT spc_assignment_one_holder EXCLUDE USING gist (((spc || ''::text)) WITH =, tstzrange(held_from, held_until) WITH &&);

ALTER TABLE ONLY stipa.spc_assignment
    ADD CONSTRAINT spc_assignment_pkey PRIMARY KEY (id);

ALTER TABLE ONLY stipa.spc_kind
    ADD CONSTRAINT spc_kind_pkey PRIMARY KEY (name);

ALTER TABLE ONLY stipa.token
    ADD CONSTRAINT token_pkey PRIMARY KEY (jti);

ALTER TABLE ONLY stipa.token_refusal
    ADD CONSTRAINT token_refusal_pkey PRIMARY KEY (id);

CREATE INDEX access_token_expires_at ON stipa.access_token USING btree (expires_at);

CREATE INDEX account_alias_account ON stipa.account_alias USING btree (account_id);

CREATE INDEX account_organisation ON stipa.account USING btree (organisation_id);

CREATE INDEX account_state_account ON stipa.account_state USING btree (account_id, id);

CREATE INDEX api_client_account ON stipa.api_client USING btree (account_id);

CREATE INDEX api_user_client ON stipa.api_user USING btree (client_id);

CREATE INDEX assertion_seen_expires_at ON stipa.assertion_seen USING btree (expires_at);

CREATE INDEX audit_event_subject ON stipa.audit_event USING btree (subject, id);

CREATE INDEX credential_client ON stipa.credential USING btree (client_id);

CREATE INDEX delegation_account_spc ON stipa.delegation USING btree (account_id, spc);

CREATE INDEX notice_account ON stipa.notice USING btree (account_id, id);

CREATE INDEX spc_assignment_account_spc ON stipa.spc_assignment USING btree (account_id, spc);

CREATE INDEX token_account_jti ON ONLY stipa.token USING btree (account_id, jti);

CREATE INDEX token_refusal_client ON stipa.token_refusal USING btree (client_id, id);

CREATE INDEX token_refusal_refused_at ON stipa.token_refusal USING btree (refused_at);

CREATE INDEX token_refusal_request ON stipa.token_refusal USING btree (request_id);

CREATE INDEX token_request ON ONLY stipa.token USING btree (request_id);

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON stipa.audit_event FOR EACH ROW EXECUTE FUNCTION stipa.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE ON stipa.audit_head FOR EACH ROW EXECUTE FUNCTION stipa.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON stipa.ledger FOR EACH ROW EXECUTE FUNCTION stipa.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON stipa.mark_accepted FOR EACH ROW EXECUTE FUNCTION stipa.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON stipa.token FOR EACH ROW EXECUTE FUNCTION stipa.refuse_change();

CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON stipa.audit_event FOR EACH STATEMENT EXECUTE FUNCTION stipa.refuse_change();

CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON stipa.audit_head FOR EACH STATEMENT EXECUTE FUNCTION stipa.refuse_change();

CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON stipa.ledger FOR EACH STATEMENT EXECUTE FUNCTION stipa.refuse_change();

CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON stipa.mark_accepted FOR EACH STATEMENT EXECUTE FUNCTION stipa.refuse_change();

CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON stipa.token FOR EACH STATEMENT EXECUTE FUNCTION stipa.refuse_change();

CREATE TRIGGER next_only BEFORE UPDATE ON stipa.audit_head FOR EACH ROW EXECUTE FUNCTION stipa.refuse_other_than_next();

CREATE TRIGGER rules BEFORE INSERT OR UPDATE ON stipa.delegation FOR EACH ROW EXECUTE FUNCTION stipa.check_columns('sca', '^[^[:cntrl:]]{1,200}$', 'must be 1 to 200 characters in one line', 'cps_version', '^[^[:cntrl:]]{1,200}$', 'must be 1 to 200 characters in one line');

CREATE TRIGGER rules BEFORE INSERT OR UPDATE ON stipa.organisation FOR EACH ROW EXECUTE FUNCTION stipa.check_columns('name', '^[^[:cntrl:]]{1,200}$', 'must be 1 to 200 characters in one line', 'legal_name', '^[^[:cntrl:]]{1,200}$', 'must be 1 to 200 characters in one line', 'kinds', '^\[("(pa|ga|sp|sti_ca|sca|partner)"(, )?)+\]$', 'must be of pa, ga, sp, sti_ca, sca and partner');

CREATE TRIGGER rules BEFORE INSERT OR UPDATE ON stipa.policy FOR EACH ROW EXECUTE FUNCTION stipa.check_columns('issuer', '^[!#-[\]-~]{1,255}$', 'must be 1 to 255 printable ASCII characters but space, " and \');

CREATE TRIGGER rules BEFORE INSERT OR UPDATE ON stipa.signer_certificate FOR EACH ROW EXECUTE FUNCTION stipa.check_columns('kid', '^[A-Za-z0-9._-]{1,63}$', 'must be 1 to 63 of A-Z a-z 0-9 . _ -', 'purpose', '^(root|token|list|crl)$', 'must be root, token, list or crl', 'x5u', '^https://[!#-[\]-~]{1,255}$', 'must be an https URL of at most 263 characters');

ALTER TABLE ONLY stipa.account_alias
    ADD CONSTRAINT account_alias_account_fkey FOREIGN KEY (account_id) REFERENCES stipa.account(id);

ALTER TABLE ONLY stipa.account
    ADD CONSTRAINT account_organisation_fkey FOREIGN KEY (organisation_id) REFERENCES stipa.organisation(id);

ALTER TABLE ONLY stipa.account_state
    ADD CONSTRAINT account_state_account_fkey FOREIGN KEY (account_id) REFERENCES stipa.account(id);

ALTER TABLE ONLY stipa.api_client
    ADD CONSTRAINT api_client_account_fkey FOREIGN KEY (account_id) REFERENCES stipa.account(id);

ALTER TABLE ONLY stipa.api_user
    ADD CONSTRAINT api_user_client_fkey FOREIGN KEY (client_id) REFERENCES stipa.api_client(id);

ALTER TABLE ONLY stipa.client_key
    ADD CONSTRAINT client_key_client_fkey FOREIGN KEY (client_id) REFERENCES stipa.api_client(id);

ALTER TABLE ONLY stipa.credential
    ADD CONSTRAINT credential_client_fkey FOREIGN KEY (client_id) REFERENCES stipa.api_client(id);

ALTER TABLE ONLY stipa.delegation
    ADD CONSTRAINT delegation_account_fkey FOREIGN KEY (account_id) REFERENCES stipa.account(id);

ALTER TABLE ONLY stipa.delegation_client
    ADD CONSTRAINT delegation_client_client_fkey FOREIGN KEY (client_id) REFERENCES stipa.api_client(id);

ALTER TABLE ONLY stipa.delegation_client
    ADD CONSTRAINT delegation_client_delegation_fkey FOREIGN KEY (delegation_id) REFERENCES stipa.delegation(id);

ALTER TABLE ONLY stipa.notice
    ADD CONSTRAINT notice_account_fkey FOREIGN KEY (account_id) REFERENCES stipa.account(id);

ALTER TABLE ONLY stipa.notice
    ADD CONSTRAINT notice_client_fkey FOREIGN KEY (client_id) REFERENCES stipa.api_client(id);

ALTER TABLE ONLY stipa.spc_assignment
    ADD CONSTRAINT spc_assignment_account_fkey FOREIGN KEY (account_id) REFERENCES stipa.account(id);

ALTER TABLE ONLY stipa.spc_assignment
    ADD CONSTRAINT spc_assignment_kind_fkey FOREIGN KEY (kind) REFERENCES stipa.spc_kind(name);

GRANT USAGE ON SCHEMA stipa TO stipa_authority;
GRANT USAGE ON SCHEMA stipa TO stipa_portal;
GRANT USAGE ON SCHEMA stipa TO stipa_auditor;

REVOKE ALL ON FUNCTION stipa.account_add(actor text, reason text, account text, organisation text, legal_name text, verified_until timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.account_add(actor text, reason text, account text, organisation text, legal_name text, verified_until timestamp with time zone) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.account_approve(actor text, reason text, account text, evidence text, verified_until timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.account_approve(actor text, reason text, account text, evidence text, verified_until timestamp with time zone) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.account_close(actor text, reason text, account text) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.account_close(actor text, reason text, account text) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.account_end(now timestamp with time zone, account_id bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.account_enter(now timestamp with time zone, actor text, reason text, name text, from_states text[], to_state text, evidence text) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.account_refuse(actor text, reason text, account text) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.account_refuse(actor text, reason text, account text) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.account_reinstate(actor text, reason text, account text) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.account_reinstate(actor text, reason text, account text) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.account_review(actor text, reason text, account text) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.account_review(actor text, reason text, account text) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.account_revoke(actor text, reason text, account text) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.account_revoke(actor text, reason text, account text) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.account_suspend(actor text, reason text, account text) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.account_suspend(actor text, reason text, account text) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.account_token_life(actor text, reason text, account text, token_life interval) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.account_token_life(actor text, reason text, account text, token_life interval) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.account_verify(actor text, reason text, account text, evidence text, verified_until timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.account_verify(actor text, reason text, account text, evidence text, verified_until timestamp with time zone) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.act(actor text, reason text) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.act_taking(actor text, reason text) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.peer_text(peer bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.peer_text(peer bytea) TO stipa_portal;
GRANT ALL ON FUNCTION stipa.peer_text(peer bytea) TO stipa_auditor;

REVOKE ALL ON FUNCTION stipa.address_is_allowed(peer bytea, allowed cidr[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.alias_add(actor text, reason text, account text, alias text) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.alias_add(actor text, reason text, account text, alias text) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.alias_remove(actor text, reason text, account text, alias text) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.alias_remove(actor text, reason text, account text, alias text) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.api_user_add(actor text, reason text, client text, name text, digest bytea, hash text, secret_digest bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.api_user_add(actor text, reason text, client text, name text, digest bytea, hash text, secret_digest bytea) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.api_user_disable(actor text, reason text, name text) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.api_user_disable(actor text, reason text, name text) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.api_user_enable(actor text, reason text, name text) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.api_user_enable(actor text, reason text, name text) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.api_user_rotate(actor text, reason text, name text, digest bytea, hash text, secret_digest bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.api_user_rotate(actor text, reason text, name text, digest bytea, hash text, secret_digest bytea) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.is_digest(given bytea) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.are_digests(given bytea[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.audit(at timestamp with time zone, actor text, action text, subject text, reason text, evidence jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.audit_text(member text) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.audit_text(member text) TO stipa_auditor;

GRANT SELECT ON TABLE stipa.audit_event TO stipa_auditor;

REVOKE ALL ON FUNCTION stipa.audit_hash(event stipa.audit_event) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.audit_hash(event stipa.audit_event) TO stipa_auditor;

REVOKE ALL ON FUNCTION stipa.audit_lock() FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.audit_verify(known_id bigint, known_hash bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.audit_verify(known_id bigint, known_hash bytea) TO stipa_auditor;

REVOKE ALL ON FUNCTION stipa.authenticate(now timestamp with time zone, methods smallint[], digests bytea[], clients text[], kids text[], assertion_jtis text[], assertion_exps bigint[], peers bytea[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.check_ahead(what text, given timestamp with time zone, now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.check_columns() FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.check_digest(what text, given bytea) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.check_given(what text, given text) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.check_password(digest bytea, hash text, secret_digest bytea) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.check_session() FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.client_add(actor text, reason text, account text, client text, digest bytea, expires timestamp with time zone, secret_digest bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.client_add(actor text, reason text, account text, client text, digest bytea, expires timestamp with time zone, secret_digest bytea) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.client_allow(actor text, reason text, client text, cidrs text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.client_allow(actor text, reason text, client text, cidrs text[]) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.client_disable(actor text, reason text, client text) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.client_disable(actor text, reason text, client text) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.client_enable(actor text, reason text, client text) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.client_enable(actor text, reason text, client text) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.client_key(client text, kid text) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.client_key(client text, kid text) TO stipa_authority;

REVOKE ALL ON FUNCTION stipa.client_key_add(actor text, reason text, client text, kid text, spki bytea, expires timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.client_key_add(actor text, reason text, client text, kid text, spki bytea, expires timestamp with time zone) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.client_key_remove(actor text, reason text, client text, kid text) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.client_key_remove(actor text, reason text, client text, kid text) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.client_keys(clients text[], kids text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.client_keys(clients text[], kids text[]) TO stipa_authority;

REVOKE ALL ON FUNCTION stipa.client_pin(actor text, reason text, client text, fingerprints bytea[]) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.client_pin(actor text, reason text, client text, fingerprints bytea[]) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.client_rotate(actor text, reason text, client text, digest bytea, expires timestamp with time zone, keep_old_until timestamp with time zone, secret_digest bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.client_rotate(actor text, reason text, client text, digest bytea, expires timestamp with time zone, keep_old_until timestamp with time zone, secret_digest bytea) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.client_scopes(actor text, reason text, client text, scopes smallint) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.client_scopes(actor text, reason text, client text, scopes smallint) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.credential_add(now timestamp with time zone, client_id bigint, digest bytea, expires timestamp with time zone, secret_digest bytea) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.delegation_grant(actor text, reason text, account text, spc text, sca text, cps_version text, evidence text, until timestamp with time zone, clients text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.delegation_grant(actor text, reason text, account text, spc text, sca text, cps_version text, evidence text, until timestamp with time zone, clients text[]) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.delegation_withdraw(actor text, reason text, id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.delegation_withdraw(actor text, reason text, id bigint) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.fingerprint_bytes(fingerprint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.grant_tokens(node_clock timestamp with time zone, methods smallint[], digests bytea[], clients text[], kids text[], assertion_jtis text[], assertion_exps bigint[], asked_scopes smallint[], token_digests bytea[], peers bytea[], request_ids text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.grant_tokens(node_clock timestamp with time zone, methods smallint[], digests bytea[], clients text[], kids text[], assertion_jtis text[], assertion_exps bigint[], asked_scopes smallint[], token_digests bytea[], peers bytea[], request_ids text[]) TO stipa_authority;

REVOKE ALL ON FUNCTION stipa.issue_tokens(kid text, node_clock timestamp with time zone, digests bytea[], accounts text[], spcs text[], tkvalues text[], fingerprints text[], cas boolean[], forms smallint[], defects smallint[], jtis uuid[], request_ids text[], peers bytea[], presented smallint[], dry_runs boolean[]) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.issue_tokens(kid text, node_clock timestamp with time zone, digests bytea[], accounts text[], spcs text[], tkvalues text[], fingerprints text[], cas boolean[], forms smallint[], defects smallint[], jtis uuid[], request_ids text[], peers bytea[], presented smallint[], dry_runs boolean[]) TO stipa_authority;

REVOKE ALL ON FUNCTION stipa.issuing_state(kid text, node_clock timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.issuing_state(kid text, node_clock timestamp with time zone) TO stipa_authority;
GRANT ALL ON FUNCTION stipa.issuing_state(kid text, node_clock timestamp with time zone) TO stipa_operator;

REVOKE ALL ON FUNCTION stipa.ledger_begin() FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.lock_firmly(key bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.lock_holders(key bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.login_hash(users text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.login_hash(users text[]) TO stipa_authority;

REVOKE ALL ON FUNCTION stipa.mark_accept(actor text, reason text, marked uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.mark_accept(actor text, reason text, marked uuid) TO stipa_operator;

REVOKE ALL ON FUNCTION stipa.mark_state(marked uuid, of_ledger uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.mark_state(marked uuid, of_ledger uuid) TO stipa_authority;
GRANT ALL ON FUNCTION stipa.mark_state(marked uuid, of_ledger uuid) TO stipa_operator;

REVOKE ALL ON FUNCTION stipa.node_signer(kid text) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.node_signer(kid text) TO stipa_authority;
GRANT ALL ON FUNCTION stipa.node_signer(kid text) TO stipa_operator;

REVOKE ALL ON FUNCTION stipa.organisation_add(actor text, reason text, name text, legal_name text, kinds text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.organisation_add(actor text, reason text, name text, legal_name text, kinds text[]) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.policy_set(actor text, reason text, token_life interval, optional_claims smallint, issuer text, form_2017 boolean, from_ timestamp with time zone, access_life interval) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.policy_set(actor text, reason text, token_life interval, optional_claims smallint, issuer text, form_2017 boolean, from_ timestamp with time zone, access_life interval) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.refusals_kept() FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.refusals_prune(at_most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.refusals_prune(at_most integer) TO stipa_authority;

REVOKE ALL ON FUNCTION stipa.refusals_record(refused stipa.refused_order[], at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.refuse_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.refuse_other_than_next() FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.report_access_token(now timestamp with time zone, digest bytea, request_id text, peer bytea) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.report_audit(now timestamp with time zone, action text, subject text, request_id text, peer bytea, evidence jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.report_credential(now timestamp with time zone, secret_digest bytea, request_id text, peer bytea) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.report_password(now timestamp with time zone, secret_digest bytea, request_id text, peer bytea) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.report_secrets(secret_digests bytea[], token_digests bytea[], request_ids text[], peers bytea[]) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.report_secrets(secret_digests bytea[], token_digests bytea[], request_ids text[], peers bytea[]) TO stipa_authority;

REVOKE ALL ON FUNCTION stipa.revoke_tokens(methods smallint[], digests bytea[], clients text[], kids text[], assertion_jtis text[], assertion_exps bigint[], token_digests bytea[], peers bytea[]) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.revoke_tokens(methods smallint[], digests bytea[], clients text[], kids text[], assertion_jtis text[], assertion_exps bigint[], token_digests bytea[], peers bytea[]) TO stipa_authority;

REVOKE ALL ON FUNCTION stipa.rights_lock() FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.schema_version() FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.schema_version() TO stipa_authority;
GRANT ALL ON FUNCTION stipa.schema_version() TO stipa_portal;
GRANT ALL ON FUNCTION stipa.schema_version() TO stipa_auditor;

REVOKE ALL ON FUNCTION stipa.scopes_text(scopes smallint) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.scopes_text(scopes smallint) TO stipa_portal;
GRANT ALL ON FUNCTION stipa.scopes_text(scopes smallint) TO stipa_auditor;

REVOKE ALL ON FUNCTION stipa.session_end(session integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.signer_register(actor text, reason text, kid text, purpose text, certificate bytea, chain text, x5u text, publish_at timestamp with time zone, activate_at timestamp with time zone, retire_at timestamp with time zone, remove_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.signer_register(actor text, reason text, kid text, purpose text, certificate bytea, chain text, x5u text, publish_at timestamp with time zone, activate_at timestamp with time zone, retire_at timestamp with time zone, remove_at timestamp with time zone) TO stipa_operator;

REVOKE ALL ON FUNCTION stipa.signer_retire(actor text, reason text, kid text) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.signer_retire(actor text, reason text, kid text) TO stipa_operator;

GRANT SELECT ON TABLE stipa.signer_certificate TO stipa_portal;
GRANT SELECT ON TABLE stipa.signer_certificate TO stipa_auditor;

REVOKE ALL ON FUNCTION stipa.signer_state_at(signer stipa.signer_certificate, moment timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.signer_state_at(signer stipa.signer_certificate, moment timestamp with time zone) TO stipa_portal;
GRANT ALL ON FUNCTION stipa.signer_state_at(signer stipa.signer_certificate, moment timestamp with time zone) TO stipa_auditor;

REVOKE ALL ON FUNCTION stipa.source_text(presented smallint, credential_id bigint, client_key_id bigint, api_user_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.source_text(presented smallint, credential_id bigint, client_key_id bigint, api_user_id bigint) TO stipa_portal;
GRANT ALL ON FUNCTION stipa.source_text(presented smallint, credential_id bigint, client_key_id bigint, api_user_id bigint) TO stipa_auditor;

REVOKE ALL ON FUNCTION stipa.spc_assign(actor text, reason text, account text, spc text, kind text, verified_until timestamp with time zone, evidence text) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.spc_assign(actor text, reason text, account text, spc text, kind text, verified_until timestamp with time zone, evidence text) TO stipa_portal;

GRANT SELECT ON TABLE stipa.spc_assignment TO stipa_portal;
GRANT SELECT ON TABLE stipa.spc_assignment TO stipa_auditor;

REVOKE ALL ON FUNCTION stipa.spc_end(now timestamp with time zone, held stipa.spc_assignment) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.spc_transfer(actor text, reason text, spc text, to_account text, evidence text, verified_until timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.spc_transfer(actor text, reason text, spc text, to_account text, evidence text, verified_until timestamp with time zone) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.spc_verify(actor text, reason text, account text, spc text, evidence text, verified_until timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.spc_verify(actor text, reason text, account text, spc text, evidence text, verified_until timestamp with time zone) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.spc_withdraw(actor text, reason text, account text, spc text) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.spc_withdraw(actor text, reason text, account text, spc text) TO stipa_portal;

REVOKE ALL ON FUNCTION stipa.taking_lock() FROM PUBLIC;

GRANT SELECT ON TABLE stipa.account TO stipa_portal;
GRANT SELECT ON TABLE stipa.account TO stipa_auditor;

REVOKE ALL ON FUNCTION stipa.the_account(name text) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.the_assignment(spc text, now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.the_assignment_of(account text, spc text, now timestamp with time zone) FROM PUBLIC;

GRANT SELECT ON TABLE stipa.api_client TO stipa_portal;
GRANT SELECT ON TABLE stipa.api_client TO stipa_auditor;

REVOKE ALL ON FUNCTION stipa.the_client(name text) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.the_living_account(name text) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.the_living_client(name text) FROM PUBLIC;

GRANT SELECT(id) ON TABLE stipa.api_user TO stipa_portal;
GRANT SELECT(id) ON TABLE stipa.api_user TO stipa_auditor;

GRANT SELECT(client_id) ON TABLE stipa.api_user TO stipa_portal;
GRANT SELECT(client_id) ON TABLE stipa.api_user TO stipa_auditor;

GRANT SELECT(name) ON TABLE stipa.api_user TO stipa_portal;
GRANT SELECT(name) ON TABLE stipa.api_user TO stipa_auditor;

GRANT SELECT(created_at) ON TABLE stipa.api_user TO stipa_portal;
GRANT SELECT(created_at) ON TABLE stipa.api_user TO stipa_auditor;

GRANT SELECT(tokens_from) ON TABLE stipa.api_user TO stipa_portal;
GRANT SELECT(tokens_from) ON TABLE stipa.api_user TO stipa_auditor;

GRANT SELECT(disabled_at) ON TABLE stipa.api_user TO stipa_portal;
GRANT SELECT(disabled_at) ON TABLE stipa.api_user TO stipa_auditor;

REVOKE ALL ON FUNCTION stipa.the_user(name text) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.token_partition(moment timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.token_partition_add(month timestamp with time zone) FROM PUBLIC;

GRANT SELECT ON TABLE stipa.token TO stipa_auditor;

REVOKE ALL ON FUNCTION stipa.token_partition_exists(moment timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.token_partitions_extend() FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.token_partitions_extend() TO stipa_authority;
GRANT ALL ON FUNCTION stipa.token_partitions_extend() TO stipa_operator;

REVOKE ALL ON FUNCTION stipa.token_proofs(digests bytea[], presented smallint[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.utc(moment timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.utc(moment timestamp with time zone) TO stipa_portal;
GRANT ALL ON FUNCTION stipa.utc(moment timestamp with time zone) TO stipa_auditor;

REVOKE ALL ON FUNCTION stipa.uuid_from(moment timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION stipa.verdict_name(verdict smallint) FROM PUBLIC;
GRANT ALL ON FUNCTION stipa.verdict_name(verdict smallint) TO stipa_portal;
GRANT ALL ON FUNCTION stipa.verdict_name(verdict smallint) TO stipa_auditor;

GRANT SELECT ON TABLE stipa.access_token_view TO stipa_portal;
GRANT SELECT ON TABLE stipa.access_token_view TO stipa_auditor;

GRANT SELECT ON TABLE stipa.account_alias TO stipa_portal;
GRANT SELECT ON TABLE stipa.account_alias TO stipa_auditor;

GRANT SELECT ON TABLE stipa.account_state TO stipa_portal;
GRANT SELECT ON TABLE stipa.account_state TO stipa_auditor;

GRANT SELECT ON TABLE stipa.account_state_view TO stipa_portal;
GRANT SELECT ON TABLE stipa.account_state_view TO stipa_auditor;

GRANT SELECT ON TABLE stipa.organisation TO stipa_portal;
GRANT SELECT ON TABLE stipa.organisation TO stipa_auditor;

GRANT SELECT ON TABLE stipa.account_view TO stipa_portal;
GRANT SELECT ON TABLE stipa.account_view TO stipa_auditor;

GRANT SELECT ON TABLE stipa.api_user_view TO stipa_portal;
GRANT SELECT ON TABLE stipa.api_user_view TO stipa_auditor;

GRANT SELECT ON TABLE stipa.audit_export_view TO stipa_auditor;

GRANT SELECT ON TABLE stipa.audit_head TO stipa_auditor;

GRANT SELECT ON TABLE stipa.audit_head_view TO stipa_portal;
GRANT SELECT ON TABLE stipa.audit_head_view TO stipa_auditor;

GRANT SELECT ON TABLE stipa.audit_view TO stipa_portal;
GRANT SELECT ON TABLE stipa.audit_view TO stipa_auditor;

GRANT SELECT ON TABLE stipa.client_key TO stipa_portal;
GRANT SELECT ON TABLE stipa.client_key TO stipa_auditor;

GRANT SELECT ON TABLE stipa.client_key_view TO stipa_portal;
GRANT SELECT ON TABLE stipa.client_key_view TO stipa_auditor;

GRANT SELECT(id) ON TABLE stipa.credential TO stipa_portal;
GRANT SELECT(id) ON TABLE stipa.credential TO stipa_auditor;

GRANT SELECT(client_id) ON TABLE stipa.credential TO stipa_portal;
GRANT SELECT(client_id) ON TABLE stipa.credential TO stipa_auditor;

GRANT SELECT(created_at) ON TABLE stipa.credential TO stipa_portal;
GRANT SELECT(created_at) ON TABLE stipa.credential TO stipa_auditor;

GRANT SELECT(expires_at) ON TABLE stipa.credential TO stipa_portal;
GRANT SELECT(expires_at) ON TABLE stipa.credential TO stipa_auditor;

GRANT SELECT(revoked_at) ON TABLE stipa.credential TO stipa_portal;
GRANT SELECT(revoked_at) ON TABLE stipa.credential TO stipa_auditor;

GRANT SELECT ON TABLE stipa.client_view TO stipa_portal;
GRANT SELECT ON TABLE stipa.client_view TO stipa_auditor;

GRANT SELECT ON TABLE stipa.delegation TO stipa_portal;
GRANT SELECT ON TABLE stipa.delegation TO stipa_auditor;

GRANT SELECT ON TABLE stipa.delegation_client TO stipa_portal;
GRANT SELECT ON TABLE stipa.delegation_client TO stipa_auditor;

GRANT SELECT ON TABLE stipa.delegation_view TO stipa_portal;
GRANT SELECT ON TABLE stipa.delegation_view TO stipa_auditor;

GRANT SELECT ON TABLE stipa.notice TO stipa_portal;
GRANT SELECT ON TABLE stipa.notice TO stipa_auditor;

GRANT SELECT ON TABLE stipa.notice_view TO stipa_portal;
GRANT SELECT ON TABLE stipa.notice_view TO stipa_auditor;

GRANT SELECT ON TABLE stipa.policy TO stipa_portal;
GRANT SELECT ON TABLE stipa.policy TO stipa_auditor;

GRANT SELECT ON TABLE stipa.policy_view TO stipa_portal;
GRANT SELECT ON TABLE stipa.policy_view TO stipa_auditor;

GRANT SELECT ON TABLE stipa.refusal_minute TO stipa_auditor;

GRANT SELECT ON TABLE stipa.refusal_minute_view TO stipa_portal;
GRANT SELECT ON TABLE stipa.refusal_minute_view TO stipa_auditor;

GRANT SELECT ON TABLE stipa.token_refusal TO stipa_auditor;

GRANT SELECT ON TABLE stipa.refusal_view TO stipa_portal;
GRANT SELECT ON TABLE stipa.refusal_view TO stipa_auditor;

GRANT SELECT ON TABLE stipa.request_view TO stipa_portal;
GRANT SELECT ON TABLE stipa.request_view TO stipa_auditor;

GRANT SELECT ON TABLE stipa.signer_view TO stipa_portal;
GRANT SELECT ON TABLE stipa.signer_view TO stipa_auditor;

GRANT SELECT ON TABLE stipa.spc_kind TO stipa_portal;
GRANT SELECT ON TABLE stipa.spc_kind TO stipa_auditor;

GRANT SELECT ON TABLE stipa.spc_view TO stipa_portal;
GRANT SELECT ON TABLE stipa.spc_view TO stipa_auditor;

GRANT SELECT ON TABLE stipa.token_view TO stipa_portal;
GRANT SELECT ON TABLE stipa.token_view TO stipa_auditor;

ALTER DEFAULT PRIVILEGES FOR ROLE stipa_owner REVOKE ALL ON FUNCTIONS  FROM PUBLIC;

