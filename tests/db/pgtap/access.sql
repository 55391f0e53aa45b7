-- SPDX-License-Identifier: Apache-2.0
-- Access tokens: what they are got for, what they are good for, how they end; and what narrows a
-- client, whatever it presents.
BEGIN;
SELECT no_plan();
SET search_path = stipa, public;

-- One grant: its verdict by name.  The access token @token has the digest SHA-256(@token).
CREATE FUNCTION pg_temp.granted(method int, digest bytea, token text, client text DEFAULT '',
		kid text DEFAULT '', jti text DEFAULT '', until interval DEFAULT '5 min',
		scopes int DEFAULT 0, peer bytea DEFAULT '\x00000000000000000000ffff7f000001',
		skew interval DEFAULT '0') RETURNS text
	LANGUAGE sql VOLATILE
AS $$
	SELECT verdict_name(verdict) || CASE verdict WHEN 0 THEN ' ' || scopes_text(g.scopes)
		ELSE '' END
	FROM grant_tokens(clock_timestamp() + skew, ARRAY[method]::int2[], ARRAY[digest],
		ARRAY[client], ARRAY[kid], ARRAY[jti],
		ARRAY[floor(extract(epoch FROM clock_timestamp() + until))::int8],
		ARRAY[scopes]::int2[], ARRAY[sha256(token::bytea)], ARRAY[peer], '{grant}') AS g;
$$;

-- One order with an access token: its verdict by name.
CREATE FUNCTION pg_temp.asked(token text, client int DEFAULT 1, ca bool DEFAULT false,
		defect int DEFAULT 0, account text DEFAULT NULL, spc text DEFAULT NULL,
		dry_run bool DEFAULT false) RETURNS text
	LANGUAGE sql VOLATILE
AS $$
	SELECT verdict_name(verdict) FROM order_tokens(ARRAY[client],
		ARRAY[coalesce(account, 'sp-' || client)],
		ARRAY[coalesce(spc, (1000 + client)::text)], ARRAY[defect]::int2[], ARRAY[ca],
		tokens => ARRAY[token], dry_run => dry_run);
$$;

CREATE FUNCTION pg_temp.revoked(method int, digest bytea, token text, client text DEFAULT '',
		kid text DEFAULT '', jti text DEFAULT '') RETURNS text
	LANGUAGE sql VOLATILE
AS $$
	SELECT verdict_name(verdict)
	FROM revoke_tokens(ARRAY[method]::int2[], ARRAY[digest], ARRAY[client], ARRAY[kid],
		ARRAY[jti], ARRAY[floor(extract(epoch FROM clock_timestamp()))::int8 + 300],
		ARRAY[sha256(token::bytea)],
		ARRAY['\x00000000000000000000ffff7f000001'::bytea]);
$$;

CREATE FUNCTION pg_temp.reported(secret text, token text DEFAULT '') RETURNS boolean
	LANGUAGE sql VOLATILE
	RETURN (SELECT hit FROM report_secrets(ARRAY[sha256(secret::bytea)],
		ARRAY[sha256(token::bytea)], '{report}',
		ARRAY['\x20010db8000000000000000000000001'::bytea]));

-- What client_keys() answers, in one line.
CREATE FUNCTION pg_temp.keys(clients text[], kids text[]) RETURNS text
	LANGUAGE sql STABLE
AS $$
	SELECT string_agg(concat_ws(' ', n, kid, CASE spki WHEN spki('k2') THEN 'k2'
		WHEN spki('k6') THEN 'k6' ELSE spki::text END), ', ' ORDER BY n)
	FROM client_keys(clients, kids);
$$;

-- client-1 has a user with a password of ours, one with a chosen password, and a key.
SELECT api_user_add('a', 'r', 'client-1', 'ours', sha256('ours'), NULL, sha256('of ours'));
SELECT api_user_add('a', 'r', 'client-1', 'chosen', NULL, argon('m=19456,t=2,p=1'));
SELECT client_key_add('a', 'r', 'client-1', 'k', spki('k'), now() + interval '1 y');

-- Each way to a token.
SELECT is(pg_temp.granted(1, sha256('client-1'), 'a'), 'issued spc-token spc-token:ca revoke',
	'for a secret');
