-- SPDX-License-Identifier: Apache-2.0
-- Who holds what: organisations, accounts, codes, delegations, clients, signers, policy.
--
-- Every migration runs as stipa_owner, in one transaction.  Tables are written by functions only
-- (0003_rights.sql); constraints are the second line.  A period is [from, until); until NULL is
-- "until further notice".

CREATE EXTENSION btree_gist SCHEMA public;
CREATE SCHEMA stipa;
SET LOCAL search_path = stipa, public;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

CREATE TABLE organisation (
	id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT organisation_pkey PRIMARY KEY,
	name text NOT NULL CONSTRAINT organisation_name_key UNIQUE
		CONSTRAINT organisation_name_check CHECK (name ~ '^[^[:cntrl:]]{1,200}$'),
	legal_name text NOT NULL
		CONSTRAINT organisation_legal_name_check
		CHECK (legal_name ~ '^[^[:cntrl:]]{1,200}$'),
	kinds text[] NOT NULL CONSTRAINT organisation_kinds_check CHECK (cardinality(kinds) > 0
		AND kinds <@ ARRAY['pa', 'ga', 'sp', 'sti_ca', 'sca', 'partner']),
	created_at timestamptz NOT NULL
);

-- applied → in_review → active | refused;  active ⇄ suspended;  → revoked | closed.
CREATE TABLE account (
	id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT account_pkey PRIMARY KEY,
	organisation_id bigint NOT NULL
		CONSTRAINT account_organisation_fkey REFERENCES organisation,
	name text NOT NULL CONSTRAINT account_name_key UNIQUE
		CONSTRAINT account_name_check CHECK (name ~ '^sp-[a-z0-9][a-z0-9-]{0,31}$'),
	state text NOT NULL CONSTRAINT account_state_check CHECK (state IN (
		'applied', 'in_review', 'active', 'refused', 'suspended', 'revoked', 'closed')),
	verified_until timestamptz NOT NULL,
	token_life interval  -- NULL: the policy's
		CONSTRAINT account_token_life_check
		CHECK (token_life BETWEEN '10 min' AND '398 d')
);
CREATE INDEX account_organisation ON account (organisation_id);

-- Each change of an account's state, the present one last.
CREATE TABLE account_state (
	id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT account_state_pkey PRIMARY KEY,
	account_id bigint NOT NULL CONSTRAINT account_state_account_fkey REFERENCES account,
	state text NOT NULL,
	since timestamptz NOT NULL,
	actor text NOT NULL,
	reason text NOT NULL,
	evidence text
);
CREATE INDEX account_state_account ON account_state (account_id, id);

-- Another name that an account's own clients may use for it, such as an earlier number.
CREATE TABLE account_alias (
	alias text CONSTRAINT account_alias_pkey PRIMARY KEY
		CONSTRAINT account_alias_check
		CHECK (alias ~ '^[A-Za-z0-9._~-]{1,63}$' AND alias !~ '^sp-'),
	account_id bigint NOT NULL CONSTRAINT account_alias_account_fkey REFERENCES account
);
CREATE INDEX account_alias_account ON account_alias (account_id);

-- Kinds of service provider code.  @uses: token, an SPC token; ca, one with "ca": true.
CREATE TABLE spc_kind (
	name text CONSTRAINT spc_kind_pkey PRIMARY KEY,
	pattern text NOT NULL,
	uses text[] NOT NULL
		CONSTRAINT spc_kind_uses_check CHECK (uses <@ ARRAY['token', 'ca']),
	about text NOT NULL
);
INSERT INTO spc_kind (name, pattern, uses, about) VALUES
	('OCN', '^[0-9A-Z]{4,5}$', '{token,ca}', 'Operating Company Number (ATIS-0300251)'),
	('RespOrg', '^[0-9A-Z]{5}$', '{token,ca}', 'Responsible Organization id, toll-free'),
	('national', '^[0-9A-Z]{1,16}$', '{token,ca}', 'code of another national scheme');

-- One holder at a time.  The constraint speaks of an expression, (spc || ''), so that its GiST
-- index never fits a look-up by chance: the planner would take it, and it costs several times the
-- btree.  Who looks for a code's holder, on no hot path, asks for (spc || '').
CREATE TABLE spc_assignment (
	id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT spc_assignment_pkey PRIMARY KEY,
	account_id bigint NOT NULL CONSTRAINT spc_assignment_account_fkey REFERENCES account,
	kind text NOT NULL CONSTRAINT spc_assignment_kind_fkey REFERENCES spc_kind,
	spc text NOT NULL CONSTRAINT spc_assignment_spc_check CHECK (spc ~ '^[0-9A-Z]{1,16}$'),
	held_from timestamptz NOT NULL,
	held_until timestamptz,
	verified_until timestamptz,  -- NULL: as long as the account is verified
	evidence text,
	CONSTRAINT spc_assignment_period_check CHECK (held_from < held_until),
	CONSTRAINT spc_assignment_one_holder
		EXCLUDE USING gist ((spc || '') WITH =, tstzrange(held_from, held_until) WITH &&)
);
CREATE INDEX spc_assignment_account_spc ON spc_assignment (account_id, spc);

