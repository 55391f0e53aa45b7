-- SPDX-License-Identifier: Apache-2.0
-- A value that is not as it must be is told by its name and its rule; nothing that is compared may
-- be NULL and pass.
SET LOCAL search_path = stipa, public;

-- Each migration that adds a file says its number here anew; tests/db/schema.sh compares.
CREATE OR REPLACE FUNCTION schema_version() RETURNS int
	LANGUAGE sql IMMUTABLE
	RETURN 14;

-- Before the constraints, which say their own name and the whole row (PostgreSQL's log keeps it).
-- Arguments by three: column, pattern, the rule in words.
CREATE FUNCTION check_columns() RETURNS trigger
	LANGUAGE plpgsql
	SET search_path = stipa, pg_temp
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

CREATE TRIGGER rules BEFORE INSERT OR UPDATE ON organisation
	FOR EACH ROW EXECUTE FUNCTION check_columns(
		'name', '^[^[:cntrl:]]{1,200}$', 'must be 1 to 200 characters in one line',
		'legal_name', '^[^[:cntrl:]]{1,200}$', 'must be 1 to 200 characters in one line',
		'kinds', '^\[("(pa|ga|sp|sti_ca|sca|partner)"(, )?)+\]$',
		'must be of pa, ga, sp, sti_ca, sca and partner');
CREATE TRIGGER rules BEFORE INSERT OR UPDATE ON delegation
	FOR EACH ROW EXECUTE FUNCTION check_columns(
		'sca', '^[^[:cntrl:]]{1,200}$', 'must be 1 to 200 characters in one line',
		'cps_version', '^[^[:cntrl:]]{1,200}$', 'must be 1 to 200 characters in one line');
CREATE TRIGGER rules BEFORE INSERT OR UPDATE ON policy
	FOR EACH ROW EXECUTE FUNCTION check_columns('issuer', '^[!#-[\]-~]{1,255}$',
		'must be 1 to 255 printable ASCII characters but space, " and \');
CREATE TRIGGER rules BEFORE INSERT OR UPDATE ON signer_certificate
	FOR EACH ROW EXECUTE FUNCTION check_columns(
		'kid', '^[A-Za-z0-9._-]{1,63}$', 'must be 1 to 63 of A-Z a-z 0-9 . _ -',
		'purpose', '^(root|token|list|crl)$', 'must be root, token, list or crl',
		'x5u', '^https://[!#-[\]-~]{1,255}$', 'must be an https URL of at most 263 characters');

CREATE OR REPLACE FUNCTION account_token_life(actor text, reason text, account text,
					      token_life interval)
	RETURNS timestamptz
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
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

-- As in 0008_access_rights.sql, and: a hash that is none, or that costs too much, is refused before
-- a constraint could show it.
CREATE OR REPLACE FUNCTION check_password(digest bytea, hash text, secret_digest bytea) RETURNS void
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
END $$;

-- An address among @allowed; NULL, when there is no list.  No address is among none.
CREATE OR REPLACE FUNCTION address_is_allowed(peer bytea, allowed cidr[]) RETURNS boolean
	LANGUAGE sql IMMUTABLE
	RETURN CASE WHEN allowed IS NOT NULL
		THEN coalesce(stipa.peer_text(peer)::inet <<= ANY (allowed), false) END;

-- As in 0010_audit.sql, and: whoever has taken the constraints away and written NULL is found like
-- any other.
CREATE OR REPLACE FUNCTION audit_verify(known_id bigint DEFAULT NULL,
					known_hash bytea DEFAULT NULL)
	RETURNS bigint
	LANGUAGE sql STABLE SECURITY DEFINER
	SET search_path = stipa, pg_temp
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