SELECT is(pg_temp.granted(2, NULL, 'k', 'client-1', 'k', 'j1'),
	'issued spc-token spc-token:ca revoke', 'for an assertion');
SELECT is(pg_temp.granted(3, sha256('ours'), 'u'), 'issued spc-token spc-token:ca revoke',
	'for a password of ours');
SELECT is(pg_temp.granted(4, sha256(argon('m=19456,t=2,p=1')::bytea), 'c', 'chosen'),
	'issued spc-token spc-token:ca revoke', 'for a chosen password');
SELECT is(pg_temp.asked(t), 'issued', 'a token by ' || t) FROM unnest('{a,k,u,c}'::text[]) AS t;
SELECT set_eq($$SELECT asked_by FROM token_view$$, ARRAY['access token for secret '
	|| (SELECT id FROM credential WHERE digest = sha256('client-1')),
	'access token for key k', 'access token for user ours', 'access token for user chosen'],
	'the ledger says what each was asked with');
SELECT is((SELECT count(*) FROM access_token WHERE expires_at - issued_at
	BETWEEN '59 min 59 s' AND '1 h'), 4::bigint, 'each lives for an hour');
SELECT is((SELECT exp - floor(extract(epoch FROM now()))::int8 BETWEEN 3599 AND 3605
	FROM grant_tokens(clock_timestamp(), '{1}', ARRAY[sha256('client-1')], '{""}', '{""}',
		'{""}', '{0}', '{0}', ARRAY[sha256('e')],
		ARRAY['\x00000000000000000000ffff7f000001'::bytea], '{r}')), true, 'and says so');

-- Who gets none.
SELECT is(pg_temp.granted(1, sha256('x'), 'x'), 'stranger', 'a wrong secret');
SELECT is(pg_temp.granted(3, sha256('client-1'), 'x'), 'stranger', 'a secret is no password');
SELECT is(pg_temp.granted(1, sha256('ours'), 'x'), 'stranger', 'a password is no secret');
SELECT is(pg_temp.granted(3, NULL, 'x', 'chosen'), 'stranger', 'no digest');
SELECT is(pg_temp.granted(4, sha256('x'), 'x', 'chosen'), 'stranger',
	'a chosen password that was verified by another hash');
SELECT is(pg_temp.granted(4, sha256(''), 'x', 'ours'), 'stranger', 'a user without a hash');
SELECT is(pg_temp.granted(2, NULL, 'x', 'client-1', 'x', 'j2'), 'stranger', 'no such key');
SELECT is(pg_temp.granted(2, NULL, 'x', 'client-2', 'k', 'j2'), 'stranger', 'another''s key');
SELECT is(pg_temp.granted(5, sha256('client-1'), 'x', 'client-1', 'k', 'j2'), 'stranger',
	'no such method');
SELECT is(pg_temp.granted(NULL, sha256('client-1'), 'x'), 'stranger', 'no method');
SELECT is(pg_temp.granted(1, sha256('client-1'), 'x', skew => '3 s'), 'clock', 'a wrong clock');

-- An assertion is used once, as long as it could be used.
SELECT is(pg_temp.granted(2, NULL, 'x', 'client-1', 'k', 'j1'), 'replayed', 'a second time');
SELECT is(pg_temp.granted(2, NULL, 'k2', 'client-1', 'k', 'j2', scopes => 1), 'issued spc-token',
	'another one');
SELECT is(pg_temp.granted(2, NULL, 'x', 'client-1', 'k', 'j3', until => '-1 s'), 'stranger',
	'one that has ended');
SELECT is(pg_temp.granted(2, NULL, 'x', 'client-1', 'k', 'j3', until => '62 min'), 'stranger',
	'one that would live too long');
SELECT is(pg_temp.granted(2, NULL, 'kl', 'client-1', 'k', 'j3', until => '61 min', scopes => 1),
	'issued spc-token', 'one of an hour, and a minute for the clocks');
