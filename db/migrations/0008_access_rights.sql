-- SPDX-License-Identifier: Apache-2.0
-- The acts about what 0006_access.sql has added.  As in 0003_rights.sql: who, why, what; each
-- writes one audit event; those that take return the time of the act.
SET LOCAL search_path = stipa, public;

CREATE FUNCTION the_user(name text) RETURNS api_user
	LANGUAGE plpgsql STABLE
	SET search_path = stipa, pg_temp
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

-- A client whose account has not ended.
CREATE FUNCTION the_living_client(name text) RETURNS api_client
	LANGUAGE plpgsql STABLE
	SET search_path = stipa, pg_temp
AS $$
DECLARE
	found api_client := the_client(name);
BEGIN
	PERFORM the_living_account((SELECT a.name FROM account AS a WHERE a.id = found.account_id));
	RETURN found;
END $$;

CREATE FUNCTION check_digest(what text, given bytea) RETURNS void
	LANGUAGE plpgsql
	SET search_path = stipa, pg_temp
AS $$
BEGIN
	IF is_digest(given) IS NOT TRUE THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('%s: must be a SHA-256', what);
	END IF;
END $$;

-- Clients and their credentials, now with @secret_digest (0006_access.sql).

DROP FUNCTION client_add, client_rotate, credential_add;

CREATE FUNCTION credential_add(now timestamptz, client_id bigint, digest bytea,
			       expires timestamptz, secret_digest bytea) RETURNS void
	LANGUAGE plpgsql
	SET search_path = stipa, pg_temp
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

CREATE FUNCTION client_add(actor text, reason text, account text, client text, digest bytea,
			   expires timestamptz, secret_digest bytea DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
AS $$
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
END $$;

-- Give a client a new secret.  The newest old one lives on until @keep_old_until, every other is
-- revoked now, and the access tokens that came of it are void: at most two are alive.
CREATE FUNCTION client_rotate(actor text, reason text, client text, digest bytea,
			      expires timestamptz, keep_old_until timestamptz DEFAULT NULL,
			      secret_digest bytea DEFAULT NULL)
	RETURNS timestamptz
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
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

-- What narrows a client.  Each sets the whole list; NULL or {} lifts it.

CREATE FUNCTION client_allow(actor text, reason text, client text, cidrs text[])
	RETURNS timestamptz
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
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

-- @fingerprints: 32 bytes each, whatever spelling an order has.
CREATE FUNCTION client_pin(actor text, reason text, client text, fingerprints bytea[])
	RETURNS timestamptz
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
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

-- @scopes: bits of api_client.scopes.
CREATE FUNCTION client_scopes(actor text, reason text, client text, scopes int2)
	RETURNS timestamptz
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
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

-- Keys of clients.

CREATE FUNCTION client_key_add(actor text, reason text, client text, kid text, spki bytea,
			       expires timestamptz) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
AS $$
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
END $$;

CREATE FUNCTION client_key_remove(actor text, reason text, client text, kid text)
	RETURNS timestamptz
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
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

-- API users.  A password is a @digest with its @secret_digest, or a @hash (0006_access.sql).

CREATE FUNCTION check_password(digest bytea, hash text, secret_digest bytea) RETURNS void
	LANGUAGE plpgsql
	SET search_path = stipa, pg_temp
AS $$
BEGIN
	IF (digest IS NULL) = (hash IS NULL) THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'password: either a digest or a hash';
	ELSIF hash IS NOT NULL AND secret_digest IS NOT NULL THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'secret_digest: of a password that was made here';
	END IF;
	IF digest IS NOT NULL THEN
		PERFORM check_digest('digest', digest);
	END IF;
	IF secret_digest IS NOT NULL THEN
		PERFORM check_digest('secret_digest', secret_digest);
	END IF;
END $$;

CREATE FUNCTION api_user_add(actor text, reason text, client text, name text, digest bytea,
			     hash text, secret_digest bytea DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
AS $$
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
END $$;

-- Give a user another password.  The old one ends now, and the access tokens that came of it.
CREATE FUNCTION api_user_rotate(actor text, reason text, name text, digest bytea, hash text,
				secret_digest bytea DEFAULT NULL) RETURNS timestamptz
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
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

-- Also what the user has now is void, for good.
CREATE FUNCTION api_user_disable(actor text, reason text, name text) RETURNS timestamptz
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
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

CREATE FUNCTION api_user_enable(actor text, reason text, name text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
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

-- Policy, now with the life of access tokens; @access_life NULL: as it is.
DROP FUNCTION policy_set;
CREATE FUNCTION policy_set(actor text, reason text, token_life interval, optional_claims int2,
			   issuer text, form_2017 bool, from_ timestamptz,
			   access_life interval DEFAULT NULL) RETURNS int
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
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

-- Somebody has found secrets and reports them.  What is real is ended at once, recorded, and its
-- account is told.  @secret_digests: a client's secret or an API user's password; @token_digests:
-- an access token.  What is not real takes no lock.

CREATE FUNCTION report_audit(now timestamptz, action text, subject text, request_id text,
			     peer bytea, evidence jsonb) RETURNS void
	LANGUAGE sql
	SET search_path = stipa, pg_temp
AS $$
	SELECT audit(now, 'report', action, subject, 'reported as leaked', evidence
		|| jsonb_build_object('request_id', request_id, 'peer', peer_text(peer)));
$$;

CREATE FUNCTION report_credential(now timestamptz, secret_digest bytea, request_id text,
				  peer bytea) RETURNS boolean
	LANGUAGE plpgsql
	SET search_path = stipa, pg_temp
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

CREATE FUNCTION report_password(now timestamptz, secret_digest bytea, request_id text,
				peer bytea) RETURNS boolean
	LANGUAGE plpgsql
	SET search_path = stipa, pg_temp
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

CREATE FUNCTION report_access_token(now timestamptz, digest bytea, request_id text, peer bytea)
	RETURNS boolean
	LANGUAGE plpgsql
	SET search_path = stipa, pg_temp
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

CREATE FUNCTION report_secrets(secret_digests bytea[], token_digests bytea[], request_ids text[],
			       peers bytea[])
	RETURNS TABLE (n int8, hit bool)
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
	SET plan_cache_mode = force_generic_plan
	SET enable_seqscan = off
	SET enable_hashjoin = off
	SET enable_mergejoin = off
	SET jit = off
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
