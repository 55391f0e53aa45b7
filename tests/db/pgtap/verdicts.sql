-- SPDX-License-Identifier: Apache-2.0
-- What issue_tokens answers: each verdict, their order, and by what an account is named.
BEGIN;
SELECT no_plan();
SET search_path = stipa, public;

-- Numbers of include/ipc/order.h, by the names that people read.
CREATE FUNCTION pg_temp.verdict(client int, account text, spc text, defect int DEFAULT 0,
		ca bool DEFAULT false, form int DEFAULT 1, kid text DEFAULT 'test',
		skew interval DEFAULT '0') RETURNS text
	LANGUAGE sql
	RETURN verdict_name(order_token(client, account, spc, defect, ca, form, kid,
					clock_timestamp() + skew)::int2);

-- sp-1 has everything; sp-2 is another's.
SELECT is(pg_temp.verdict(1, 'sp-1', '1001'), 'issued', 'a right order');
SELECT is(pg_temp.verdict(0, 'sp-1', '1001'), 'stranger', 'a wrong secret');
SELECT is(pg_temp.verdict(0, 'sp-none', '9999', 3), 'stranger', 'a stranger learns nothing else');
SELECT is(pg_temp.verdict(1, 'sp-2', '1002'), 'no_such_account', 'another''s account');
SELECT is(pg_temp.verdict(1, 'sp-none', '1001'), 'no_such_account', 'no account');
SELECT is(pg_temp.verdict(1, 'sp-2', '1001', 3), 'no_such_account', 'before the body');
SELECT is(pg_temp.verdict(1, 'sp-1', '1001', 3), 'malformed', 'a malformed body');
SELECT is(pg_temp.verdict(1, 'sp-1', '1002', 3), 'malformed', 'before the SPC');
SELECT is(pg_temp.verdict(1, 'sp-1', '1002'), 'spc_not_held', 'another''s SPC');
SELECT is(pg_temp.verdict(1, 'sp-1', '9999'), 'spc_not_held', 'nobody''s SPC');
SELECT is(pg_temp.verdict(1, 'sp-1', ''), 'spc_not_held', 'the atc form names its SPC');
SELECT is(pg_temp.verdict(1, 'sp-1', '1002', 0, true), 'spc_not_held', 'before the delegation');
SELECT is(pg_temp.verdict(1, 'sp-1', '1001', 0, true), 'no_delegation', 'ca without delegation');
SELECT is(pg_temp.verdict(1, 'sp-1', '1001', skew => '3 s'), 'clock', 'the node is ahead');
SELECT is(pg_temp.verdict(1, 'sp-1', '1001', skew => '-3 s'), 'clock', 'the node is behind');
SELECT is(pg_temp.verdict(1, 'sp-1', '1001', skew => '1.5 s'), 'issued', 'a little is nothing');
SELECT is(pg_temp.verdict(1, 'sp-1', '1001', skew => NULL), 'clock', 'a node without a clock');
SELECT is(pg_temp.verdict(1, 'sp-1', '1001', kid => 'none'), 'signer_not_active', 'no signer');
SELECT is(pg_temp.verdict(1, 'sp-1', '1001', kid => NULL), 'signer_not_active', 'no kid');
SELECT is(pg_temp.verdict(1, 'sp-1', '1001', kid => 'none', skew => '3 s'), 'clock',
	'the clock before the signer');
SELECT is(pg_temp.verdict(1, 'sp-1', '1002', kid => 'none', skew => '3 s'), 'spc_not_held',
	'rights before the node''s own');
SELECT is(pg_temp.verdict(1, 'sp-1', '1001', form => 3), 'form_not_permitted', 'no such form');
SELECT is(pg_temp.verdict(1, 'sp-1', NULL), 'spc_not_held', 'no SPC at all');
SELECT throws_ok($$SELECT order_token(1, NULL, '1001')$$, '23502', NULL,
	'an order that no edge sends fails, it is not guessed at');

