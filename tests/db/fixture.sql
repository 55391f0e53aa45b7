-- SPDX-License-Identifier: Apache-2.0
-- For tests, run as a superuser after the migrations: twenty accounts and a way to order tokens.
-- Account sp-N has the client client-N with the digest SHA-256("client-N"), and the SPC 1000 + N.
-- The node's signer is "test".
SET search_path = stipa, public;
SET client_min_messages = warning;

DO $$
BEGIN
	FOR i IN 1..20 LOOP
		PERFORM account_add('test', 'seed', 'sp-' || i, 'SP ' || i, NULL,
				    now() + interval '1 year');
		PERFORM account_approve('test', 'seed', 'sp-' || i, 'seed', NULL);
		PERFORM client_add('test', 'seed', 'sp-' || i, 'client-' || i,
				   sha256(('client-' || i)::bytea), now() + interval '1 year');
		PERFORM spc_assign('test', 'seed', 'sp-' || i, (1000 + i)::text);
	END LOOP;
	PERFORM signer_register('test', 'seed', 'test', 'token', '\x3003020101', 'PEM',
				'https://localhost/sti-pa/certs/test.pem',
				now() - interval '2 h', now() - interval '1 h',
				now() + interval '1 year', now() + interval '2 years');
END $$;

CREATE FUNCTION public.new_jti() RETURNS uuid
	LANGUAGE sql VOLATILE SECURITY DEFINER
	SET search_path = stipa, pg_temp
	RETURN overlay(stipa.uuid_from(clock_timestamp())::text
		       PLACING '7' || substr(gen_random_uuid()::text, 16) FROM 15)::uuid;

-- A batch of orders by client-N, N from @clients (0: a stranger), each for the account and the
-- SPC beside it.  Where @tokens has a name, the access token with the digest SHA-256(name) is
-- presented, not the client's secret.  What a test is not about is as it should be.
CREATE FUNCTION public.order_tokens(clients int[], accounts text[], spcs text[],
		defects int2[] DEFAULT NULL, cas bool[] DEFAULT NULL, forms int2[] DEFAULT NULL,
		kid text DEFAULT 'test', clock timestamptz DEFAULT clock_timestamp(),
		issue text DEFAULT 'issue_tokens', tokens text[] DEFAULT NULL,
		dry_run bool DEFAULT false)
	RETURNS TABLE (n int8, verdict int2, iat int8, exp int8, spc text, optional_claims int2,
		       iss text, account text, client text)
	LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	size int := cardinality(clients);
BEGIN
	forms := coalesce(forms, array_fill(1::int2, ARRAY[size]));
	RETURN QUERY EXECUTE format('SELECT * FROM stipa.%I($1, $2, $3, $4, $5, $6, $7, $8, $9, '
				    '$10, $11, $12, $13, $14, $15)', issue)
	USING kid, clock,
		ARRAY(SELECT sha256(coalesce(t, 'client-' || c)::bytea)
		      FROM unnest(clients, tokens) WITH ORDINALITY AS o (c, t, at) ORDER BY at),
		accounts, spcs,
		ARRAY(SELECT CASE form WHEN 1 THEN 'MAigBhYEMTAwMQ==' ELSE '' END
		      FROM unnest(forms) WITH ORDINALITY AS o (form, at) ORDER BY at),
		array_fill('SHA256 00' || repeat(':00', 31), ARRAY[size]),
		coalesce(cas, array_fill(false, ARRAY[size])), forms,
		coalesce(defects, array_fill(0::int2, ARRAY[size])),
		ARRAY(SELECT public.new_jti() FROM generate_series(1, size)),
		array_fill('request'::text, ARRAY[size]),
		array_fill('\x00000000000000000000ffff7f000001'::bytea, ARRAY[size]),
		ARRAY(SELECT (t IS NOT NULL)::int::int2
		      FROM unnest(clients, tokens) WITH ORDINALITY AS o (c, t, at) ORDER BY at),
		array_fill(dry_run, ARRAY[size]);
END $$;

-- One order: its verdict.
CREATE FUNCTION public.order_token(client int, account text, spc text, defect int DEFAULT 0,
		ca bool DEFAULT false, form int DEFAULT 1, kid text DEFAULT 'test',
		clock timestamptz DEFAULT clock_timestamp()) RETURNS int
	LANGUAGE sql VOLATILE
AS $$
	SELECT verdict FROM public.order_tokens(ARRAY[client], ARRAY[account], ARRAY[spc],
		ARRAY[defect]::int2[], ARRAY[ca], ARRAY[form]::int2[], kid, clock);
$$;

GRANT EXECUTE ON FUNCTION public.new_jti, public.order_tokens, public.order_token TO PUBLIC;
