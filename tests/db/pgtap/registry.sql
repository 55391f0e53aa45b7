-- SPDX-License-Identifier: Apache-2.0
-- Every function of the registry: its success, each of its refusals, its audit event.
BEGIN;
SELECT no_plan();
SET search_path = stipa, public;

CREATE TEMP TABLE before AS SELECT count(*) AS events, max(id) AS last FROM audit_event;

-- A row is one act: who calls, what, and what becomes of it.  They follow one another.
CREATE TEMP TABLE acts (n int GENERATED ALWAYS AS IDENTITY, statement text, outcome text);
INSERT INTO acts (statement, outcome) VALUES
	-- organisations
	($$organisation_add('a', 'r', 'Org', 'Org Inc.', '{sp,sca}')$$, '00000'),
	($$organisation_add('a', 'r', 'Org', 'Org Inc.', '{sp}')$$, '23505'),
	($$organisation_add('a', 'r', '', 'Org Inc.', '{sp}')$$, '22023 name: must not be empty'),
	($$organisation_add('a', 'r', 'O2', NULL, '{sp}')$$,
		'22023 legal name: must not be empty'),
	($$organisation_add('a', 'r', 'O2', 'O2', '{}')$$, '22023 kinds: at least one'),
	($$organisation_add('a', 'r', 'O2', 'O2', '{bank}')$$, '22023'),
	($$organisation_add('a', 'r', 'O2', E'O\n2', '{sp}')$$, '22023'),
	-- accounts: applied → in_review → active ⇄ suspended → revoked
	($$account_add('a', 'r', 'sp-new', 'Org', NULL, now() + interval '1 y')$$, '00000'),
	($$account_add('a', 'r', 'sp-new', 'Org', NULL, now() + interval '1 y')$$, '23505'),
	($$account_add('a', 'r', 'new', 'Org', NULL, now() + interval '1 y')$$,
		'22023 account: must be sp- and 1 to 32 of a-z 0-9 -'),
	($$account_add('a', 'r', 'sp-Up', 'Org', NULL, now() + interval '1 y')$$, '22023'),
	($$account_add('a', 'r', 'sp-x', 'Org', 'Other Inc.', now() + interval '1 y')$$,
		'22023 legal name: that of Org is Org Inc.'),
	($$account_add('a', 'r', 'sp-x', 'Org', NULL, now())$$,
		'22023 verified_until: must be a time ahead'),
	($$account_add('a', 'r', 'sp-x', 'Org', NULL, NULL)$$, '22023'),
	($$account_suspend('a', 'r', 'sp-new')$$, '55000 account sp-new is applied, not active'),
	($$account_review('a', 'r', 'sp-new')$$, '00000'),
	($$account_review('a', 'r', 'sp-new')$$, '55000'),
	($$account_approve('a', 'r', 'sp-new', '', NULL)$$, '22023 evidence: must not be empty'),
	($$account_approve('a', 'r', 'sp-new', 'e', now())$$, '22023'),
	($$account_approve('a', 'r', 'sp-new', 'e', now() + interval '2 y')$$, '00000'),
	($$account_approve('a', 'r', 'sp-new', 'e', NULL)$$,
		'55000 account sp-new is active, not in_review'),
	($$account_refuse('a', 'r', 'sp-new')$$, '55000'),
	($$account_reinstate('a', 'r', 'sp-new')$$, '55000'),
	($$account_suspend('a', 'r', 'sp-new')$$, '00000'),
	($$account_suspend('a', 'r', 'sp-new')$$, '55000'),
	($$account_reinstate('a', 'r', 'sp-new')$$, '00000'),
	($$account_suspend('a', 'r', 'sp-none')$$, 'P0002 no account sp-none'),
	($$account_verify('a', 'r', 'sp-new', 'e', now() - interval '1 d')$$, '00000'),
	($$account_verify('a', 'r', 'sp-new', 'e', NULL)$$,
		'22023 verified_until: must not be empty'),
	($$account_verify('a', 'r', 'sp-new', ' ', now())$$, '22023'),
	($$account_token_life('a', 'r', 'sp-new', '1 h')$$, '00000'),
	($$account_token_life('a', 'r', 'sp-new', '9 min')$$, '22023'),
	($$account_token_life('a', 'r', 'sp-new', NULL)$$, '00000'),
	($$account_add('a', 'r', 'sp-bad', 'Bad', NULL, now() + interval '1 y')$$, '00000'),
	($$account_refuse('a', 'r', 'sp-bad')$$, '00000'),
	($$account_review('a', 'r', 'sp-bad')$$, '55000'),
	($$account_close('a', 'r', 'sp-bad')$$, '55000'),
	($$account_verify('a', 'r', 'sp-bad', 'e', now())$$, '55000 account sp-bad is refused'),
	-- aliases
	($$alias_add('a', 'r', 'sp-new', '4711')$$, '00000'),
	($$alias_add('a', 'r', 'sp-1', '4711')$$, '23505'),
	($$alias_add('a', 'r', 'sp-new', 'sp-1')$$, '22023'),
	($$alias_add('a', 'r', 'sp-new', 'a/b')$$, '22023'),
	($$alias_add('a', 'r', 'sp-bad', 'bad')$$, '55000'),
	($$alias_remove('a', 'r', 'sp-1', '4711')$$, 'P0002 account sp-1 has no alias 4711'),
	($$alias_remove('a', 'r', 'sp-new', '4711')$$, '00000'),
	-- codes
	($$spc_assign('a', 'r', 'sp-new', '683G')$$, '00000'),
	($$spc_assign('a', 'r', 'sp-1', '683G')$$, '23P01 the SPC 683G is held by sp-new'),
	($$spc_assign('a', 'r', 'sp-new', '683G')$$, '23P01'),
	($$spc_assign('a', 'r', 'sp-new', '683g')$$, '22023 spc: OCN is written ^[0-9A-Z]{4,5}$'),
	($$spc_assign('a', 'r', 'sp-new', '12')$$, '22023'),
	($$spc_assign('a', 'r', 'sp-new', NULL)$$, '22023'),
	($$spc_assign('a', 'r', 'sp-new', 'OPC000')$$, '22023'),
	($$spc_assign('a', 'r', 'sp-new', 'OPC000', 'national')$$, '00000'),
	($$spc_assign('a', 'r', 'sp-new', 'LUP01', 'RespOrg', now() + interval '1 d', 'e')$$,
		'00000'),
	($$spc_assign('a', 'r', 'sp-new', '0226', 'OCN', now())$$, '22023'),
	($$spc_assign('a', 'r', 'sp-new', '0226', 'phone')$$, 'P0002 no kind of SPC phone'),
	($$spc_assign('a', 'r', 'sp-none', '0226')$$, 'P0002'),
	($$spc_assign('a', 'r', 'sp-bad', '0226')$$, '55000'),
	($$spc_verify('a', 'r', 'sp-new', 'LUP01', 'e', now() - interval '1 d')$$, '00000'),
	($$spc_verify('a', 'r', 'sp-new', 'LUP01', '', now())$$,
		'22023 evidence: must not be empty'),
	($$spc_verify('a', 'r', 'sp-1', 'LUP01', 'e', now())$$,
		'P0002 account sp-1 does not hold the SPC LUP01'),
	($$spc_withdraw('a', 'r', 'sp-1', '683G')$$,
		'P0002 account sp-1 does not hold the SPC 683G'),
	($$spc_withdraw('a', 'r', 'sp-1', '9999')$$, 'P0002 nobody holds the SPC 9999'),
	($$spc_withdraw('a', 'r', 'sp-new', 'OPC000')$$, '00000'),
	($$spc_transfer('a', 'r', '683G', 'sp-new', 'e')$$,
		'55000 account sp-new holds the SPC 683G'),
	($$spc_transfer('a', 'r', '683G', 'sp-1', NULL)$$, '22023'),
	($$spc_transfer('a', 'r', '9999', 'sp-1', 'e')$$, 'P0002'),
	($$spc_transfer('a', 'r', '683G', 'sp-bad', 'e')$$, '55000'),
	($$spc_transfer('a', 'r', '683G', 'sp-1', 'e')$$, '00000'),
	-- clients
	($$client_add('a', 'r', 'sp-new', 'kms', sha256('1'), now() + interval '1 y')$$, '00000'),
	($$client_add('a', 'r', 'sp-1', 'kms', sha256('2'), now() + interval '1 y')$$, '23505'),
	($$client_add('a', 'r', 'sp-1', 'kms2', sha256('1'), now() + interval '1 y')$$, '23505'),
	($$client_add('a', 'r', 'sp-1', 'k!', sha256('2'), now() + interval '1 y')$$, '22023'),
	($$client_add('a', 'r', 'sp-1', 'kms2', '\x00', now() + interval '1 y')$$,
		'22023 digest: must be a SHA-256'),
	($$client_add('a', 'r', 'sp-1', 'kms2', decode(repeat('00', 32), 'hex'),
		now() + interval '1 y')$$, '22023'),
	($$client_add('a', 'r', 'sp-1', 'kms2', sha256('2'), now())$$,
		'22023 expires: must be a time ahead'),
	($$client_add('a', 'r', 'sp-bad', 'kms2', sha256('2'), now() + interval '1 y')$$, '55000'),
	($$client_disable('a', 'r', 'kms')$$, '00000'),
	($$client_disable('a', 'r', 'kms')$$, '55000 client kms is disabled'),
	($$client_disable('a', 'r', 'none')$$, 'P0002 no client none'),
	($$client_enable('a', 'r', 'kms')$$, '00000'),
	($$client_enable('a', 'r', 'kms')$$, '55000'),
	($$client_rotate('a', 'r', 'kms', sha256('3'), now() + interval '1 y')$$, '00000'),
	($$client_rotate('a', 'r', 'kms', sha256('3'), now() + interval '1 y')$$, '23505'),
	($$client_rotate('a', 'r', 'kms', sha256('4'), now() + interval '1 y', now())$$,
		'22023 keep_old_until: must be a time ahead'),
	($$client_rotate('a', 'r', 'none', sha256('4'), now() + interval '1 y')$$, 'P0002'),
	-- what narrows a client
	($$client_allow('a', 'r', 'kms', '{192.0.2.1,2001:db8::/32}')$$, '00000'),
	($$client_allow('a', 'r', 'kms', '{192.0.2.1/24}')$$,
		'22023 addresses: 192.0.2.1/24 is no address and no range, as 192.0.2.0/24 and '
		'2001:db8::/32 are'),
	($$client_allow('a', 'r', 'kms', '{here}')$$, '22023'),
	($$client_allow('a', 'r', 'kms', '{::ffff:10.0.0.0/104}')$$,
		'22023 addresses: write ::ffff:10.0.0.0/104 as one of IPv4'),
	($$client_allow('a', 'r', 'kms', ARRAY[NULL])$$, '22023'),
	($$client_allow('a', 'r', 'kms', ARRAY(SELECT '10.0.0.' || i
		FROM generate_series(1, 65) AS i))$$, '22023 addresses: at most 64 ranges'),
	($$client_allow('a', 'r', 'none', NULL)$$, 'P0002 no client none'),
	($$client_allow('a', 'r', 'kms', NULL)$$, '00000'),
	($$client_pin('a', 'r', 'kms', ARRAY[sha256('1'), sha256('2')])$$, '00000'),
	($$client_pin('a', 'r', 'kms', ARRAY['\x00'::bytea])$$,
		'22023 fingerprints: 32 bytes each'),
	($$client_pin('a', 'r', 'kms', ARRAY[NULL::bytea])$$, '22023'),
	($$client_pin('a', 'r', 'kms', ARRAY(SELECT sha256(i::text::bytea)
		FROM generate_series(1, 65) AS i))$$, '22023 fingerprints: at most 64'),
	($$client_pin('a', 'r', 'none', NULL)$$, 'P0002'),
	($$client_pin('a', 'r', 'kms', '{}')$$, '00000'),
	($$client_scopes('a', 'r', 'kms', 3::int2)$$, '00000'),
	($$client_scopes('a', 'r', 'kms', 8::int2)$$, '22023 scopes: 0 to 7'),
	($$client_scopes('a', 'r', 'kms', NULL)$$, '22023'),
	($$client_scopes('a', 'r', 'none', 1::int2)$$, 'P0002'),
	-- keys of a client
	($$client_key_add('a', 'r', 'kms', 'k1', public.spki('1'), now() + interval '1 y')$$,
		'00000'),
	($$client_key_add('a', 'r', 'kms', 'k1', public.spki('2'), now() + interval '1 y')$$,
		'23505 client kms has or had a key k1: choose another kid'),
	($$client_key_add('a', 'r', 'kms', 'k 2', public.spki('2'), now() + interval '1 y')$$,
		'22023 kid: must be 1 to 64 of A-Z a-z 0-9 . _ ~ : = + / -'),
	($$client_key_add('a', 'r', 'kms', 'k2', public.spki('2'), now())$$,
		'22023 expires: must be a time ahead'),
	($$client_key_add('a', 'r', 'kms', 'k2', '\x3059', now() + interval '1 y')$$,
		'22023 key: must be a public key on P-256 (SPKI, DER)'),
	($$client_key_add('a', 'r', 'kms', 'k2', NULL, now() + interval '1 y')$$, '22023'),
	($$client_key_add('a', 'r', 'none', 'k2', public.spki('2'), now() + interval '1 y')$$,
		'P0002'),
	($$client_key_remove('a', 'r', 'kms', 'k2')$$, 'P0002 client kms has no key k2'),
	($$client_key_remove('a', 'r', 'kms', 'k1')$$, '00000'),
	($$client_key_remove('a', 'r', 'kms', 'k1')$$, 'P0002'),
	($$client_key_add('a', 'r', 'kms', 'k1', public.spki('3'), now() + interval '1 y')$$,
		'23505'),
	-- API users
	($$api_user_add('a', 'r', 'kms', 'u@sp.example', sha256('p1'), NULL, sha256('s1'))$$,
		'00000'),
	($$api_user_add('a', 'r', 'kms', 'u@sp.example', sha256('p2'), NULL)$$, '23505'),
	($$api_user_add('a', 'r', 'kms', 'u 2', sha256('p2'), NULL)$$,
		'22023 user: must be 1 to 64 of A-Z a-z 0-9 . _ @ + -'),
	($$api_user_add('a', 'r', 'kms', 'u2', NULL, NULL)$$,
		'22023 password: either a digest or a hash'),
	($$api_user_add('a', 'r', 'kms', 'u2', sha256('p2'), public.argon('m=19456,t=2,p=1'))$$,
		'22023'),
	($$api_user_add('a', 'r', 'kms', 'u2', '\x00', NULL)$$,
		'22023 digest: must be a SHA-256'),
	($$api_user_add('a', 'r', 'kms', 'u2', sha256('p2'), NULL, '\x00')$$,
		'22023 secret_digest: must be a SHA-256'),
	($$api_user_add('a', 'r', 'kms', 'u2', NULL, public.argon('m=19456,t=2,p=1'),
		sha256('s2'))$$, '22023 secret_digest: of a password that was made here'),
	($$api_user_add('a', 'r', 'kms', 'u2', NULL, public.argon('m=65537,t=2,p=1'))$$, '22023'),
	($$api_user_add('a', 'r', 'kms', 'u2', NULL, public.argon('m=7167,t=2,p=1'))$$, '22023'),
	($$api_user_add('a', 'r', 'kms', 'u2', NULL, public.argon('m=19456,t=6,p=1'))$$, '22023'),
	($$api_user_add('a', 'r', 'kms', 'u2', NULL, '$2y$12$abcdefghijklmnopqrstuv')$$, '22023'),
	($$api_user_add('a', 'r', 'none', 'u2', sha256('p2'), NULL)$$, 'P0002'),
	($$api_user_add('a', 'r', 'kms', 'u2', NULL, public.argon('m=65536,t=2,p=1'))$$, '00000'),
	($$api_user_rotate('a', 'r', 'u2', NULL, public.argon('m=7168,t=5,p=1'))$$, '00000'),
	($$api_user_rotate('a', 'r', 'u2', NULL, NULL)$$, '22023'),
	($$api_user_rotate('a', 'r', 'u3', sha256('p3'), NULL)$$, 'P0002 no API user u3'),
	($$api_user_rotate('a', 'r', 'u2', sha256('p1'), NULL)$$, '23505'),
	($$api_user_rotate('a', 'r', 'u2', sha256('p2'), NULL, sha256('s2'))$$, '00000'),
	($$api_user_disable('a', 'r', 'u2')$$, '00000'),
	($$api_user_disable('a', 'r', 'u2')$$, '55000 API user u2 is disabled'),
	($$api_user_disable('a', 'r', 'u3')$$, 'P0002'),
	($$api_user_enable('a', 'r', 'u2')$$, '00000'),
	($$api_user_enable('a', 'r', 'u2')$$, '55000 API user u2 is not disabled'),
	($$api_user_enable('a', 'r', 'u3')$$, 'P0002'),
	-- reported later: found without knowing whose they are
	($$client_add('a', 'r', 'sp-1', 'kms3', sha256('5'), now() + interval '1 y',
		sha256('s5'))$$, '00000'),
	($$client_add('a', 'r', 'sp-1', 'kms4', sha256('6'), now() + interval '1 y',
		sha256('s5'))$$, '23505'),
	($$client_rotate('a', 'r', 'kms3', sha256('7'), now() + interval '1 y', NULL, '\x00')$$,
		'22023 secret_digest: must be a SHA-256'),
	($$client_rotate('a', 'r', 'kms3', sha256('7'), now() + interval '1 y', NULL,
		sha256('s5'))$$, '23505'),
	($$client_rotate('a', 'r', 'kms3', sha256('7'), now() + interval '1 y', NULL,
		sha256('s7'))$$, '00000'),
	-- delegations
	($$delegation_grant('a', 'r', 'sp-1', '683G', 'SCA', '1.0', 'e', now() + interval '1 y')$$,
		'00000'),
	($$delegation_grant('a', 'r', 'sp-new', '683G', 'SCA', '1.0', 'e',
		now() + interval '1 y')$$, '55000 account sp-new does not hold the SPC 683G'),
	($$delegation_grant('a', 'r', 'sp-1', '9999', 'SCA', '1.0', 'e', now() + interval '1 y')$$,
		'P0002'),
	($$delegation_grant('a', 'r', 'sp-1', '683G', '', '1.0', 'e', now() + interval '1 y')$$,
		'22023 sca: must not be empty'),
	($$delegation_grant('a', 'r', 'sp-1', '683G', 'SCA', '', 'e', now() + interval '1 y')$$,
		'22023 cps_version: must not be empty'),
	($$delegation_grant('a', 'r', 'sp-1', '683G', 'SCA', '1.0', '', now() + interval '1 y')$$,
		'22023 evidence: must not be empty'),
	($$delegation_grant('a', 'r', 'sp-1', '683G', 'SCA', '1.0', 'e', now())$$,
		'22023 until: must be a time ahead'),
	($$delegation_grant('a', 'r', 'sp-1', '683G', 'SCA', '1.0', 'e', now() + interval '1 y',
		'{}')$$, '22023 clients: at least one, or all'),
	($$delegation_grant('a', 'r', 'sp-1', '683G', 'SCA', '1.0', 'e', now() + interval '1 y',
		'{client-1,client-2}')$$, 'P0002 account sp-1 has no client client-2'),
	($$delegation_withdraw('a', 'r', (SELECT max(id) FROM delegation))$$, '00000'),
	($$delegation_withdraw('a', 'r', (SELECT max(id) FROM delegation))$$, '55000'),
	($$delegation_withdraw('a', 'r', 999999)$$, 'P0002 no delegation 999999'),
	-- signers
	($$signer_register('a', 'r', 'k1', 'token', '\x30', 'PEM', 'https://h/k1.pem', now(), now(),
		now() + interval '1 y', now() + interval '2 y')$$, '00000'),
	($$signer_register('a', 'r', 'k1', 'token', '\x3001', 'PEM', 'https://h/k1.pem', now(),
		now(), now() + interval '1 y', now() + interval '2 y')$$, '23505'),
	($$signer_register('a', 'r', 'k2', 'token', '\x30', 'PEM', 'https://h/k2.pem', now(),
		now(), now() + interval '1 y', now() + interval '2 y')$$, '23505'),
	($$signer_register('a', 'r', 'k2', 'token', '\x2d2d', 'PEM', 'https://h/k2.pem', now(),
		now(), now() + interval '1 y', now() + interval '2 y')$$,
		'22023 certificate: must be DER'),
	($$signer_register('a', 'r', 'k2', 'tokens', '\x3002', 'PEM', 'https://h/k2.pem', now(),
		now(), now() + interval '1 y', now() + interval '2 y')$$, '22023'),
	($$signer_register('a', 'r', 'k2', 'token', '\x3002', 'PEM', 'http://h/k2.pem', now(),
		now(), now() + interval '1 y', now() + interval '2 y')$$, '22023'),
	($$signer_register('a', 'r', 'k2', 'token', '\x3002', 'PEM', 'https://h/"k2', now(),
		now(), now() + interval '1 y', now() + interval '2 y')$$, '22023'),
	($$signer_register('a', 'r', 'k2', 'token', '\x3002', 'PEM', 'https://h/\k2', now(),
		now(), now() + interval '1 y', now() + interval '2 y')$$, '22023'),
	($$signer_register('a', 'r', 'k 2', 'token', '\x3002', 'PEM', 'https://h/k2.pem', now(),
		now(), now() + interval '1 y', now() + interval '2 y')$$, '22023'),
	($$signer_register('a', 'r', 'k2', 'token', '\x3002', 'PEM', 'https://h/k2.pem',
		now() + interval '1 h', now(), now() + interval '1 y', now() + interval '2 y')$$,
		'22023 times: published, active, retired, removed, in this order'),
	($$signer_retire('a', 'r', 'k1')$$, '00000'),
	($$signer_retire('a', 'r', 'k1')$$, '55000 signer k1 is retired'),
	($$signer_retire('a', 'r', 'k9')$$, 'P0002 no signer k9'),
	-- policy
	($$policy_set('a', 'r', '1 h', 0::int2, NULL, false, NULL)$$, '00000'),
	($$policy_set('a', 'r', '1 h', 7::int2, 'https://pa', true, now() + interval '1 d')$$,
		'00000'),
	($$policy_set('a', 'r', '9 min', 0::int2, NULL, true, NULL)$$,
		'22023 token_life: 10 min to 398 d'),
	($$policy_set('a', 'r', '399 d', 0::int2, NULL, true, NULL)$$, '22023'),
	($$policy_set('a', 'r', '1 h', 8::int2, 'i', true, NULL)$$,
		'22023 optional_claims: 0 to 7'),
	($$policy_set('a', 'r', '1 h', 1::int2, NULL, true, NULL)$$,
		'22023 issuer: the claim iss needs one'),
	($$policy_set('a', 'r', '1 h', 1::int2, 'a"b', true, NULL)$$, '22023'),
	($$policy_set('a', 'r', '1 h', 1::int2, 'a\b', true, NULL)$$, '22023'),
	($$policy_set('a', 'r', '1 h', 0::int2, NULL, NULL, NULL)$$, '22023'),
	($$policy_set('a', 'r', '1 h', 0::int2, NULL, true, now() - interval '1 d')$$,
		'22023 from: must be a time ahead'),
	($$policy_set('a', 'r', '1 h', 0::int2, NULL, true, NULL, '2 h')$$,
		'22023 access_life: 1 min to 1 h'),
	($$policy_set('a', 'r', '1 h', 0::int2, NULL, true, NULL, '30 s')$$, '22023'),
	($$policy_set('a', 'r', '1 h', 0::int2, NULL, true, NULL, '30 min')$$, '00000'),
	($$policy_set('a', 'r', '2 h', 0::int2, NULL, true, NULL)$$, '00000'),
	-- the mark of a node
	($$mark_accept('a', 'r', new_jti())$$, '00000'),
	($$mark_accept('a', 'r', NULL)$$, '22023 marked: want the jti of a token'),
	-- the end of accounts
	($$account_revoke('a', 'r', 'sp-new')$$, '00000'),
	($$account_revoke('a', 'r', 'sp-new')$$, '55000'),
	($$account_reinstate('a', 'r', 'sp-new')$$, '55000'),
	($$account_close('a', 'r', 'sp-1')$$, '00000'),
	($$account_close('a', 'r', 'sp-1')$$,
		'55000 account sp-1 is closed, not applied or in_review or active or suspended');

