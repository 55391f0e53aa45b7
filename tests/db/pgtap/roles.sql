-- SPDX-License-Identifier: Apache-2.0
-- Who may do what: the whole list, so that a new table or function must be thought about here.
BEGIN;
SELECT no_plan();
SET search_path = stipa, public;

CREATE TEMP TABLE process_role AS
	SELECT unnest('{stipa_authority,stipa_portal,stipa_auditor,stipa_operator}'::text[])
		AS role;

SELECT is((SELECT string_agg(p.proname, ' ' ORDER BY p.proname) FROM pg_proc AS p
	WHERE p.pronamespace = 'stipa'::regnamespace
	AND has_function_privilege(role, p.oid, 'EXECUTE')), functions, 'functions of ' || role)
FROM (VALUES
	('public', NULL),
	('stipa_authority', 'client_key client_keys grant_tokens issue_tokens issuing_state '
		'login_hash mark_state node_signer refusals_prune report_secrets revoke_tokens '
		'schema_version token_partitions_extend'),
	('stipa_portal', 'account_add account_approve account_close account_refuse '
		'account_reinstate account_review account_revoke account_suspend '
		'account_token_life account_verify alias_add alias_remove api_user_add '
		'api_user_disable api_user_enable api_user_rotate client_add client_allow '
		'client_disable client_enable client_key_add client_key_remove client_pin '
		'client_rotate client_scopes delegation_grant delegation_withdraw '
		'organisation_add peer_text policy_set schema_version scopes_text signer_state_at '
		'source_text spc_assign spc_transfer spc_verify spc_withdraw utc verdict_name'),
	('stipa_auditor', 'audit_hash audit_text audit_verify peer_text schema_version '
		'scopes_text signer_state_at source_text utc verdict_name')) AS v (role, functions);
SELECT is((SELECT string_agg(p.proname, ' ' ORDER BY p.proname) FROM pg_proc AS p
	WHERE p.pronamespace = 'stipa'::regnamespace
	AND has_function_privilege('stipa_operator', p.oid, 'EXECUTE')
	AND NOT has_function_privilege('stipa_portal', p.oid, 'EXECUTE')
	AND NOT has_function_privilege('stipa_auditor', p.oid, 'EXECUTE')),
	'issuing_state mark_accept mark_state node_signer signer_register signer_retire '
	'token_partitions_extend', 'what the operator may beyond portal and auditor');

-- A function that runs as the owner looks for nothing in a schema that others may write.
SELECT is_empty($$SELECT proname FROM pg_proc WHERE pronamespace = 'stipa'::regnamespace
	AND prosecdef AND NOT coalesce(proconfig, '{}') @> '{"search_path=stipa, pg_temp"}'$$,
	'SECURITY DEFINER has its search_path');