SELECT client_key_add('a', 'r', 'client-2', 'k', spki('k2'), now() + interval '1 y');
SELECT is(pg_temp.granted(2, NULL, 'k3', 'client-2', 'k', 'j1', scopes => 1), 'issued spc-token',
	'another client''s jti');
SELECT is((SELECT array_agg(verdict ORDER BY n) FROM grant_tokens(clock_timestamp(),
	'{2,2,1,2}', ARRAY[NULL, NULL, sha256('client-3'), NULL]::bytea[],
	'{client-1,client-1,"",client-2}', '{k,k,"",k}', '{j4,j4,"",j4}',
	array_fill(floor(extract(epoch FROM clock_timestamp()))::int8 + 60, ARRAY[4]), '{0,0,0,0}',
	ARRAY[sha256('b1'), sha256('b2'), sha256('b3'), sha256('b4')],
	array_fill('\x00000000000000000000ffff7f000001'::bytea, ARRAY[4]), '{r,r,r,r}')),
	'{0,20,0,0}'::int2[], 'nor twice in one batch');
UPDATE assertion_seen SET expires_at = now() - interval '1 s' WHERE jti = 'j4';
SELECT is(pg_temp.granted(2, NULL, 'b5', 'client-1', 'k', 'j4'),
	'issued spc-token spc-token:ca revoke', 'a jti of long ago');
UPDATE assertion_seen SET expires_at = now() - interval '2 min' WHERE jti = 'j4';
SELECT is(pg_temp.granted(2, NULL, 'b6', 'client-1', 'k', 'j4', until => '1 h', scopes => 1),
	'issued spc-token', 'one that is also to go');
SELECT is((SELECT string_agg(c.name, ' ') FROM assertion_seen AS s
	JOIN api_client AS c ON c.id = s.client_id WHERE s.jti = 'j4'), 'client-1',
	'what has expired goes, what has come stays');
SELECT is(pg_temp.granted(2, NULL, 'x', 'client-1', 'k', 'j4'), 'replayed',
	'as long as it is good');
SELECT throws_ok($$SELECT pg_temp.granted(2, NULL, 'x', 'client-1', 'k', '')$$, '23514', NULL,
	'an assertion without a jti fails');

-- Scopes: asked, permitted, held.
SELECT is(pg_temp.granted(1, sha256('client-2'), 's1', scopes => 1), 'issued spc-token', 'one');
SELECT is(pg_temp.granted(1, sha256('client-2'), 's4', scopes => 4), 'issued revoke', 'another');
SELECT is(pg_temp.granted(1, sha256('client-2'), 'x', scopes => 8), 'scope_not_permitted',
	'one that is not there');
SELECT delegation_grant('a', 'r', 'sp-2', '1002', 'SCA', '1', 'e', now() + interval '1 d');
SELECT is(pg_temp.asked('s1', 2), 'issued', 'spc-token is for tokens');
SELECT is(pg_temp.asked('s1', 2, ca => true), 'insufficient_scope', 'not for ca');
SELECT is(pg_temp.asked('s4', 2), 'insufficient_scope', 'revoke is for no token');
SELECT is(pg_temp.asked('s4', 2, defect => 3), 'insufficient_scope', 'before the body');
SELECT is(pg_temp.asked('s4', 2, account => 'sp-1'), 'no_such_account', 'after the account');
SELECT is(pg_temp.granted(1, sha256('client-2'), 's2', scopes => 2), 'issued spc-token:ca', 'ca');
SELECT is(pg_temp.asked('s2', 2, ca => true), 'issued', 'is for tokens with ca');
SELECT is(pg_temp.asked('s2', 2), 'issued', 'and without');
SELECT is(pg_temp.asked('a', 1, ca => true), 'no_delegation', 'the right before the scope');
SELECT client_scopes('a', 'r', 'client-2', 1::int2);
SELECT is(pg_temp.asked('s2', 2), 'insufficient_scope', 'a scope that the client has lost');
SELECT is(pg_temp.granted(1, sha256('client-2'), 'x', scopes => 2), 'scope_not_permitted',
	'is given no more');
SELECT is(pg_temp.granted(1, sha256('client-2'), 's0'), 'issued spc-token', 'all that it may');
SELECT is(verdict_name(order_token(2, 'sp-2', '1002', 0, true)::int2), 'insufficient_scope',
	'also for its secret');