CREATE TEMP TABLE results AS
SELECT n, statement, outcome AS wanted,
	outcome('SELECT ' || statement, 'stipa_operator', length(outcome) > 5) AS found
FROM acts ORDER BY n;

SELECT is(found, wanted, regexp_replace(statement, '\s+', ' ', 'g')) FROM results ORDER BY n;

-- Audit: every act that was made is there, once; none that was refused.
SELECT is((SELECT string_agg(action, ' ' ORDER BY id) FROM audit_event, before
		WHERE id > before.last),
	(SELECT string_agg(substr(statement, 1, strpos(statement, '(') - 1), ' ' ORDER BY n)
		FROM results WHERE found = '00000'),
	'each act writes one event, a refusal none');
SELECT is_empty($$
	SELECT proname FROM pg_proc
	WHERE pronamespace = 'stipa'::regnamespace AND proargnames[1:2] = '{actor,reason}'
	AND proname NOT IN ('act', 'act_taking')
	EXCEPT SELECT action FROM audit_event$$, 'every function of the registry was called here');
SELECT is_empty($$SELECT * FROM audit_event WHERE actor = 'a' AND reason <> 'r'$$,
	'events name the reason that was given');
SELECT is(audit_verify(), NULL, 'the chain is whole');

-- Every function refuses to act for nobody, and without a reason.
CREATE TEMP TABLE nameless AS
SELECT p.proname, who.actor, who.reason, who.message,
	format('SELECT stipa.%I(%L, %L%s)', proname, who.actor, who.reason,
		(SELECT string_agg(', NULL::' || format_type(type, NULL), '' ORDER BY at)
		FROM unnest(proargtypes::oid[]) WITH ORDINALITY AS a (type, at) WHERE at > 2))
		AS statement
