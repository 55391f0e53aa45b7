-- SPDX-License-Identifier: Apache-2.0
-- Every change of a right is a function here: who, why, what.  Each writes one audit event.
--
-- SQLSTATE: P0002 there is no such thing, 22023 a bad value (the message names it), 23xxx it
-- collides with another, 55000 it is not in the state for this.
SET LOCAL search_path = stipa, public;

-- Issuing holds this lock shared, taking a right away holds it exclusively: when the second is
-- acknowledged, every token under the old right is in the ledger, and none follows.
CREATE FUNCTION rights_lock() RETURNS bigint
	LANGUAGE sql IMMUTABLE
	RETURN 1398032708;  -- "STID"

-- What is read after a lock must be newer than the lock, and what is answered must be durable.
CREATE FUNCTION check_session() RETURNS void
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

-- Take an exclusive advisory lock within 2 s; who still holds it then stands still, and is ended.
-- Its transaction is undone: what it had not committed was never answered.
CREATE FUNCTION lock_firmly(key bigint) RETURNS void
	LANGUAGE plpgsql
	SET search_path = stipa, pg_temp
	SET lock_timeout = '2s'
AS $$
DECLARE
	holder int;
BEGIN
	FOR attempt IN 1..3 LOOP
		BEGIN
			PERFORM pg_advisory_xact_lock(key);
			RETURN;
		EXCEPTION WHEN lock_not_available THEN
			FOR holder IN
				SELECT pid FROM pg_locks
				WHERE locktype = 'advisory' AND granted AND objsubid = 1
				AND database = (SELECT oid FROM pg_database
						WHERE datname = current_database())
				AND classid = (key >> 32)::int8::oid
				AND objid = (key & 4294967295)::oid
				AND pid <> pg_backend_pid()
			LOOP
				BEGIN
					PERFORM pg_terminate_backend(holder);
				EXCEPTION WHEN insufficient_privilege THEN
					RAISE WARNING 'session % is a superuser''s: not ended',
						holder;
				END;
			END LOOP;
		END;
	END LOOP;
	PERFORM pg_advisory_xact_lock(key);
END $$;

CREATE FUNCTION check_given(what text, given text) RETURNS void
	LANGUAGE plpgsql
AS $$
BEGIN
	IF given IS NULL OR btrim(given) = '' THEN
		RAISE invalid_parameter_value USING MESSAGE = format('%s: must not be empty', what);
	END IF;
END $$;

CREATE FUNCTION check_ahead(what text, given timestamptz, now timestamptz) RETURNS void
	LANGUAGE plpgsql
AS $$
BEGIN
	IF given IS NULL OR given <= now THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('%s: must be a time ahead', what);
	END IF;
END $$;

-- Begin an act that gives: the audit lock, and the time of the act.  Acts follow one another.
CREATE FUNCTION act(actor text, reason text) RETURNS timestamptz
	LANGUAGE plpgsql
	SET search_path = stipa, pg_temp
	SET lock_timeout = '10s'
AS $$
BEGIN
	PERFORM check_given('actor', actor);
	PERFORM check_given('reason', reason);
	PERFORM check_session();
	PERFORM pg_advisory_xact_lock(audit_lock());
	RETURN clock_timestamp();
END $$;

-- Begin an act that takes: also the rights lock, exclusively.  The time is read under it.
CREATE FUNCTION act_taking(actor text, reason text) RETURNS timestamptz
	LANGUAGE plpgsql
	SET search_path = stipa, pg_temp
AS $$
BEGIN
	PERFORM check_given('actor', actor);
	PERFORM check_given('reason', reason);
	PERFORM check_session();
	PERFORM lock_firmly(audit_lock());
	PERFORM lock_firmly(rights_lock());
	RETURN clock_timestamp();
END $$;

-- Find by name, or P0002.

CREATE FUNCTION the_account(name text) RETURNS account
	LANGUAGE plpgsql STABLE
	SET search_path = stipa, pg_temp
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

CREATE FUNCTION the_living_account(name text) RETURNS account
	LANGUAGE plpgsql STABLE
	SET search_path = stipa, pg_temp
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

CREATE FUNCTION the_client(name text) RETURNS api_client
	LANGUAGE plpgsql STABLE
	SET search_path = stipa, pg_temp
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

CREATE FUNCTION the_assignment(spc text, now timestamptz) RETURNS spc_assignment
	LANGUAGE plpgsql STABLE
	SET search_path = stipa, pg_temp
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

CREATE FUNCTION the_assignment_of(account text, spc text, now timestamptz)
	RETURNS spc_assignment
	LANGUAGE plpgsql STABLE
	SET search_path = stipa, pg_temp
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

-- Organisations and accounts.

