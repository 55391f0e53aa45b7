-- SPDX-License-Identifier: Apache-2.0
-- For the SQL tests, beside pgTAP: what becomes of a statement, as a text that a table can hold.

-- Run a statement as a role: its SQLSTATE, and its message where @want_message.  00000 is success.
CREATE FUNCTION public.outcome(statement text, role text DEFAULT 'stipa_operator',
			       want_message bool DEFAULT false) RETURNS text
	LANGUAGE plpgsql
AS $$
DECLARE
	answer text := '00000';
BEGIN
	BEGIN
		EXECUTE format('SET LOCAL ROLE %I', role);
		EXECUTE statement;
	EXCEPTION WHEN OTHERS THEN
		answer := sqlstate || CASE WHEN want_message THEN ' ' || sqlerrm ELSE '' END;
	END;
	RESET ROLE;
	RETURN answer;
END $$;

-- The same, undone: what holds the rights lock while the statement's work is not yet committed.
CREATE FUNCTION public.takes_rights(statement text) RETURNS text
	LANGUAGE plpgsql
AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE statement;
	SELECT coalesce(string_agg(mode, ','), 'no lock') INTO answer FROM pg_locks
	WHERE locktype = 'advisory' AND pid = pg_backend_pid()
	AND objid = stipa.rights_lock()::oid;
	RAISE SQLSTATE 'UNDO1';
EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
	RETURN answer;
END $$;

-- A public key on P-256, as far as the database looks; and a hash of nothing.
CREATE FUNCTION public.spki(seed text) RETURNS bytea
	LANGUAGE sql IMMUTABLE
	RETURN '\x3059301306072a8648ce3d020106082a8648ce3d03010703420004'
		|| sha256(seed::bytea) || sha256(seed::bytea);

CREATE FUNCTION public.argon(parameters text) RETURNS text
	LANGUAGE sql IMMUTABLE
	RETURN format('$argon2id$v=19$%s$%s$%s', parameters, repeat('A', 22), repeat('B', 43));