SELECT client_scopes('a', 'r', 'client-2', 0::int2);
SELECT is(pg_temp.granted(1, sha256('client-2'), 'none'), 'scope_not_permitted',
	'a client without a scope gets no token');
SELECT is((SELECT count(*) FROM access_token WHERE digest = sha256('none')), 0::bigint,
	'nor is one recorded');
SELECT client_scopes('a', 'r', 'client-2', 7::int2);

-- What an access token is not.
SELECT is(pg_temp.asked('x'), 'invalid_token', 'an unknown token');
SELECT is(pg_temp.asked('x', defect => 3), 'invalid_token', 'learns nothing else');
SELECT is(pg_temp.asked('client-1'), 'invalid_token', 'a secret is no access token');
SELECT is(pg_temp.asked('a', account => 'sp-2'), 'no_such_account', 'it is for its account only');
SELECT is(pg_temp.asked('a', spc => '1002'), 'spc_not_held', 'and for its codes');
SELECT is((SELECT verdict FROM issue_tokens('test', clock_timestamp(), ARRAY[sha256('a')],
	'{sp-1}', '{1001}', '{MAigBhYEMTAwMQ==}', ARRAY['SHA256 00' || repeat(':00', 31)], '{f}',
	'{1}', '{0}', ARRAY[new_jti()], '{r}',
	ARRAY['\x00000000000000000000ffff7f000001'::bytea], '{0}', '{f}')), 1::int2,
	'an access token is no secret');

-- It ends when its source does.
SELECT api_user_disable('a', 'r', 'ours');
SELECT is(pg_temp.asked('u'), 'invalid_token', 'its user is disabled');
SELECT is(pg_temp.granted(3, sha256('ours'), 'x'), 'stranger', 'who gets no other');
SELECT api_user_enable('a', 'r', 'ours');
SELECT is(pg_temp.asked('u'), 'invalid_token', 'for good');
SELECT is(pg_temp.granted(3, sha256('ours'), 'u2'), 'issued spc-token spc-token:ca revoke',
	'but gets one again');
SELECT is(pg_temp.asked('u2'), 'issued', 'that is good');
SELECT api_user_rotate('a', 'r', 'ours', sha256('ours-2'), NULL);
SELECT is(pg_temp.asked('u2'), 'invalid_token', 'its user has another password');
SELECT is(pg_temp.granted(3, sha256('ours'), 'x'), 'stranger', 'the old one is nobody''s');
SELECT api_user_rotate('a', 'r', 'chosen', NULL, argon('m=19456,t=3,p=1'));
SELECT is(pg_temp.granted(4, sha256(argon('m=19456,t=2,p=1')::bytea), 'x', 'chosen'), 'stranger',
	'a password that was changed while it was verified');
SELECT client_key_remove('a', 'r', 'client-1', 'k');
SELECT is(pg_temp.asked('k'), 'invalid_token', 'its key is removed');
SELECT is(pg_temp.granted(2, NULL, 'x', 'client-1', 'k', 'j5'), 'stranger', 'that gives no other');
SELECT client_rotate('a', 'r', 'client-1', sha256('client-1b'), now() + interval '1 y',
	now() + interval '1 h');
SELECT is(pg_temp.asked('a'), 'issued', 'its secret lives on');
SELECT client_rotate('a', 'r', 'client-1', sha256('client-1c'), now() + interval '1 y');
SELECT is(pg_temp.asked('a'), 'invalid_token', 'its secret is rotated');
SELECT is(pg_temp.granted(1, sha256('client-1c'), 'a2'), 'issued spc-token spc-token:ca revoke',
	'a new one');