FROM pg_proc AS p, (VALUES ('', 'r', 'actor'), (NULL, 'r', 'actor'), ('a', ' ', 'reason'),
		    ('a', NULL, 'reason')) AS who (actor, reason, message)
WHERE p.pronamespace = 'stipa'::regnamespace AND p.proargnames[1:2] = '{actor,reason}'
AND p.proname NOT IN ('act', 'act_taking');
SELECT is_empty($$
	SELECT * FROM (SELECT *, outcome(statement, 'stipa_owner', true) AS found
		FROM nameless) AS o
	WHERE found <> '22023 ' || message || ': must not be empty'$$,
	'an actor and a reason are always given');

-- What the acts have left.
SELECT is((SELECT string_agg(s.state, ' ' ORDER BY s.id) FROM account_state AS s
		JOIN account AS a ON a.id = s.account_id WHERE a.name = 'sp-new'),
	'applied in_review active suspended active revoked', 'each state of an account is dated');
SELECT ok((SELECT bool_and(since > before) FROM (
		SELECT since, lag(since, 1, '-infinity') OVER (ORDER BY id) AS before
		FROM account_state WHERE account_id = (the_account('sp-new')).id) AS s),
	'one after the other');
SELECT is((SELECT string_agg(a.name || ' ' || (h.held_until IS NULL), ', ' ORDER BY h.held_from)
		FROM spc_assignment AS h JOIN account AS a ON a.id = h.account_id
		WHERE h.spc = '683G'),
	'sp-new false, sp-1 false',
	'a code has a history of holders; the closed account has ended');