-- By what an account is named: its client's account only.
SELECT alias_add('a', 'r', 'sp-1', '4711');
SELECT is(pg_temp.verdict(1, '4711', '1001'), 'issued', 'by an alias');
SELECT is(pg_temp.verdict(2, '4711', '1002'), 'no_such_account', 'not by another''s alias');
SELECT is(pg_temp.verdict(1, '1001', '1001'), 'issued', 'by a held SPC');
SELECT is(pg_temp.verdict(1, '1002', '1001'), 'no_such_account', 'not by another''s SPC');
SELECT spc_assign('a', 'r', 'sp-1', '683G');
SELECT is(pg_temp.verdict(1, '683G', '1001'), 'issued', 'by one SPC for another');
SELECT spc_withdraw('a', 'r', 'sp-1', '683G');
SELECT is(pg_temp.verdict(1, '683G', '1001'), 'no_such_account', 'not by one held before');
SELECT is(pg_temp.verdict(1, '683G', '683G'), 'no_such_account', 'a withdrawn SPC');
SELECT is(pg_temp.verdict(1, 'sp-1', '683G'), 'spc_not_held', 'a withdrawn SPC');
SELECT alias_remove('a', 'r', 'sp-1', '4711');
SELECT is(pg_temp.verdict(1, '4711', '1001'), 'no_such_account', 'not by a former alias');
SELECT is(pg_temp.verdict(1, 'SP-1', '1001'), 'no_such_account', 'names have one case');

-- The answer's names, for the log.
SELECT is((SELECT string_agg(concat_ws(':', n, verdict, spc, account, client), ' ' ORDER BY n)
	FROM order_tokens(ARRAY[3, 0, 1, 2], ARRAY['1003', 'sp-3', 'sp-1', 'sp-3'],
		ARRAY['1003', '1003', '1009', '1003'])),
	'1:0:1003:sp-3:client-3 2:1:1003 3:10:1009:sp-1:client-1 4:4:1003:client-2',
	'a batch is answered in its order');
SELECT is((SELECT exp - iat FROM order_tokens('{1}', '{sp-1}', '{1001}')), 86400::bigint,
	'a day by the first policy');

-- The order of verdicts: each fault added hides the ones after it.
SELECT client_add('a', 'r', 'sp-7', 'client-70', sha256('client-70'), now() + interval '1 y');
SELECT spc_assign('a', 'r', 'sp-7', 'LAPS', verified_until => now() + interval '1 h');
SELECT is(pg_temp.verdict(7, 'sp-7', 'LAPS'), 'issued', 'a verified SPC');
SELECT spc_verify('a', 'r', 'sp-7', 'LAPS', 'e', now() - interval '1 s');
SELECT is(pg_temp.verdict(7, 'sp-7', 'LAPS', 0, true), 'spc_lapsed', 'a lapsed SPC');
SELECT is(pg_temp.verdict(7, 'LAPS', '1007'), 'issued', 'a lapsed SPC still names its account');
SELECT policy_set('a', 'r', '24 h', 0::int2, NULL, false, NULL);
SELECT is(pg_temp.verdict(7, 'sp-7', 'LAPS', 0, false, 2), 'form_not_permitted', 'form');
SELECT is(pg_temp.verdict(7, 'sp-7', 'LAPS', 2, false, 2), 'malformed', 'body before form');
SELECT account_verify('a', 'r', 'sp-7', 'e', now() - interval '1 s');
SELECT is(pg_temp.verdict(7, 'sp-7', 'LAPS', 2, false, 2), 'account_lapsed', 'lapse before body');
SELECT account_suspend('a', 'r', 'sp-7');
SELECT is(pg_temp.verdict(7, 'sp-7', 'LAPS', 2, false, 2), 'account_not_active',
	'state before lapse');
SELECT is(pg_temp.verdict(7, 'sp-1', 'LAPS', 2, false, 2), 'no_such_account',
	'account before its state');
SELECT client_disable('a', 'r', 'client-7');
SELECT is(pg_temp.verdict(7, 'sp-1', 'LAPS', 2, false, 2), 'client_disabled',
	'client before account');
UPDATE credential SET expires_at = now() WHERE digest = sha256('client-7');
SELECT is(pg_temp.verdict(7, 'sp-1', 'LAPS', 2, false, 2), 'credential_expired',
	'credential before client');
SELECT is(pg_temp.verdict(70, 'sp-7', '1007'), 'account_not_active', 'the other client lives');
SELECT client_rotate('a', 'r', 'client-7', sha256('new'), now() + interval '1 y');
SELECT is(pg_temp.verdict(7, 'sp-7', '1007'), 'stranger', 'a rotated secret is a stranger''s');