SELECT client_disable('a', 'r', 'client-1');
SELECT is(pg_temp.asked('a2'), 'client_disabled', 'its client is disabled');
SELECT is(pg_temp.granted(1, sha256('client-1c'), 'x'), 'client_disabled', 'that gets no other');
SELECT client_enable('a', 'r', 'client-1');
SELECT account_suspend('a', 'r', 'sp-1');
SELECT is(pg_temp.asked('a2'), 'account_not_active', 'its account is suspended');
SELECT account_reinstate('a', 'r', 'sp-1');
SELECT is(pg_temp.asked('a2'), 'issued', 'and active again');
UPDATE credential SET expires_at = clock_timestamp() WHERE digest = sha256('client-1c');
SELECT is(pg_temp.asked('a2'), 'invalid_token', 'its secret has expired');
SELECT is(pg_temp.granted(1, sha256('client-1c'), 'x'), 'credential_expired',
	'that gives no other');
UPDATE credential SET expires_at = clock_timestamp() + interval '90 s'
	WHERE digest = sha256('client-1c');
SELECT is(pg_temp.granted(1, sha256('client-1c'), 'a3', scopes => 1), 'issued spc-token',
	'it gives one');
SELECT is((SELECT expires_at FROM access_token WHERE digest = sha256('a3')), (SELECT expires_at
	FROM credential WHERE digest = sha256('client-1c')), 'that ends when it does');
UPDATE credential SET expires_at = now() + interval '1 y' WHERE digest = sha256('client-1c');
UPDATE access_token SET issued_at = now() - interval '1 h', expires_at = now() - interval '1 s'
	WHERE digest = sha256('a3');
SELECT is(pg_temp.asked('a3'), 'invalid_token', 'an hour is over');
UPDATE client_key SET expires_at = clock_timestamp() WHERE spki = spki('k2');
SELECT is(pg_temp.asked('k3', 2), 'invalid_token', 'its key has expired');
SELECT is(pg_temp.granted(2, NULL, 'x', 'client-2', 'k', 'j9'), 'credential_expired',
	'that says so');

-- What a node reads to verify.
SELECT is(told, '1 k k2, 2, 3', 'a key, also an expired one; not a removed one, nor another''s')
FROM pg_temp.keys('{client-2,client-1,client-3}', '{k,k,k}') AS told;
SELECT is(told, '1, 2, 3, 4', 'without a kid: none that is live')
FROM pg_temp.keys('{client-2,client-1,client-3,nobody}', '{"","","",""}') AS told;
SELECT client_key_add('a', 'r', 'client-2', 'new', spki('k6'), now() + interval '1 y');
SELECT is(told, '1 new k6', 'the only one') FROM pg_temp.keys('{client-2}', '{""}') AS told;
SELECT client_key_add('a', 'r', 'client-2', 'newer', spki('k7'), now() + interval '1 y');
SELECT is(told, '1, 2 new k6', 'one of two, only by its kid')
FROM pg_temp.keys('{client-2,client-2}', '{"",new}') AS told;
SELECT client_key_remove('a', 'r', 'client-2', 'newer');
SELECT is(told, '1 new k6', 'the one that is left') FROM pg_temp.keys('{client-2}', '{""}') AS told;
SELECT is(pg_temp.granted(2, NULL, 'x', 'client-2', '', 'j10'), 'stranger',
	'which of them it was must be said with the assertion');
SELECT is((SELECT array_agg(hash ORDER BY n) FROM login_hash('{none,chosen,ours,chosen}')),
	ARRAY[NULL, argon('m=19456,t=3,p=1'), NULL, argon('m=19456,t=3,p=1')],
	'hashes of chosen passwords');
SELECT api_user_disable('a', 'r', 'chosen');
SELECT is((SELECT hash FROM login_hash('{chosen}')), NULL, 'not of a disabled user');