SELECT is((SELECT count(*) FROM spc_assignment AS h JOIN spc_assignment AS g
		ON g.spc = h.spc AND g.held_until = h.held_from WHERE h.spc = '683G'),
	1::bigint, 'a transfer is one moment');
SELECT is((SELECT spcs FROM account_view WHERE account = 'sp-new'), '',
	'a revoked account holds nothing');
SELECT is((SELECT count(*) FROM credential AS c JOIN api_client AS k ON k.id = c.client_id
		WHERE k.name = 'kms' AND c.digest IS NOT NULL), 1::bigint,
	'a rotation erases the old digest');
SELECT throws_ok($$INSERT INTO spc_assignment (account_id, kind, spc, held_from)
	SELECT id, 'OCN', '1002', clock_timestamp() FROM account WHERE name = 'sp-3'$$,
	'23P01', NULL, 'one holder at a time, whoever writes');

SELECT is((SELECT access_life FROM policy_view ORDER BY version DESC LIMIT 1), '00:30:00',
	'the life of access tokens stays where none is given');
SELECT is((SELECT concat_ws(' ', allowed = '', pinned = '', scopes, keys = '', users)
	FROM client_view WHERE client = 'kms'), 't t spc-token spc-token:ca t u2,u@sp.example',
	'what the client has got');