-- Tables.
SELECT is_empty($$
	SELECT role, relname, privilege FROM process_role, pg_class,
		unnest('{INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) AS privilege
	WHERE relnamespace = 'stipa'::regnamespace AND relkind IN ('r', 'p', 'v')
	AND has_table_privilege(role, pg_class.oid, privilege)$$, 'no role writes a table');
SELECT is((SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class
	WHERE relnamespace = 'stipa'::regnamespace AND relkind IN ('r', 'p', 'v')
	AND NOT relispartition
	AND has_any_column_privilege(role, pg_class.oid, 'SELECT')), relations,
	'what reads ' || role)
FROM (VALUES
	('stipa_authority', NULL),
	('stipa_portal', 'access_token_view account account_alias account_state '
		'account_state_view account_view api_client api_user api_user_view audit_head_view '
		'audit_view client_key client_key_view client_view credential delegation '
		'delegation_client delegation_view notice notice_view organisation policy '
		'policy_view refusal_minute_view refusal_view request_view signer_certificate '
		'signer_view spc_assignment spc_kind spc_view token_view'),
	('stipa_auditor', 'access_token_view account account_alias account_state '
		'account_state_view account_view api_client api_user api_user_view audit_event '
		'audit_export_view audit_head audit_head_view audit_view client_key '
		'client_key_view client_view credential delegation delegation_client '
		'delegation_view notice notice_view organisation policy policy_view '
		'refusal_minute refusal_minute_view refusal_view request_view signer_certificate '
		'signer_view spc_assignment spc_kind spc_view token token_refusal token_view'))
	AS v (role, relations);
SELECT is_empty($$SELECT role, secret FROM process_role, (VALUES ('credential', 'digest'),
		('credential', 'secret_digest'), ('api_user', 'digest'),
		('api_user', 'secret_digest'), ('api_user', 'hash'), ('access_token', 'digest'),
		('assertion_seen', 'jti')) AS secret (relation, name)
	WHERE has_column_privilege(role, relation, name, 'SELECT')$$,
	'digests and hashes are read by none');
SELECT is_empty($$SELECT role FROM process_role, pg_class
	WHERE relnamespace = 'stipa'::regnamespace AND relkind = 'S'
	AND has_sequence_privilege(role, pg_class.oid, 'USAGE,SELECT,UPDATE')$$, 'nor sequences');
SELECT is_empty($$SELECT role FROM process_role
	WHERE has_schema_privilege(role, 'stipa', 'CREATE')
	OR has_schema_privilege(role, 'public', 'CREATE')
	OR has_database_privilege(role, current_database(), 'CREATE')$$, 'and none creates');

-- The same from inside: what is denied, and what works.
SELECT is(outcome(statement, role), wanted, role || ': ' || statement) FROM (VALUES
	('stipa_authority', 'SELECT FROM stipa.credential', '42501'),
	('stipa_authority', 'SELECT FROM stipa.token', '42501'),
	('stipa_authority', 'INSERT INTO stipa.token DEFAULT VALUES', '42501'),
	('stipa_authority', $$SELECT stipa.account_suspend('a', 'r', 'sp-1')$$, '42501'),
	('stipa_authority', $$SELECT stipa.lock_firmly(1)$$, '42501'),
	('stipa_authority', $$SELECT order_token(1, 'sp-1', '1001')$$, '00000'),
	('stipa_authority', $$SELECT stipa.issuing_state('test', now())$$, '00000'),
	('stipa_authority', $$SELECT * FROM stipa.node_signer('test')$$, '00000'),
	('stipa_portal', $$SELECT order_token(1, 'sp-1', '1001')$$, '42501'),
	('stipa_portal', 'SELECT digest FROM stipa.credential', '42501'),
	('stipa_portal', 'SELECT expires_at FROM stipa.credential', '00000'),
	('stipa_portal', 'SELECT hash FROM stipa.api_user', '42501'),
	('stipa_portal', $$SELECT * FROM stipa.login_hash('{u}')$$, '42501'),
	('stipa_operator', $$SELECT * FROM stipa.report_secrets('{}', '{}', '{}', '{}')$$, '42501'),
	('stipa_authority', $$SELECT * FROM stipa.report_secrets('{}', '{}', '{}', '{}')$$,
		'00000'),
	('stipa_authority', $$SELECT * FROM stipa.login_hash('{u}')$$, '00000'),
	('stipa_authority', $$SELECT * FROM stipa.client_keys('{client-1}', '{k}')$$, '00000'),
	('stipa_portal', $$SELECT * FROM stipa.client_keys('{client-1}', '{k}')$$, '42501'),
	('stipa_portal', 'UPDATE stipa.account SET state = ''active''', '42501'),
	('stipa_portal', $$SELECT stipa.account_enter(now(), 'a', 'r', 'sp-1', '{active}', 'closed',
		NULL)$$, '42501'),
	('stipa_portal', $$SELECT stipa.audit(now(), 'a', 'x', 'x', 'r', NULL)$$, '42501'),
	('stipa_portal', 'SELECT * FROM stipa.token', '42501'),
	('stipa_portal', 'SELECT * FROM stipa.token_view', '00000'),
	('stipa_portal', $$SELECT stipa.signer_retire('a', 'r', 'test')$$, '42501'),
	('stipa_portal', $$SELECT stipa.spc_assign('a', 'r', 'sp-1', '0001')$$, '00000'),
	('stipa_auditor', 'SELECT * FROM stipa.audit_event, stipa.token', '00000'),
	('stipa_auditor', $$SELECT stipa.account_suspend('a', 'r', 'sp-1')$$, '42501'),
	('stipa_auditor', 'DELETE FROM stipa.audit_event', '42501'),
	('stipa_operator', 'DELETE FROM stipa.token', '42501'),
	('stipa_operator', 'DROP TABLE stipa.token', '42501'),
	('stipa_operator', $$SELECT order_token(1, 'sp-1', '1001')$$, '42501'),
	('stipa_operator', $$SELECT stipa.signer_retire('a', 'r', 'test')$$, '00000')
	) AS v (role, statement, wanted);
SELECT is(outcome('SELECT * FROM stipa.' || viewname, role), '00000', role || ' reads ' || viewname)
FROM pg_views, unnest('{stipa_portal,stipa_auditor,stipa_operator}'::text[]) AS role
WHERE schemaname = 'stipa' AND (viewname <> 'audit_export_view' OR role <> 'stipa_portal');

SELECT is_empty($$SELECT rolname FROM pg_roles WHERE rolname LIKE 'stipa\_%' AND (rolsuper
	OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls OR NOT rolcanlogin)$$,
	'no role of ours has power over the cluster');
SELECT set_eq($$SELECT r.rolname || '<' || m.rolname FROM pg_auth_members
	JOIN pg_roles AS r ON r.oid = roleid JOIN pg_roles AS m ON m.oid = member
	WHERE m.rolname LIKE 'stipa\_%'$$,
	'{pg_signal_backend<stipa_owner,stipa_auditor<stipa_operator,stipa_portal<stipa_operator}'
		::text[], 'who is a member of what');

SELECT * FROM finish();
ROLLBACK;
