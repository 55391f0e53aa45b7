/* SPDX-License-Identifier: Apache-2.0 */
#include "db/place.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

/* NULL: neither in the conninfo nor in the environment. */
static const char *value_of(const PQconninfoOption *conninfo, const char *keyword)
{
	const char *value = NULL;

	for (; conninfo->keyword != NULL; conninfo++) {
		if (strcmp(conninfo->keyword, keyword) != 0)
			continue;
		value = conninfo->val;
		if ((value == NULL || value[0] == '\0') && conninfo->envvar != NULL)
			value = getenv(conninfo->envvar);
	}
	return value == NULL || value[0] == '\0' ? NULL : value;
}

/* The entry after the next comma; NULL: there is none. */
static const char *next_of(const char *list)
{
	const char *comma = list == NULL ? NULL : strchr(list, ',');

	return comma == NULL ? NULL : comma + 1;
}

static size_t entry_len(const char *entry)
{
	return entry == NULL ? 0 : strcspn(entry, ",");
}

static bool add_address(struct db_place *place, const char *address, size_t len,
			struct error *error)
{
	char text[INET6_ADDRSTRLEN + 20] = ""; /* with the zone of a link */
	unsigned char bytes[16];

	if (len < sizeof(text))
		memcpy(text, address, len);
	place->reads = true;
	if (inet_pton(AF_INET, text, bytes) == 1)
		return place->by_inet = true;
	text[strcspn(text, "%")] = '\0';
	if (inet_pton(AF_INET6, text, bytes) == 1)
		return place->by_inet6 = true;
	return error_set(error, ERROR_INVALID, "database: hostaddr=%.*s is no address", (int)len,
			 address);
}

static bool add_folder(struct db_place *place, const char *host, size_t len, struct error *error)
{
	if (len > 0 && (*host == '/' || *host == '@')) /* '@': an abstract socket */
		return place->by_unix = true;
	if (len == 0)
		return error_set(error, ERROR_INVALID,
				 "database: want host=/folder or hostaddr=address");
	return error_set(error, ERROR_INVALID,
			 "database: host=%.*s is a name, want a socket folder or hostaddr",
			 (int)len, host);
}

/* Of each pair of entries the address counts, where there is one. */
static bool add_pairs(struct db_place *place, const char *hostaddr, const char *host,
		      struct error *error)
{
	do {
		bool good = entry_len(hostaddr) > 0
				    ? add_address(place, hostaddr, entry_len(hostaddr), error)
				    : add_folder(place, host, entry_len(host), error);

		if (!good)
			return false;
		hostaddr = next_of(hostaddr);
		host = next_of(host);
	} while (hostaddr != NULL || host != NULL);
	return true;
}

static bool judge(const PQconninfoOption *conninfo, struct db_place *place, struct error *error)
{
	if (value_of(conninfo, "service") != NULL)
		return error_set(error, ERROR_INVALID, "database: no service files here");
	if (value_of(conninfo, "passfile") != NULL)
		place->reads = true;
	return add_pairs(place, value_of(conninfo, "hostaddr"), value_of(conninfo, "host"), error);
}

bool db_place_of(const char *conninfo, struct db_place *place, struct error *error)
{
	char *message = NULL;
	PQconninfoOption *parsed = PQconninfoParse(conninfo, &message);
	bool good;

	*place = (struct db_place){ 0 };
	if (parsed == NULL)
		error_set(error, ERROR_INVALID, "database: %.*s",
			  message == NULL ? 0 : (int)strcspn(message, "\n"), message);
	PQfreemem(message);
	if (parsed == NULL)
		return false;
	good = judge(parsed, place, error);
	PQconninfoFree(parsed);
	return good;
}