-- Each state but active.
SELECT account_add('a', 'r', 'sp-s', 'S', NULL, now() + interval '1 y');
SELECT client_add('a', 'r', 'sp-s', 'client-80', sha256('client-80'), now() + interval '1 y');
SELECT spc_assign('a', 'r', 'sp-s', '0080');
SELECT is(pg_temp.verdict(80, 'sp-s', '0080'), 'account_not_active', 'applied');
SELECT account_review('a', 'r', 'sp-s');
SELECT is(pg_temp.verdict(80, 'sp-s', '0080'), 'account_not_active', 'in review');
SELECT account_approve('a', 'r', 'sp-s', 'e', NULL);
SELECT is(pg_temp.verdict(80, 'sp-s', '0080'), 'issued', 'active');
SELECT account_suspend('a', 'r', 'sp-s');
SELECT is(pg_temp.verdict(80, 'sp-s', '0080'), 'account_not_active', 'suspended');
SELECT account_reinstate('a', 'r', 'sp-s');
SELECT is(pg_temp.verdict(80, 'sp-s', '0080'), 'issued', 'active again');
SELECT account_revoke('a', 'r', 'sp-s');
SELECT is(pg_temp.verdict(80, 'sp-s', '0080'), 'account_not_active', 'revoked');

-- The 2017 form: the account's only SPC, or the one that is named.
SELECT policy_set('a', 'r', '24 h', 7::int2, 'https://pa.example', true, NULL);
SELECT is((SELECT concat_ws(' ', verdict, spc, optional_claims, coalesce(iss, '-'))
	FROM order_tokens('{8}', '{sp-8}', ARRAY[''], NULL, NULL, '{2}')), '0 1008 0 -',
	'the only SPC, without optional claims');
SELECT spc_assign('a', 'r', 'sp-8', x) FROM unnest('{683G,0001}'::text[]) AS x;
SELECT is((SELECT verdict || ' ' || spc FROM order_tokens('{8}', '{sp-8}', ARRAY[''], NULL, NULL,
	'{2}')), '9 0001,1008,683G', 'of several, none is guessed');
SELECT is((SELECT verdict || ' ' || spc FROM order_tokens('{8}', '{sp-8}', '{683G}', NULL, NULL,
	'{2}')), '0 683G', 'the one that is named');
SELECT spc_assign('a', 'r', 'sp-8', 'B' || lpad(i::text, 3, '0')) FROM generate_series(1, 20) AS i;
SELECT is((SELECT cardinality(string_to_array(spc, ',')) FROM order_tokens('{8}', '{sp-8}',
	ARRAY[''], NULL, NULL, '{2}')), 10, 'at most ten are named');
SELECT spc_withdraw('a', 'r', 'sp-9', '1009');
SELECT is(pg_temp.verdict(9, 'sp-9', '', form => 2), 'spc_not_held', 'none to choose from');
SELECT is((SELECT concat_ws(' ', tkvalue = '', form, spc, optional_claims) FROM token
	WHERE spc = '683G'), 't 2 683G 0', 'the ledger row of the 2017 form');

-- Policy: optional claims, the account's own life, versions that have not begun.
SELECT is((SELECT concat_ws(' ', optional_claims, iss) FROM order_tokens('{1}', '{sp-1}',
	'{1001}')), '7 https://pa.example', 'optional claims and the issuer');
SELECT policy_set('a', 'r', '2 h', 0::int2, NULL, true, NULL);
SELECT policy_set('a', 'r', '5 h', 0::int2, NULL, true, now() + interval '1 h');
SELECT is((SELECT exp - iat FROM order_tokens('{1}', '{sp-1}', '{1001}')), 7200::bigint,
	'the version in force');
SELECT account_token_life('a', 'r', 'sp-1', '30 days');
SELECT is((SELECT exp - iat FROM order_tokens('{1}', '{sp-1}', '{1001}')), 2592000::bigint,
	'the account''s own');

-- Delegation: in force, for the SPC, for the client, until it ends.
SELECT delegation_grant('a', 'r', 'sp-10', '1010', 'SCA', '1', 'e', now() + interval '1 d')
	AS everyone \gset
