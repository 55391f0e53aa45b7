/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/api_user.h"

#include "bytea.h"

#define DIGEST_MAX BYTEA_TEXT_MAX(SHA256_LEN)

static const struct db_query add = {
	"SELECT stipa.api_user_add($1, $2, $3, $4, $5::bytea, $6, $7::bytea)", 7
};
static const struct db_query rotate = {
	"SELECT stipa.api_user_rotate($1, $2, $3, $4::bytea, $5, $6::bytea) AS at", 6
};
static const struct db_query disable = { "SELECT stipa.api_user_disable($1, $2, $3) AS at", 3 };
static const struct db_query enable = { "SELECT stipa.api_user_enable($1, $2, $3)", 3 };
static const struct db_query show = { "SELECT * FROM stipa.api_user_view WHERE \"user\" = $1", 1 };
static const struct db_query list = {
	"SELECT * FROM stipa.api_user_view WHERE ($1::text IS NULL OR account = $1)"
	" AND ($2::text IS NULL OR client = $2) ORDER BY account, client, \"user\"",
	2
};

/* The digests of a password as values; NULL for those that it does not have. */
struct password_values {
	char digest[DIGEST_MAX], secret_digest[DIGEST_MAX];
	bool has_digests;
};

static struct password_values values_of(const struct api_user_password *password)
{
	struct password_values values = { .has_digests = password->hash == NULL };

	bytea_text(password->digest, SHA256_LEN, values.digest);
	bytea_text(password->secret_digest, SHA256_LEN, values.secret_digest);
	return values;
}

PGresult *api_user_add(PGconn *pg, const struct act *act, const char *client, const char *user,
		       const struct api_user_password *password, struct error *error)
{
	const struct password_values of = values_of(password);
	const char *const values[] = { act->actor,
				       act->reason,
				       client,
				       user,
				       of.has_digests ? of.digest : NULL,
				       password->hash,
				       of.has_digests ? of.secret_digest : NULL };

	return db_query(pg, &add, values, error);
}

PGresult *api_user_rotate(PGconn *pg, const struct act *act, const char *user,
			  const struct api_user_password *password, struct error *error)
{
	const struct password_values of = values_of(password);
	const char *const values[] = { act->actor,     act->reason,
				       user,	       of.has_digests ? of.digest : NULL,
				       password->hash, of.has_digests ? of.secret_digest : NULL };

	return db_query(pg, &rotate, values, error);
}

static PGresult *step(PGconn *pg, const struct db_query *query, const struct act *act,
		      const char *user, struct error *error)
{
	const char *const values[] = { act->actor, act->reason, user };

	return db_query(pg, query, values, error);
}

PGresult *api_user_disable(PGconn *pg, const struct act *act, const char *user, struct error *error)
{
	return step(pg, &disable, act, user, error);
}

PGresult *api_user_enable(PGconn *pg, const struct act *act, const char *user, struct error *error)
{
	return step(pg, &enable, act, user, error);
}

PGresult *api_user_show(PGconn *pg, const char *user, struct error *error)
{
	return db_query_one(pg, &show, &user, "API user", user, error);
}

PGresult *api_user_list(PGconn *pg, const char *account, const char *client, struct error *error)
{
	const char *const values[] = { account, client };

	return db_query(pg, &list, values, error);
}