SELECT is((SELECT string_agg(concat_ws(' ', "user", client, state, password), ', '
	ORDER BY "user") FROM api_user_view), 'u2 kms enabled generated, u@sp.example kms '
	'enabled generated', 'its users');
SELECT is((SELECT concat_ws(' ', client, account, kid, state, sha256) FROM client_key_view),
	'kms sp-new k1 removed ' || encode(sha256(spki('1')), 'hex'), 'its key');
SELECT is((SELECT count(secret_digest) FROM credential), 1::bigint,
	'a rotation erases this digest too');

-- Rotation with an overlap: the newest old secret lives on, and only that.
SELECT client_rotate('a', 'r', 'client-2', sha256('n1'), now() + interval '1 y',
	now() + interval '1 h');
SELECT client_rotate('a', 'r', 'client-2', sha256('n2'), now() + interval '1 y',
	now() + interval '2 h');
SELECT is((SELECT string_agg(CASE digest WHEN sha256('n1') THEN 'n1' WHEN sha256('n2') THEN 'n2'
			ELSE 'erased' END || (expires_at < now() + interval '1 d'), ' ' ORDER BY id)
		FROM credential WHERE client_id = (the_client('client-2')).id),
	'erasedtrue n1true n2false', 'two live secrets at most');
SELECT is((SELECT secrets FROM client_view WHERE client = 'client-2'), '2', 'and the view says so');