SELECT is(pg_temp.verdict(10, 'sp-10', '1010', ca => true), 'issued', 'under a delegation');
SELECT is((SELECT ca FROM token WHERE spc = '1010'), true, 'the ledger says ca');
SELECT is(pg_temp.verdict(10, 'sp-10', '1010'), 'issued', 'and without ca');
SELECT spc_assign('a', 'r', 'sp-10', '0010');
SELECT is(pg_temp.verdict(10, 'sp-10', '0010', ca => true), 'no_delegation', 'for another SPC');
SELECT delegation_withdraw('a', 'r', :everyone);
SELECT is(pg_temp.verdict(10, 'sp-10', '1010', ca => true), 'no_delegation', 'withdrawn');
SELECT client_add('a', 'r', 'sp-10', 'client-100', sha256('client-100'), now() + interval '1 y');
SELECT delegation_grant('a', 'r', 'sp-10', '1010', 'SCA', '1', 'e', now() + interval '1 d',
	'{client-100}');
SELECT is(pg_temp.verdict(100, 'sp-10', '1010', ca => true), 'issued', 'for this client');
SELECT is(pg_temp.verdict(10, 'sp-10', '1010', ca => true), 'no_delegation', 'not for that one');
SELECT is((SELECT string_agg(state || ' ' || clients, ', ' ORDER BY id) FROM delegation_view
	WHERE account = 'sp-10'), 'withdrawn all, in force client-100',
	'the view tells them apart');
UPDATE delegation SET granted_at = now() - interval '2 d', until_at = now() - interval '1 d'
	WHERE withdrawn_at IS NULL;
SELECT is(pg_temp.verdict(100, 'sp-10', '1010', ca => true), 'no_delegation', 'ended');

-- A code that comes back does not bring its old delegation.
SELECT delegation_grant('a', 'r', 'sp-11', '1011', 'SCA', '1', 'e', now() + interval '1 d');
SELECT spc_transfer('a', 'r', '1011', 'sp-12', 'e');
SELECT is(pg_temp.verdict(11, 'sp-11', '1011'), 'spc_not_held', 'transferred away');
SELECT is(pg_temp.verdict(12, 'sp-12', '1011'), 'issued', 'transferred to');
SELECT is(pg_temp.verdict(12, 'sp-12', '1011', ca => true), 'no_delegation', 'without the flag');
SELECT spc_transfer('a', 'r', '1011', 'sp-11', 'e');
SELECT is(pg_temp.verdict(11, 'sp-11', '1011'), 'issued', 'and back');
SELECT is(pg_temp.verdict(11, 'sp-11', '1011', ca => true), 'no_delegation', 'still without');

-- The signer's times.
SELECT is((SELECT state FROM node_signer('test')), 'active', 'an active signer');
SELECT is((SELECT sha256 FROM node_signer('test')), sha256('\x3003020101'), 'its certificate');
SELECT is((SELECT count(*) FROM node_signer('none')), 0::bigint, 'no such signer');
SELECT is(issuing_state('test', clock_timestamp()), NULL, 'a node could issue');
SELECT is(issuing_state('none', clock_timestamp()), 'token signer none is not registered',
	'no key');
SELECT matches(issuing_state('test', clock_timestamp() + interval '5 s'), 'clock .* 5.0 s',
	'clock');
SELECT signer_register('a', 'r', t[1], t[2], ('\x3003' || t[3])::bytea, 'PEM', 'https://h/' || t[1],
	now() + t[4]::interval, now() + t[5]::interval, now() + interval '1 y',
	now() + interval '2 y')
FROM (VALUES ('{early,token,00,1 h,2 h}'::text[]), ('{seen,token,01,-1 h,2 h}'),
	     ('{crl,crl,02,-1 h,-1 h}')) AS v (t);
SELECT is(issuing_state('early', clock_timestamp()), 'token signer early is created', 'created');
SELECT is(issuing_state('seen', clock_timestamp()), 'token signer seen is published', 'published');
SELECT is(issuing_state('crl', clock_timestamp()), 'token signer crl is not registered',
	'a key of another purpose');
SELECT is(pg_temp.verdict(1, 'sp-1', '1001', kid => k), 'signer_not_active', k)
	FROM unnest('{early,seen,crl}'::text[]) AS k;
SELECT signer_retire('a', 'r', 'test');
SELECT is(issuing_state('test', clock_timestamp()), 'token signer test is retired', 'retired');
SELECT is(pg_temp.verdict(1, 'sp-1', '1001'), 'signer_not_active', 'retired');

SELECT * FROM finish();
ROLLBACK;
