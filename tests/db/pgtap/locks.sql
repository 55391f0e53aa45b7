-- SPDX-License-Identifier: Apache-2.0
-- Who gives waits for no node; who takes waits for all that issue.
BEGIN;
SELECT no_plan();
SET search_path = stipa, public;

SELECT alias_add('a', 'r', 'sp-4', 'four');
SELECT delegation_grant('a', 'r', 'sp-4', '1004', 'SCA', '1', 'e', now() + interval '1 y');
SELECT client_key_add('a', 'r', 'client-4', 'k', spki('k'), now() + interval '1 y');
SELECT api_user_add('a', 'r', 'client-4', 'u-4', sha256('u-4'), NULL);

CREATE TEMP TABLE locks (statement text, wanted text);
INSERT INTO locks VALUES
	($$account_suspend('a', 'r', 'sp-4')$$, 'ExclusiveLock'),
	($$account_revoke('a', 'r', 'sp-4')$$, 'ExclusiveLock'),
	($$account_close('a', 'r', 'sp-4')$$, 'ExclusiveLock'),
	($$account_verify('a', 'r', 'sp-4', 'e', now())$$, 'ExclusiveLock'),
	($$account_token_life('a', 'r', 'sp-4', '1 h')$$, 'ExclusiveLock'),
	($$spc_verify('a', 'r', 'sp-4', '1004', 'e', now())$$, 'ExclusiveLock'),
	($$spc_withdraw('a', 'r', 'sp-4', '1004')$$, 'ExclusiveLock'),
	($$spc_transfer('a', 'r', '1004', 'sp-5', 'e')$$, 'ExclusiveLock'),
	($$client_rotate('a', 'r', 'client-4', sha256('l'), now() + interval '1 y')$$,
		'ExclusiveLock'),
	($$client_disable('a', 'r', 'client-4')$$, 'ExclusiveLock'),
	($$alias_remove('a', 'r', 'sp-4', 'four')$$, 'ExclusiveLock'),
	($$delegation_withdraw('a', 'r', (SELECT max(id) FROM delegation))$$, 'ExclusiveLock'),
	($$signer_retire('a', 'r', 'test')$$, 'ExclusiveLock'),
	($$policy_set('a', 'r', '2 h', 0::int2, NULL, true, NULL)$$, 'ExclusiveLock'),
	($$client_allow('a', 'r', 'client-4', '{10.0.0.0/8}')$$, 'ExclusiveLock'),
	($$client_pin('a', 'r', 'client-4', ARRAY[sha256('l')])$$, 'ExclusiveLock'),
	($$client_scopes('a', 'r', 'client-4', 1::int2)$$, 'ExclusiveLock'),
	($$client_key_remove('a', 'r', 'client-4', 'k')$$, 'ExclusiveLock'),
	($$api_user_rotate('a', 'r', 'u-4', sha256('l'), NULL)$$, 'ExclusiveLock'),
	($$api_user_disable('a', 'r', 'u-4')$$, 'ExclusiveLock'),
	($$client_key_add('a', 'r', 'client-4', 'l', spki('l'), now() + interval '1 y')$$,
		'no lock'),
	($$api_user_add('a', 'r', 'client-4', 'l', sha256('l'), NULL)$$, 'no lock'),
	($$account_add('a', 'r', 'sp-l', 'L', NULL, now() + interval '1 y')$$, 'no lock'),
	($$spc_assign('a', 'r', 'sp-4', '0004')$$, 'no lock'),
	($$client_add('a', 'r', 'sp-4', 'c-l', sha256('l'), now() + interval '1 y')$$, 'no lock');
SELECT is(takes_rights('SELECT ' || statement), wanted, 'lock of ' || statement) FROM locks;

-- What returns the time of the act is what takes, and no such function is forgotten above.
SELECT is_empty($$
	SELECT proname FROM pg_proc
	WHERE pronamespace = 'stipa'::regnamespace AND proargnames[1:2] = '{actor,reason}'
	AND prorettype = 'timestamptz'::regtype AND proname NOT IN ('act', 'act_taking')
	EXCEPT SELECT substr(statement, 1, strpos(statement, '(') - 1) FROM locks
	WHERE wanted = 'ExclusiveLock'$$, 'every function that takes is here');

-- Access tokens: granting is like issuing; what ends nothing holds up nobody.
INSERT INTO access_token (digest, client_id, credential_id, scopes, issued_at, expires_at,
			  request_id, peer)
SELECT sha256(name::bytea), 4, 4, 1, now() - interval '30 min', now() + until, 'r',
	decode(repeat('00', 16), 'hex')
FROM (VALUES ('good', '30 min'::interval), ('over', '-1 min')) AS v (name, until);
SELECT client_add('a', 'r', 'sp-4', 'c-s', sha256('c-s'), now() + interval '1 y', sha256('s'));
SELECT is(takes_rights('SELECT ' || statement), wanted, 'lock of ' || statement)
FROM (VALUES
	($$grant_tokens(now(), '{1}', ARRAY[sha256('client-4')], '{""}', '{""}', '{""}', '{0}',
		'{0}', ARRAY[sha256('n')], ARRAY[decode(repeat('00', 16), 'hex')], '{r}')$$,
		'ShareLock'),
	($$revoke_tokens('{5}', '{NULL}', '{""}', '{""}', '{""}', '{0}', ARRAY[sha256('good')],
		'{NULL}')$$, 'ExclusiveLock'),
	($$revoke_tokens('{5}', '{NULL}', '{""}', '{""}', '{""}', '{0}', ARRAY[sha256('over')],
		'{NULL}')$$, 'ShareLock'),
	($$revoke_tokens('{5}', '{NULL}', '{""}', '{""}', '{""}', '{0}', ARRAY[sha256('none')],
		'{NULL}')$$, 'ShareLock'),
	($$report_secrets(ARRAY[sha256('none')], ARRAY[sha256('none')], '{r}', '{NULL}')$$,
		'no lock'),
	($$report_secrets(ARRAY[sha256('c-s')], ARRAY[sha256('over')], '{r}', '{NULL}')$$,
		'no lock'),
	($$report_secrets(ARRAY[sha256('s')], '{NULL}', '{r}', '{NULL}')$$, 'ExclusiveLock'),
	($$report_secrets('{NULL}', ARRAY[sha256('good')], '{r}', '{NULL}')$$, 'ExclusiveLock'))
	AS v (statement, wanted);

SELECT is(takes_rights($$SELECT order_token(1, 'sp-1', '1001')$$), 'ShareLock',
	'issuing shares the lock');
SELECT * FROM finish();
ROLLBACK;