-- Revocation: a client its own, a token itself.
SELECT pg_temp.granted(1, sha256('client-3'), t) FROM unnest('{r1,r2,r3}'::text[]) AS t;
SELECT is(pg_temp.revoked(1, sha256('x'), 'r1'), 'stranger', 'a stranger revokes nothing');
SELECT is(pg_temp.asked('r1', 3), 'issued', 'the token is good');
SELECT is(pg_temp.revoked(1, sha256('client-4'), 'r1'), 'issued', 'nor does another client');
SELECT is(pg_temp.asked('r1', 3), 'issued', 'though it cannot tell');
SELECT is(pg_temp.revoked(1, sha256('client-3'), 'r1'), 'issued', 'its client does');
SELECT is(pg_temp.asked('r1', 3), 'invalid_token', 'then it is void');
SELECT is(pg_temp.revoked(1, sha256('client-3'), 'r1'), 'issued', 'twice is as once');
SELECT is(pg_temp.revoked(1, sha256('client-3'), 'none'), 'issued', 'an unknown token too');
SELECT is(pg_temp.revoked(5, NULL, 'r2'), 'issued', 'a token ends itself');
SELECT is(pg_temp.revoked(5, NULL, 'r2'), 'invalid_token', 'once');
SELECT is(pg_temp.revoked(5, NULL, 'none'), 'invalid_token', 'an unknown one does not');
SELECT is(pg_temp.asked('r2', 3), 'invalid_token', 'it is void');
SELECT is(pg_temp.asked('r3', 3), 'issued', 'the third is not');
SELECT client_key_add('a', 'r', 'client-3', 'k', spki('k4'), now() + interval '1 y');
SELECT is(pg_temp.revoked(2, NULL, 'r3', 'client-3', 'k', 'j1'), 'issued', 'by an assertion');
SELECT is(pg_temp.revoked(2, NULL, 'r3', 'client-3', 'k', 'j1'), 'replayed', 'that is used once');
SELECT is(pg_temp.granted(2, NULL, 'x', 'client-3', 'k', 'j1'), 'replayed', 'wherever');
SELECT pg_temp.granted(1, sha256('client-3'), 'r4');

-- Addresses: of a client, whatever it presents; after the credentials, before the account.
SELECT client_allow('a', 'r', 'client-3', '{127.0.0.0/30,2001:db8::/32}');
SELECT is(pg_temp.asked('r4', 3), 'issued', 'an address on the list');
SELECT is(order_token(3, 'sp-3', '1003'), 0, 'for the secret too');
SELECT client_allow('a', 'r', 'client-3', '{127.0.0.2,2001:db8::/32}');
SELECT is(pg_temp.asked('r4', 3), 'address_not_allowed', 'one that is not');
SELECT is(pg_temp.asked('r4', 3, account => 'sp-1'), 'address_not_allowed', 'before the account');
SELECT is(pg_temp.asked('none', 3), 'invalid_token', 'after the token');
SELECT is(order_token(3, 'sp-3', '1003'), 15, 'for the secret too');
SELECT is(pg_temp.granted(1, sha256('client-3'), 'x'), 'address_not_allowed', 'for a grant');
SELECT is(pg_temp.granted(1, sha256('client-3'), 'r6', scopes => 1,
	peer => '\x20010db8000000000000000000000001'), 'issued spc-token', 'one of IPv6');
SELECT is(pg_temp.granted(1, sha256('client-3'), 'x',
	peer => '\x20010db9000000000000000000000001'), 'address_not_allowed', 'beside it');
SELECT client_disable('a', 'r', 'client-3');
SELECT is(order_token(3, 'sp-3', '1003'), 3, 'after the client''s state');
SELECT client_enable('a', 'r', 'client-3');
SELECT client_allow('a', 'r', 'client-3', '{}');
SELECT is(order_token(3, 'sp-3', '1003'), 0, 'no list, no limit');

-- Pinned fingerprints: 32 bytes, in whatever spelling; last but for the node's own.
SELECT client_pin('a', 'r', 'client-3', ARRAY[decode(repeat('00', 31) || '01', 'hex')]);
SELECT is(order_token(3, 'sp-3', '1003'), 16, 'another fingerprint');
SELECT is(pg_temp.asked('r4', 3), 'fingerprint_not_pinned', 'with an access token too');
SELECT is(order_token(3, 'sp-3', '1003', 0, true), 12, 'after the delegation');
SELECT is(order_token(3, 'sp-3', '1003', kid => 'none'), 16, 'before the signer');
SELECT is(order_token(4, 'sp-4', '1004'), 0, 'other clients have their own');
SELECT is(fingerprint_bytes('SHA256 ' || repeat('aB:', 31) || 'Cd'),
	decode(repeat('ab', 31) || 'cd', 'hex'), 'as hex');