CREATE FUNCTION organisation_add(actor text, reason text, name text, legal_name text,
				 kinds text[]) RETURNS bigint
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
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

-- Write an account's new state and its history; from another state than @from, 55000.
CREATE FUNCTION account_enter(now timestamptz, actor text, reason text, name text,
			      from_states text[], to_state text, evidence text) RETURNS void
	LANGUAGE plpgsql
	SET search_path = stipa, pg_temp
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

-- An SP applies.  Its organisation is made where there is none.
CREATE FUNCTION account_add(actor text, reason text, account text, organisation text,
			    legal_name text, verified_until timestamptz) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
AS $$
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
END $$;

CREATE FUNCTION account_review(actor text, reason text, account text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
AS $$
DECLARE
	now timestamptz := act(actor, reason);
BEGIN
	PERFORM account_enter(now, actor, reason, account, '{applied}', 'in_review', NULL);
	PERFORM audit(now, actor, 'account_review', account, reason, NULL);
END $$;

-- An account that nobody has begun to review is reviewed by this act.  @verified_until NULL keeps
-- the date of the application.
CREATE FUNCTION account_approve(actor text, reason text, account text, evidence text,
				verified_until timestamptz) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
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

CREATE FUNCTION account_refuse(actor text, reason text, account text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
AS $$
DECLARE
	now timestamptz := act(actor, reason);
BEGIN
	PERFORM account_enter(now, actor, reason, account, '{applied,in_review}', 'refused', NULL);
	PERFORM audit(now, actor, 'account_refuse', account, reason, NULL);
END $$;

CREATE FUNCTION account_suspend(actor text, reason text, account text) RETURNS timestamptz
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
AS $$
DECLARE
	now timestamptz := act_taking(actor, reason);
BEGIN
	PERFORM account_enter(now, actor, reason, account, '{active}', 'suspended', NULL);
	PERFORM audit(now, actor, 'account_suspend', account, reason, NULL);
	RETURN now;
END $$;

CREATE FUNCTION account_reinstate(actor text, reason text, account text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
AS $$
DECLARE
	now timestamptz := act(actor, reason);
BEGIN
	PERFORM account_enter(now, actor, reason, account, '{suspended}', 'active', NULL);
	PERFORM audit(now, actor, 'account_reinstate', account, reason, NULL);
END $$;

-- An account that ends gives back its codes, and its delegations end with them.  Credentials stay,
-- so that its clients are told why they are refused.
CREATE FUNCTION account_end(now timestamptz, account_id bigint) RETURNS jsonb
	LANGUAGE plpgsql
	SET search_path = stipa, pg_temp
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

CREATE FUNCTION account_revoke(actor text, reason text, account text) RETURNS timestamptz
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
AS $$
DECLARE
	now timestamptz := act_taking(actor, reason);
BEGIN
	PERFORM account_enter(now, actor, reason, account, '{active,suspended}', 'revoked', NULL);
	PERFORM audit(now, actor, 'account_revoke', account, reason,
		      account_end(now, (the_account(account)).id));
	RETURN now;
END $$;

CREATE FUNCTION account_close(actor text, reason text, account text) RETURNS timestamptz
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
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

-- Write the date until which an account is verified.  It may be earlier than before, or past.
CREATE FUNCTION account_verify(actor text, reason text, account text, evidence text,
			       verified_until timestamptz) RETURNS timestamptz
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
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

-- Write how long an account's tokens live; NULL: as the policy says.
CREATE FUNCTION account_token_life(actor text, reason text, account text, token_life interval)
	RETURNS timestamptz
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	now timestamptz := act_taking(actor, reason);
	present account := the_living_account(account);
BEGIN
	UPDATE account AS a SET token_life = token_life WHERE a.id = present.id;
	PERFORM audit(now, actor, 'account_token_life', account, reason, jsonb_build_object(
		'token_life', token_life, 'before', present.token_life));
	RETURN now;
END $$;

CREATE FUNCTION alias_add(actor text, reason text, account text, alias text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
AS $$
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
END $$;

CREATE FUNCTION alias_remove(actor text, reason text, account text, alias text)
	RETURNS timestamptz
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
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

-- Service provider codes.

CREATE FUNCTION spc_assign(actor text, reason text, account text, spc text,
			   kind text DEFAULT 'OCN', verified_until timestamptz DEFAULT NULL,
			   evidence text DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
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

-- Write the date until which a holder's code is verified; NULL: as long as the account is.  It may
-- be earlier than before, or past.
CREATE FUNCTION spc_verify(actor text, reason text, account text, spc text, evidence text,
			   verified_until timestamptz) RETURNS timestamptz
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
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

-- End an assignment, and the delegations that stand on it.
CREATE FUNCTION spc_end(now timestamptz, held spc_assignment) RETURNS void
	LANGUAGE sql
	SET search_path = stipa, pg_temp
AS $$
	UPDATE delegation AS d SET withdrawn_at = now
	WHERE d.account_id = held.account_id AND d.spc = held.spc
	AND d.withdrawn_at IS NULL AND d.until_at > now;
	UPDATE spc_assignment AS h SET held_until = now WHERE h.id = held.id;
$$;

CREATE FUNCTION spc_withdraw(actor text, reason text, account text, spc text)
	RETURNS timestamptz
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
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

-- From its holder to another at one moment: at no time both, at no time nobody.
CREATE FUNCTION spc_transfer(actor text, reason text, spc text, to_account text, evidence text,
			     verified_until timestamptz DEFAULT NULL) RETURNS timestamptz
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
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

-- Delegation: the right to tokens with "ca": true.

CREATE FUNCTION delegation_grant(actor text, reason text, account text, spc text, sca text,
				 cps_version text, evidence text, until timestamptz,
				 clients text[] DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
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

CREATE FUNCTION delegation_withdraw(actor text, reason text, id bigint) RETURNS timestamptz
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
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

-- Clients and their credentials.

CREATE FUNCTION credential_add(now timestamptz, client_id bigint, digest bytea,
			       expires timestamptz) RETURNS void
	LANGUAGE plpgsql
	SET search_path = stipa, pg_temp
AS $$
#variable_conflict use_variable
BEGIN
	PERFORM check_ahead('expires', expires, now);
	IF digest IS NULL OR length(digest) <> 32
	   OR digest = decode(repeat('00', 32), 'hex') THEN
		RAISE invalid_parameter_value USING MESSAGE = 'digest: must be a SHA-256';
	END IF;
	INSERT INTO credential (client_id, digest, created_at, expires_at)
	VALUES (client_id, digest, now, expires);
END $$;

CREATE FUNCTION client_add(actor text, reason text, account text, client text, digest bytea,
			   expires timestamptz) RETURNS void
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
	PERFORM credential_add(now, made, digest, expires);
	PERFORM audit(now, actor, 'client_add', client, reason,
		      jsonb_build_object('account', account, 'expires', expires));
END $$;

-- Give a client a new secret.  The newest old one lives on until @keep_old_until, every other is
-- revoked now: at most two are alive.
CREATE FUNCTION client_rotate(actor text, reason text, client text, digest bytea,
			      expires timestamptz, keep_old_until timestamptz DEFAULT NULL)
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
	PERFORM credential_add(now, present.id, digest, expires);
	UPDATE credential AS c SET expires_at = least(c.expires_at, keep_old_until)
	WHERE c.id = kept;
	UPDATE credential AS c SET digest = NULL, revoked_at = now
	WHERE c.client_id = present.id AND c.revoked_at IS NULL
	AND c.id IS DISTINCT FROM kept AND c.digest <> digest;
	PERFORM audit(now, actor, 'client_rotate', client, reason, jsonb_build_object(
		'expires', expires, 'keep_old_until', keep_old_until));
	RETURN now;
END $$;

CREATE FUNCTION client_disable(actor text, reason text, client text) RETURNS timestamptz
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
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

CREATE FUNCTION client_enable(actor text, reason text, client text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
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

-- Signers.

-- @certificate DER, @chain PEM with the signer first.
CREATE FUNCTION signer_register(actor text, reason text, kid text, purpose text,
				certificate bytea, chain text, x5u text, publish_at timestamptz,
				activate_at timestamptz, retire_at timestamptz,
				remove_at timestamptz) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
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

-- End a key's signing now.  It stays published until its time, for what it has signed.
CREATE FUNCTION signer_retire(actor text, reason text, kid text) RETURNS timestamptz
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
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

-- Policy.  A version that begins at once also takes (a shorter life, a form less).
CREATE FUNCTION policy_set(actor text, reason text, token_life interval, optional_claims int2,
			   issuer text, form_2017 bool, from_ timestamptz) RETURNS int
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	now timestamptz := act_taking(actor, reason);
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
	END IF;
	INSERT INTO policy (begins_at, token_life, optional_claims, issuer, form_2017)
	VALUES (coalesce(from_, now), token_life, optional_claims, issuer, form_2017)
	RETURNING version INTO made;
	PERFORM audit(now, actor, 'policy_set', 'version ' || made, reason, jsonb_build_object(
		'from', coalesce(from_, now), 'token_life', token_life,
		'optional_claims', optional_claims, 'issuer', issuer, 'form_2017', form_2017));
	RETURN made;
END $$;

SELECT policy_set('migration', 'first values', '24 h', 0::int2, NULL, true, NULL);
