-- SPDX-License-Identifier: Apache-2.0
-- What a client may show beside its secret: keys of its own, users with passwords, and the access
-- tokens that all of these give; and what narrows a client: addresses, pinned fingerprints, scopes.
SET LOCAL search_path = stipa, public;

-- A JWK thumbprint or another 32-byte digest, as an order writes it (edge/token_parse.c).
CREATE FUNCTION fingerprint_bytes(fingerprint text) RETURNS bytea
	LANGUAGE sql IMMUTABLE
	RETURN CASE WHEN fingerprint LIKE 'SHA256 %'
		THEN decode(replace(substr(fingerprint, 8), ':', ''), 'hex')
		ELSE decode(translate(fingerprint, '-_', '+/') || '=', 'base64') END;

-- A digest that is no accident.
CREATE FUNCTION is_digest(given bytea) RETURNS boolean
	LANGUAGE sql IMMUTABLE
	RETURN length(given) = 32 AND given <> decode(repeat('00', 32), 'hex');

CREATE FUNCTION are_digests(given bytea[]) RETURNS boolean
	LANGUAGE sql IMMUTABLE
	RETURN (SELECT coalesce(bool_and(coalesce(stipa.is_digest(one), false)), false)
		FROM unnest(given) AS one);

-- @scopes: what its access tokens may be for, bits (1 spc-token, 2 spc-token:ca, which includes
-- the first, 4 revoke).
ALTER TABLE api_client
	ADD COLUMN scopes int2 NOT NULL DEFAULT 7
		CONSTRAINT api_client_scopes_check CHECK (scopes BETWEEN 0 AND 7),
	ADD COLUMN allowed cidr[]  -- NULL: from everywhere
		CONSTRAINT api_client_allowed_check CHECK (cardinality(allowed) > 0),
	ADD COLUMN pinned bytea[]  -- NULL: any fingerprint
		CONSTRAINT api_client_pinned_check
			CHECK (pinned IS NULL OR are_digests(pinned));

-- @secret_digest = SHA-256("secret" 0x00 secret): finds a secret that somebody reports without
-- knowing whose it is.  NULL for those made before there was one.
ALTER TABLE credential
	ADD COLUMN secret_digest bytea
		CONSTRAINT credential_secret_digest_key UNIQUE
		CONSTRAINT credential_secret_digest_check CHECK (is_digest(secret_digest)),
	ADD CONSTRAINT credential_secret_erased_check
		CHECK (secret_digest IS NULL OR revoked_at IS NULL);

-- A public key for private_key_jwt.  The kid of a removed key never comes back, so that a
-- signature under the old key cannot pass for one under the new.
CREATE TABLE client_key (
	id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT client_key_pkey PRIMARY KEY,
	client_id bigint NOT NULL CONSTRAINT client_key_client_fkey REFERENCES api_client,
	kid text NOT NULL
		CONSTRAINT client_key_kid_check CHECK (kid ~ '^[A-Za-z0-9._~:=+/-]{1,64}$'),
	spki bytea NOT NULL  -- DER; P-256, not compressed
		CONSTRAINT client_key_spki_check CHECK (length(spki) = 91 AND substr(spki, 1, 27)
			= '\x3059301306072a8648ce3d020106082a8648ce3d03010703420004'),
	created_at timestamptz NOT NULL,
	expires_at timestamptz NOT NULL,
	removed_at timestamptz,
	CONSTRAINT client_key_client_kid_key UNIQUE (client_id, kid)
);

-- A login of deployed clients.  Its rights are those of its client.  A password that we have made
-- is kept as @digest = SHA-256("login" 0x00 user 0x00 password) and @secret_digest as above; one
-- that somebody has chosen as an argon2id @hash.  None of them: nobody can log in.
CREATE TABLE api_user (
	id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT api_user_pkey PRIMARY KEY,
	client_id bigint NOT NULL CONSTRAINT api_user_client_fkey REFERENCES api_client,
	name text NOT NULL CONSTRAINT api_user_name_key UNIQUE
		CONSTRAINT api_user_name_check CHECK (name ~ '^[A-Za-z0-9._@+-]{1,64}$'),
	digest bytea CONSTRAINT api_user_digest_key UNIQUE
		CONSTRAINT api_user_digest_check CHECK (is_digest(digest)),
	secret_digest bytea CONSTRAINT api_user_secret_digest_key UNIQUE
		CONSTRAINT api_user_secret_digest_check CHECK (is_digest(secret_digest)),
	hash text
		-- What one verification may cost, as in src/crypto/password.c.
		CONSTRAINT api_user_hash_check CHECK (length(hash) <= 255 AND hash ~
			('^\$argon2id\$v=19\$m=[1-9][0-9]{3,4},t=[1-5],p=[1-4]'
			'\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}$')
			AND substring(hash FROM 'm=([0-9]+)')::numeric BETWEEN 7168 AND 65536),
	created_at timestamptz NOT NULL,
	tokens_from timestamptz NOT NULL,  -- access tokens made until then are void
	disabled_at timestamptz,
	CONSTRAINT api_user_one_password_check CHECK (digest IS NULL OR hash IS NULL),
	CONSTRAINT api_user_secret_digest_of_check
		CHECK (secret_digest IS NULL OR digest IS NOT NULL)
);
CREATE INDEX api_user_client ON api_user (client_id);