-- A bad value is told by its name and its rule; no row is shown.
SELECT throws_ok('SELECT ' || call, '22023', message, message) FROM (VALUES
	($$organisation_add('a', 'r', repeat('x', 201), 'O', '{sp}')$$,
		'name: must be 1 to 200 characters in one line'),
	($$account_add('a', 'r', 'sp-r', 'R', E'R\nR', now() + interval '1 y')$$,
		'legal_name: must be 1 to 200 characters in one line'),
	($$organisation_add('a', 'r', 'R', 'R', '{sp,bank}')$$,
		'kinds: must be of pa, ga, sp, sti_ca, sca and partner'),
	($$account_token_life('a', 'r', 'sp-20', '399 d')$$, 'token_life: 10 min to 398 d'),
	($$delegation_grant('a', 'r', 'sp-20', '1020', E'S\tS', '1', 'e', now() + interval '1 y')$$,
		'sca: must be 1 to 200 characters in one line'),
	($$policy_set('a', 'r', '1 h', 1::int2, 'a b', true, NULL)$$,
		'issuer: must be 1 to 255 printable ASCII characters but space, " and \'),
	($$signer_register('a', 'r', 'k 2', 'token', '\x3002', 'PEM', 'https://h/k2.pem', now(),
		now(), now() + interval '1 y', now() + interval '2 y')$$,
		'kid: must be 1 to 63 of A-Z a-z 0-9 . _ -'),
	($$api_user_add('a', 'r', 'client-20', 'u-r', NULL, 'a secret in plain text')$$,
		'hash: must be argon2id, version 19, m 7168 to 65536, t 1 to 5, p 1 to 4'))
	AS v (call, message);

SELECT * FROM finish();
ROLLBACK;