SELECT is(fingerprint_bytes(rtrim(translate(encode(sha256('f'), 'base64'), '+/', '-_'), '=')),
	sha256('f'), 'as a thumbprint');
SELECT is(fingerprint_bytes('_-' || repeat('A', 41)), decode('ff' || 'e0' || repeat('00', 30),
	'hex'), 'in base64url');
SELECT client_pin('a', 'r', 'client-3', ARRAY[sha256('f'),
	fingerprint_bytes('SHA256 00' || repeat(':00', 30) || ':01')]);
SELECT is(order_token(3, 'sp-3', '1003'), 16, 'none of two');
SELECT client_pin('a', 'r', 'client-3', NULL);
SELECT is(order_token(3, 'sp-3', '1003'), 0, 'no pin, no limit');

-- Dry runs: the verdict, and nothing else.
CREATE TEMP TABLE rows_before AS SELECT (SELECT count(*) FROM token) AS tokens,
	(SELECT count(*) FROM token_refusal) AS refusals,
	(SELECT sum(refused) FROM refusal_minute) AS counted;
SELECT is(pg_temp.asked('r4', 3, dry_run => true), 'issued', 'would be issued');
SELECT is(pg_temp.asked('r4', 3, dry_run => true, spc => '9999'), 'spc_not_held',
	'would be refused');
SELECT is(pg_temp.asked('none', 3, dry_run => true), 'invalid_token', 'would be a stranger');
SELECT is((SELECT string_agg(verdict || ' ' || spc, ', ' ORDER BY n) FROM order_tokens('{3,3}',
	'{sp-3,sp-3}', '{1003,9999}', tokens => '{NULL,r4}', dry_run => true)),
	'0 1003, 10 9999', 'the same answer');
SELECT is((SELECT (count(*), (SELECT count(*) FROM token_refusal),
		(SELECT sum(refused) FROM refusal_minute))::text FROM token),
	(SELECT (tokens, refusals, counted)::text FROM rows_before), 'no row, no count');

-- Refusals: those of a known client are kept, whatever it presented.
SELECT is((SELECT string_agg(verdict::text, ' ' ORDER BY verdict) FROM token_refusal
	WHERE verdict IN (1, 20)), '1 1 20 20 20 20',
	'an assertion that is over, or was used, is its client''s');
SELECT is((SELECT count(*) FROM token_refusal WHERE client_id IS NULL), 0::bigint,
	'strangers leave none');
SELECT cmp_ok((SELECT count(*) FROM token_refusal WHERE verdict = 17), '>', 5::bigint,
	'void tokens do');
SELECT cmp_ok((SELECT sum(refused) FROM refusal_minute WHERE client_id = 0 AND verdict = 17), '>=',
	4::numeric, 'unknown tokens are counted');

-- Leaks.
SELECT client_rotate('a', 'r', 'client-5', sha256('client-5'), now() + interval '1 y', NULL,
	sha256('of client-5'))
FROM (SELECT client_rotate('a', 'r', 'client-5', sha256('x5'), now() + interval '1 y')) AS away;
SELECT api_user_add('a', 'r', 'client-5', 'leaky', sha256('leaky'), NULL, sha256('of leaky'));
SELECT pg_temp.granted(1, sha256('client-5'), 'l1'), pg_temp.granted(3, sha256('leaky'), 'l2'),
	pg_temp.granted(3, sha256('leaky'), 'l3');
SELECT is(pg_temp.reported('nothing', 'nothing'), false, 'not real');
SELECT is(pg_temp.reported('client-5'), false, 'the digest with the name is not asked for');
SELECT is(pg_temp.reported('', 'l2'), true, 'an access token');
SELECT is(pg_temp.asked('l2', 5), 'invalid_token', 'is void');
SELECT is(pg_temp.asked('l3', 5), 'issued', 'not its user''s others');
SELECT is(pg_temp.reported('', 'l2'), false, 'and real no more');
SELECT is(pg_temp.reported('of leaky'), true, 'a password');
SELECT is(pg_temp.asked('l3', 5), 'invalid_token', 'all that it gave is void');
SELECT is(pg_temp.granted(3, sha256('leaky'), 'x'), 'stranger', 'and it gives no other');
SELECT is((SELECT state FROM api_user_view WHERE "user" = 'leaky'), 'no password',
	'the user has none');