-- What a client has got for one of the above.  It is as good as what it was got for: issuing looks
-- that up too, so a rotation or removal writes nothing here.  Like the ledger it has no foreign
-- keys; rows go when they have expired (grant_tokens).
CREATE TABLE access_token (
	digest bytea CONSTRAINT access_token_pkey PRIMARY KEY  -- SHA-256("token" 0x00 token)
		CONSTRAINT access_token_digest_check CHECK (is_digest(digest)),
	client_id bigint NOT NULL,
	credential_id bigint,
	client_key_id bigint,
	api_user_id bigint,
	scopes int2 NOT NULL CONSTRAINT access_token_scopes_check CHECK (scopes BETWEEN 0 AND 7),
	issued_at timestamptz NOT NULL,
	expires_at timestamptz NOT NULL,
	revoked_at timestamptz,
	request_id text NOT NULL,
	peer bytea NOT NULL CONSTRAINT access_token_peer_check CHECK (length(peer) = 16),
	CONSTRAINT access_token_source_check
		CHECK (num_nonnulls(credential_id, client_key_id, api_user_id) = 1),
	CONSTRAINT access_token_life_check
		CHECK (expires_at > issued_at AND expires_at <= issued_at + interval '1 h')
) WITH (autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX access_token_expires_at ON access_token (expires_at);

-- Assertions (private_key_jwt) that have been used, until they could not be used any more.
CREATE TABLE assertion_seen (
	client_id bigint NOT NULL,
	jti text NOT NULL CONSTRAINT assertion_seen_jti_check CHECK (length(jti) BETWEEN 1 AND 64),
	expires_at timestamptz NOT NULL,
	CONSTRAINT assertion_seen_pkey PRIMARY KEY (client_id, jti)
) WITH (autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX assertion_seen_expires_at ON assertion_seen (expires_at);

-- What an account must be told.
CREATE TABLE notice (
	id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT notice_pkey PRIMARY KEY,
	at timestamptz NOT NULL,
	account_id bigint NOT NULL CONSTRAINT notice_account_fkey REFERENCES account,
	client_id bigint CONSTRAINT notice_client_fkey REFERENCES api_client,
	kind text NOT NULL CONSTRAINT notice_kind_check
		CHECK (kind IN ('secret_reported', 'password_reported', 'access_token_reported')),
	detail text NOT NULL,
	request_id text NOT NULL
);
CREATE INDEX notice_account ON notice (account_id, id);

ALTER TABLE policy
	ADD COLUMN access_life interval NOT NULL DEFAULT '1 h'  -- of an access token
		CONSTRAINT policy_access_life_check CHECK (access_life BETWEEN '1 min' AND '1 h');

-- @asked: which kind of order was refused (enum order_kind: 1 issue, 2 grant).
ALTER TABLE token_refusal ADD COLUMN asked int2 NOT NULL DEFAULT 1;
CREATE INDEX token_refusal_request ON token_refusal (request_id);

-- By what right a token was asked for.  Of a token that came for an access token, these are what
-- the access token was got for.
ALTER TABLE token
	ADD COLUMN presented int2 NOT NULL DEFAULT 0,  -- 0 the secret itself, 1 an access token
	ADD COLUMN client_key_id bigint,
	ADD COLUMN api_user_id bigint,
	ALTER COLUMN credential_id DROP NOT NULL,
	ADD CONSTRAINT token_presented_check CHECK (presented IN (0, 1)),
	ADD CONSTRAINT token_source_check CHECK (
		num_nonnulls(credential_id, client_key_id, api_user_id) = 1
		AND (presented = 1 OR credential_id IS NOT NULL));
