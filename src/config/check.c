/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <libpq-fe.h>

#include "base/cidr.h"

#define ALNUM	   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define HOST_CHARS ALNUM "-."

static bool consists_of(const char *text, const char *chars)
{
	return text[0] != '\0' && text[strspn(text, chars)] == '\0';
}

static bool is_port(const char *text)
{
	return consists_of(text, "0123456789") && text[0] != '0' && strlen(text) <= 5 &&
	       atoi(text) <= 65535;
}

static bool is_address(int family, const char *text, size_t len)
{
	char address[INET6_ADDRSTRLEN];
	unsigned char bytes[16];

	if (len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	return inet_pton(family, address, bytes) == 1;
}

bool check_listen(const char *value, struct error *error)
{
	const char *port = strrchr(value, ':');
	size_t len = port == NULL ? 0 : (size_t)(port - value);
	bool good = port != NULL && is_port(port + 1);

	if (good && value[0] == '[')
		good = len > 2 && value[len - 1] == ']' && is_address(AF_INET6, value + 1, len - 2);
	else if (good)
		good = is_address(AF_INET, value, len);
	if (!good)
		return error_set(error, ERROR_INVALID,
				 "want an address and a port: 192.0.2.1:443 or [2001:db8::1]:443");
	return true;
}

bool check_host(const char *value, struct error *error)
{
	size_t len = strlen(value);

	if (value[0] == '[' && len > 2 && value[len - 1] == ']' &&
	    is_address(AF_INET6, value + 1, len - 2))
		return true;
	if (!consists_of(value, HOST_CHARS) || len > 253)
		return error_set(error, ERROR_INVALID,
				 "want a host name or an address, without a port");
	return true;
}

bool check_cidr(const char *value, struct error *error)
{
	struct cidr unused;

	return cidr_parse(value, &unused, error);
}

bool check_path(const char *value, struct error *error)
{
	if (value[0] != '/' || value[1] == '\0')
		return error_set(error, ERROR_INVALID, "want a path that begins with /");
	return true;
}

bool check_socket(const char *value, struct error *error)
{
	const struct sockaddr_un *unused = NULL;

	if (!check_path(value, error))
		return false;
	if (strlen(value) >= sizeof(unused->sun_path))
		return error_set(error, ERROR_INVALID, "the path of a socket has at most %zu bytes",
				 sizeof(unused->sun_path) - 1);
	return true;
}

bool check_pem(const char *value, struct error *error)
{
	const char *name = strrchr(value, '/');
	size_t len;

	if (!check_path(value, error))
		return false;
	name++;
	len = strspn(name, ALNUM "-_.");
	if (name[len] != '\0' || len <= 4 || strcmp(name + len - 4, ".pem") != 0)
		return error_set(error, ERROR_INVALID,
				 "want a file <kid>.pem, of letters, digits, '-', '_' and '.'");
	return true;
}

bool check_https(const char *value, struct error *error)
{
	static const char scheme[] = "https://";
	const char *host = value + strlen(scheme);
	size_t len;

	if (strncmp(value, scheme, strlen(scheme)) != 0)
		return error_set(error, ERROR_INVALID, "want a URL that begins with https://");
	len = strcspn(host, "/");
	if (strpbrk(value, "?#") != NULL || memchr(host, '@', len) != NULL)
		return error_set(error, ERROR_INVALID,
				 "want a URL without user, query and fragment");
	if (len == 0 || strspn(host, HOST_CHARS ":[]") < len || strpbrk(value, " \"<>\\") != NULL)
		return error_set(error, ERROR_INVALID, "want a URL with a host");
	return true;
}

bool check_origin(const char *value, struct error *error)
{
	if (!check_https(value, error))
		return false;
	return strchr(value + strlen("https://"), '/') == NULL ||
	       error_set(error, ERROR_INVALID, "want a URL without a path, also without a last /");
}

bool check_unix_user(const char *value, struct error *error)
{
	if (!consists_of(value, ALNUM "_-.") || strspn(value, "0123456789-.") > 0 ||
	    strlen(value) > 32 || strcmp(value, "root") == 0)
		return error_set(error, ERROR_INVALID, "want the name of a user, who is not root");
	return true;
}

bool check_text(const char *value, struct error *error)
{
	return value[0] != '\0' || error_set(error, ERROR_INVALID, "want a value");
}

static bool check_one_of(const char *const names[], const char *wanted, const char *value,
			 struct error *error)
{
	for (size_t i = 0; names[i] != NULL; i++) {
		if (strcmp(names[i], value) == 0)
			return true;
	}
	return error_set(error, ERROR_INVALID, "want %s", wanted);
}

bool check_environment(const char *value, struct error *error)
{
	static const char *const names[] = { "production", "staging", "demo", NULL };

	return check_one_of(names, "production, staging or demo", value, error);
}

bool check_log_level(const char *value, struct error *error)
{
	static const char *const names[] = { "debug", "info", "warning", "error", NULL };

	return check_one_of(names, "debug, info, warning or error", value, error);
}

/* ---- conninfo ---- */

static const char *given(const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword != NULL; options++) {
		if (strcmp(options->keyword, keyword) == 0)
			return options->val != NULL && options->val[0] != '\0' ? options->val
									       : NULL;
	}
	return NULL;
}

/* The entry after the next comma; NULL: there is none. */
static const char *next_of(const char *list)
{
	const char *comma = list == NULL ? NULL : strchr(list, ',');

	return comma == NULL ? NULL : comma + 1;
}

static bool is_empty(const char *entry)
{
	return entry == NULL || *entry == ',' || *entry == '\0';
}

/* Of each pair of entries one is an address, or the folder of a socket, or an abstract socket. */
static bool lead_somewhere(const char *hostaddr, const char *host)
{
	do {
		if (is_empty(hostaddr) && (is_empty(host) || (*host != '/' && *host != '@')))
			return false;
		hostaddr = next_of(hostaddr);
		host = next_of(host);
	} while (hostaddr != NULL || host != NULL);
	return true;
}

static bool check_parsed(const PQconninfoOption *options, struct error *error)
{
	if (given(options, "password") != NULL)
		return error_set(error, ERROR_INVALID,
				 "a password does not stand here: use passfile, or peer "
				 "authentication");
	if (given(options, "service") != NULL)
		return error_set(error, ERROR_INVALID, "no service files here");
	if (!lead_somewhere(given(options, "hostaddr"), given(options, "host")))
		return error_set(error, ERROR_INVALID,
				 "want host=/folder/of/the/socket or hostaddr, not a host name: "
				 "names are not resolved here");
	return true;
}

bool check_conninfo(const char *value, struct error *error)
{
	char *why = NULL;
	PQconninfoOption *options = PQconninfoParse(value, &why);
	bool good;

	if (options == NULL) {
		/* libpq's reason may repeat what was meant as a password */
		PQfreemem(why);
		return error_set(error, ERROR_INVALID,
				 "not a conninfo: want keyword=value pairs that libpq knows");
	}
	good = check_parsed(options, error);
	PQconninfoFree(options);
	return good;
}