SELECT is(pg_temp.asked('l1', 5), 'issued', 'the client is as before');
SELECT is(pg_temp.reported('of client-5'), true, 'a secret');
SELECT is(pg_temp.asked('l1', 5), 'invalid_token', 'all that it gave is void');
SELECT is(order_token(5, 'sp-5', '1005'), 1, 'and it is a stranger''s');
SELECT is((SELECT array_agg(hit ORDER BY n) FROM report_secrets(ARRAY[NULL, sha256('of client-5')],
	ARRAY[sha256('l1'), NULL], '{r,r}', ARRAY[NULL, NULL]::bytea[])), '{t,f}',
	'a token of a void secret is real until it is reported');
SELECT is((SELECT string_agg(concat_ws(' ', account, client, kind, request_id), ', ' ORDER BY id)
	FROM notice_view), 'sp-5 client-5 access_token_reported report, '
	'sp-5 client-5 password_reported report, sp-5 client-5 secret_reported report, '
	'sp-5 client-5 access_token_reported r', 'its account is told');
SELECT is((SELECT string_agg(concat_ws(' ', actor, action, subject, evidence->>'peer'), ', '
	ORDER BY id) FROM (SELECT * FROM audit_event WHERE actor = 'report' ORDER BY id LIMIT 3)
	AS e), 'report access_token_reported client-5 2001:db8::1, '
	'report password_reported leaky 2001:db8::1, '
	'report secret_reported client-5 2001:db8::1', 'each is an event');

-- What there is to read.
SELECT is((SELECT string_agg(concat_ws(' ', kind, client, verdict, asked_by), ', ')
	FROM (SELECT * FROM request_view WHERE request_id = 'grant' AND client = 'client-3'
	ORDER BY at_time DESC LIMIT 1) AS r),
	'refusal client-3 address_not_allowed login or grant', 'a grant''s refusal');
SELECT set_eq($$SELECT DISTINCT kind FROM request_view WHERE request_id = 'request'$$,
	'{token,refusal}'::text[], 'token requests');
SELECT set_eq($$SELECT DISTINCT kind FROM request_view WHERE request_id = 'grant'$$,
	'{"access token",refusal}'::text[], 'logins and grants');
SELECT is((SELECT string_agg(DISTINCT state, ' ' ORDER BY state) FROM access_token_view
	WHERE client = 'client-3'), 'in use revoked', 'access tokens and their states');

-- The life of access tokens is the policy's; a batch sweeps away what has expired.
SELECT policy_set('a', 'r', '24 h', 0::int2, NULL, true, NULL, '5 min');
SELECT is(pg_temp.granted(1, sha256('client-6'), 'p1', scopes => 1), 'issued spc-token', 'one');
SELECT is((SELECT expires_at - issued_at BETWEEN '4 min 59 s' AND '5 min' FROM access_token
	WHERE digest = sha256('p1')), true, 'of five minutes');
CREATE TEMP TABLE left_before AS SELECT count(*) AS tokens FROM access_token;
UPDATE access_token SET issued_at = now() - interval '1 h', expires_at = now() - interval '2 min'
	WHERE digest IN (SELECT digest FROM access_token LIMIT 3);
UPDATE assertion_seen SET expires_at = now() - interval '2 min';
SELECT is(pg_temp.granted(1, sha256('client-6'), 'p2', scopes => 1), 'issued spc-token', 'one');
SELECT is((SELECT count(*) FROM access_token), (SELECT tokens - 1 FROM left_before), 'two go');
SELECT is(pg_temp.granted(1, sha256('client-6'), 'p3', scopes => 1), 'issued spc-token', 'one');
SELECT is((SELECT count(*) FROM access_token), (SELECT tokens - 1 FROM left_before), 'the third');
SELECT cmp_ok((SELECT count(*) FROM assertion_seen), '<=', 2::bigint, 'assertions too');

SELECT is(audit_verify(), NULL, 'the chain is whole');
SELECT * FROM finish();
ROLLBACK;