-- A program that asks for tokens (an SP-KMS).  It acts for one account.
CREATE TABLE api_client (
	id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT api_client_pkey PRIMARY KEY,
	account_id bigint NOT NULL CONSTRAINT api_client_account_fkey REFERENCES account,
	name text NOT NULL CONSTRAINT api_client_name_key UNIQUE
		CONSTRAINT api_client_name_check CHECK (name ~ '^[A-Za-z0-9_-]{3,64}$'),
	created_at timestamptz NOT NULL,
	disabled_at timestamptz
);
CREATE INDEX api_client_account ON api_client (account_id);

-- The secret itself is nowhere: digest = SHA-256("basic" 0x00 client 0x00 secret), erased when
-- the credential is revoked.  The edge sends zeros for what cannot be a credential.
CREATE TABLE credential (
	id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT credential_pkey PRIMARY KEY,
	client_id bigint NOT NULL CONSTRAINT credential_client_fkey REFERENCES api_client,
	digest bytea CONSTRAINT credential_digest_key UNIQUE
		CONSTRAINT credential_digest_check
		CHECK (length(digest) = 32 AND digest <> decode(repeat('00', 32), 'hex')),
	created_at timestamptz NOT NULL,
	expires_at timestamptz NOT NULL,
	revoked_at timestamptz,
	CONSTRAINT credential_erased_check CHECK ((digest IS NULL) = (revoked_at IS NOT NULL))
);
CREATE INDEX credential_client ON credential (client_id);

-- The right to tokens with "ca": true, for one code of one account and one STI-SCA.
CREATE TABLE delegation (
	id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT delegation_pkey PRIMARY KEY,
	account_id bigint NOT NULL CONSTRAINT delegation_account_fkey REFERENCES account,
	spc text NOT NULL,
	sca text NOT NULL CONSTRAINT delegation_sca_check CHECK (sca ~ '^[^[:cntrl:]]{1,200}$'),
	cps_version text NOT NULL
		CONSTRAINT delegation_cps_version_check
		CHECK (cps_version ~ '^[^[:cntrl:]]{1,200}$'),
	evidence text NOT NULL,
	granted_at timestamptz NOT NULL,
	until_at timestamptz NOT NULL,
	withdrawn_at timestamptz,
	every_client boolean NOT NULL,  -- else those of delegation_client
	CONSTRAINT delegation_period_check CHECK (granted_at < until_at)
);
CREATE INDEX delegation_account_spc ON delegation (account_id, spc);

CREATE TABLE delegation_client (
	delegation_id bigint CONSTRAINT delegation_client_delegation_fkey REFERENCES delegation,
	client_id bigint CONSTRAINT delegation_client_client_fkey REFERENCES api_client,
	CONSTRAINT delegation_client_pkey PRIMARY KEY (delegation_id, client_id)
);

-- Values that hold for everybody, one row for each version; the latest that has begun counts.
-- @optional_claims: bits of issue/claims.h (1 iss, 2 iat, 4 nbf).
CREATE TABLE policy (
	version int GENERATED ALWAYS AS IDENTITY CONSTRAINT policy_pkey PRIMARY KEY,
	begins_at timestamptz NOT NULL,
	token_life interval NOT NULL CONSTRAINT policy_token_life_check
		CHECK (token_life BETWEEN '10 min' AND '398 d'),
	optional_claims int2 NOT NULL
		CONSTRAINT policy_optional_claims_check CHECK (optional_claims BETWEEN 0 AND 7),
	issuer text  -- the iss claim
		CONSTRAINT policy_issuer_check CHECK (issuer ~ '^[!#-[\]-~]{1,255}$'),
	form_2017 boolean NOT NULL,
	CONSTRAINT policy_iss_check CHECK (optional_claims & 1 = 0 OR issuer IS NOT NULL),
	CONSTRAINT policy_begins_at_key UNIQUE (begins_at)
);

-- A key has times; its state is a function of them and the clock.
CREATE TABLE signer_certificate (
	kid text CONSTRAINT signer_certificate_pkey PRIMARY KEY
		CONSTRAINT signer_certificate_kid_check CHECK (kid ~ '^[A-Za-z0-9._-]{1,63}$'),
	purpose text NOT NULL CONSTRAINT signer_certificate_purpose_check
		CHECK (purpose IN ('root', 'token', 'list', 'crl')),
	certificate bytea NOT NULL,  -- DER
	sha256 bytea NOT NULL GENERATED ALWAYS AS (sha256(certificate)) STORED
		CONSTRAINT signer_certificate_sha256_key UNIQUE,
	chain text NOT NULL,         -- PEM, signer first
	x5u text NOT NULL CONSTRAINT signer_certificate_x5u_check
		CHECK (x5u ~ '^https://[!#-[\]-~]{1,255}$'),
	created_at timestamptz NOT NULL,
	publish_at timestamptz NOT NULL,
	activate_at timestamptz NOT NULL,
	retire_at timestamptz NOT NULL,
	remove_at timestamptz NOT NULL,
	CONSTRAINT signer_certificate_times_check CHECK (
		publish_at <= activate_at AND activate_at <= retire_at AND retire_at <= remove_at)
);

CREATE FUNCTION signer_state_at(signer signer_certificate, moment timestamptz) RETURNS text
	LANGUAGE sql IMMUTABLE
	RETURN CASE
		WHEN signer.remove_at <= moment THEN 'removed'
		WHEN signer.retire_at <= moment THEN 'retired'
		WHEN signer.activate_at <= moment THEN 'active'
		WHEN signer.publish_at <= moment THEN 'published'
		ELSE 'created' END;
