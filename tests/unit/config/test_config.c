/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../suite.h"
#include "config/config.h"

/* Every required option, one a line; a case adds to it or puts a line in place of another. */
static const char *const good[] = {
	"listen = { \"127.0.0.1:8443\", \"[::1]:8443\" }",
	"server_names = { localhost, \"127.0.0.1\" }",
	"tls_certificate = /etc/stipa/tls.pem",
	"tls_key = /etc/stipa/tls.key",
	"environment = demo",
	"database = \"host=/run/postgresql dbname=stipa user=stipa_authority\"",
	"signer_certificate = /etc/stipa/certs/STI-PA-token-1.pem",
	"signer_key = /etc/stipa/token.key",
	"signer_passphrase = /etc/stipa/token.pass",
	"certificates = /etc/stipa/certs",
	"crl_url = \"https://pa.example/sti-pa/crl\"",
	"crl_issuer = \"CN=STI-PA CRL, O=Example, C=US\"",
};

enum { GOOD = sizeof(good) / sizeof(good[0]) };

static char path[] = "/tmp/stipa-config-XXXXXX";
static char faults[8192];

static void write_file(const char *text)
{
	FILE *file = fopen(path, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fputs(text, file);
	fclose(file);
}

/* Load what stands in the file; the faults go to @faults, without the path. */
static struct config *load(void)
{
	char *text = NULL;
	size_t len;
	FILE *stream = open_memstream(&text, &len);
	struct config *config = config_load(path, stream);
	char *to = faults;

	fclose(stream);
	faults[0] = '\0';
	for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
		const char *end = strchr(line, '\n');

		CU_ASSERT_EQUAL(strncmp(line, path, strlen(path)), 0);
		line += strlen(path);
		to += sprintf(to, "%.*s", (int)(end + 1 - line), line);
	}
	free(text);
	return config;
}

/* The good file with @line as its line @n (1 for the first; GOOD + 1 to add one). */
static void write_with(const char *line, int n)
{
	char text[8192] = "";

	for (int i = 1; i <= GOOD + 1; i++) {
		const char *now = i == n ? line : i <= GOOD ? good[i - 1] : "";

		strcat(text, now);
		strcat(text, "\n");
	}
	write_file(text);
}

static void test_a_good_file_has_its_values_and_defaults(void)
{
	struct config *config;

	write_with("", 0);
	config = load();
	CU_ASSERT_STRING_EQUAL(faults, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	CU_ASSERT_EQUAL_FATAL(config->listen.n, 2);
	CU_ASSERT_STRING_EQUAL(config->listen.item[1], "[::1]:8443");
	CU_ASSERT_PTR_NULL(config->listen.item[2]);
	CU_ASSERT_STRING_EQUAL(config->server_names.item[0], "localhost");
	CU_ASSERT_STRING_EQUAL(config->crl_issuer, "CN=STI-PA CRL, O=Example, C=US");
	CU_ASSERT_EQUAL(config->connections_max, 20000);
	CU_ASSERT_EQUAL(config->connections_per_address_max, 256);
	CU_ASSERT_EQUAL(config->idle_timeout_ms, 120000);
	CU_ASSERT_EQUAL(config->requests_per_address_s, 200);
	CU_ASSERT_EQUAL(config->requests_per_address_burst, 400);
	CU_ASSERT_EQUAL(config->failures_per_address_min, 10);
	CU_ASSERT_EQUAL(config->failures_per_address_burst, 20);
	CU_ASSERT_EQUAL(config->requests_per_client_s, 100);
	CU_ASSERT_EQUAL(config->requests_per_client_burst, 200);
	CU_ASSERT_EQUAL(config->failures_per_user_min, 10);
	CU_ASSERT_EQUAL(config->failures_per_user_burst, 20);
	CU_ASSERT_EQUAL(config->password_cpu_percent, 25);
	CU_ASSERT_PTR_NULL(config->base_url);
	CU_ASSERT_PTR_NULL(config->crl_url_download);
	CU_ASSERT_PTR_NULL(config->user_edge);
	CU_ASSERT_PTR_NULL(config->user_authority);
	CU_ASSERT_EQUAL(config->edges, 0);
	CU_ASSERT_STRING_EQUAL(config->log_level, "info");
	CU_ASSERT_STRING_EQUAL(config->local_socket, "/run/stipa/local.sock");
	config_free(config);
}

static void test_what_is_given_stands_before_the_default(void)
{
	struct config *config;

	write_with("edges = 3 # a comment\norders_max = \"17\"\nlog_level = debug\n"
		   "base_url = \"https://pa.example:8443\"\nfailures_per_address_min = 0\n"
		   "proxy_protocol_from = { \"192.0.2.0/24\", \"2001:db8::7\" }",
		   GOOD + 1);
	config = load();
	CU_ASSERT_STRING_EQUAL(faults, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	CU_ASSERT_EQUAL(config->edges, 3);
	CU_ASSERT_EQUAL(config->orders_max, 17);
	CU_ASSERT_STRING_EQUAL(config->base_url, "https://pa.example:8443");
	CU_ASSERT_EQUAL(config->failures_per_address_min, 0);
	CU_ASSERT_EQUAL(config->proxy_protocol_from.n, 2);
	CU_ASSERT_STRING_EQUAL(config->log_level, "debug");
	config_free(config);
}

static void test_a_list_may_be_one_value(void)
{
	struct config *config;

	write_with("listen = \"192.0.2.1:443\"", 1);
	config = load();
	CU_ASSERT_STRING_EQUAL(faults, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	CU_ASSERT_EQUAL(config->listen.n, 1);
	config_free(config);
}

static void test_a_list_may_be_added_to(void)
{
	struct config *config;

	write_with("listen += { \"127.0.0.1:1\" }", GOOD + 1);
	config = load();
	CU_ASSERT_STRING_EQUAL(faults, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	CU_ASSERT_EQUAL_FATAL(config->listen.n, 3);
	CU_ASSERT_STRING_EQUAL(config->listen.item[2], "127.0.0.1:1");
	config_free(config);
}

#define SEVENTEEN "a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a"

static const struct bad {
	const char *name;
	int line; /* that is replaced */
	const char *text;
	const char *faults; /* all of them */
} bads[] = {
	{ "no listener", 1, "", ": listen: missing\n" },
	{ "a name to listen on", 1, "listen = \"localhost:8443\"",
	  ":1: listen: want an address and a port: 192.0.2.1:443 or [2001:db8::1]:443\n" },
	{ "no port", 1, "listen = \"127.0.0.1\"",
	  ":1: listen: want an address and a port: 192.0.2.1:443 or [2001:db8::1]:443\n" },
	{ "port 0", 1, "listen = \"127.0.0.1:0\"",
	  ":1: listen: want an address and a port: 192.0.2.1:443 or [2001:db8::1]:443\n" },
	{ "port 65536", 1, "listen = \"127.0.0.1:65536\"",
	  ":1: listen: want an address and a port: 192.0.2.1:443 or [2001:db8::1]:443\n" },
	{ "IPv6 without brackets", 1, "listen = \"::1:8443\"",
	  ":1: listen: want an address and a port: 192.0.2.1:443 or [2001:db8::1]:443\n" },
	{ "an item in the middle", 1, "listen = {\n\"127.0.0.1:1\",\n\"x\",\n\"127.0.0.1:2\"\n}",
	  ":3: listen: want an address and a port: 192.0.2.1:443 or [2001:db8::1]:443\n" },
	{ "an empty list", 2, "server_names = {}", ": server_names: missing\n" },
	{ "a host with a port", 2, "server_names = \"localhost:8443\"",
	  ":2: server_names: want a host name or an address, without a port\n" },
	{ "too many hosts", 2, "server_names = {" SEVENTEEN "}",
	  ":2: server_names: more than 16 items\n" },
	{ "a proxy by name", GOOD + 1, "proxy_protocol_from = proxy.example",
	  ":13: proxy_protocol_from: want addresses: 192.0.2.0/24, 2001:db8::/32 or one "
	  "address\n" },
	{ "a block with bits beyond it", GOOD + 1,
	  "proxy_protocol_from = { \"2001:db8::7\", \"192.0.2.7/24\" }",
	  ":13: proxy_protocol_from: bits are set beyond the prefix of 24 bits\n" },
	{ "root", GOOD + 1, "user_edge = root",
	  ":13: user_edge: want the name of a user, who is not root\n" },
	{ "a user by number", GOOD + 1, "user_authority = 1001",
	  ":13: user_authority: want the name of a user, who is not root\n" },
	{ "an address with a name beside it", 6,
	  "database = \"hostaddr=192.0.2.1, host=a.example,b.example\"",
	  ":6: database: want host=/folder/of/the/socket or hostaddr, not a host name: names are "
	  "not resolved here\n" },
	{ "a relative path", 3, "tls_certificate = tls.pem",
	  ":3: tls_certificate: want a path that begins with /\n" },
	{ "an empty path", 4, "tls_key = \"\"", ":4: tls_key: want a path that begins with /\n" },
	{ "an unknown environment", 5, "environment = Production",
	  ":5: environment: want production, staging or demo\n" },
	{ "a database host name", 6, "database = \"host=db.example dbname=stipa\"",
	  ":6: database: want host=/folder/of/the/socket or hostaddr, not a host name: names are "
	  "not resolved here\n" },
	{ "one host name of two", 6, "database = \"host=/run/a,db.example\"",
	  ":6: database: want host=/folder/of/the/socket or hostaddr, not a host name: names are "
	  "not resolved here\n" },
	{ "a database nowhere", 6, "database = \"dbname=stipa\"",
	  ":6: database: want host=/folder/of/the/socket or hostaddr, not a host name: names are "
	  "not resolved here\n" },
	{ "a database URL with a name", 6, "database = \"postgresql://db.example/stipa\"",
	  ":6: database: want host=/folder/of/the/socket or hostaddr, not a host name: names are "
	  "not resolved here\n" },
	{ "a password in the conninfo", 6, "database = \"host=/run password=hunter2\"",
	  ":6: database: a password does not stand here: use passfile, or peer authentication\n" },
	{ "no conninfo", 6, "database = \"hunter2\"",
	  ":6: database: not a conninfo: want keyword=value pairs that libpq knows\n" },
	{ "a service", 6, "database = \"service=stipa\"", ":6: database: no service files here\n" },
	{ "a signer that is no .pem", 7, "signer_certificate = /etc/stipa/token.crt",
	  ":7: signer_certificate: want a file <kid>.pem, of letters, digits, '-', '_' and '.'\n" },
	{ "a signer without a name", 7, "signer_certificate = /etc/stipa/.pem",
	  ":7: signer_certificate: want a file <kid>.pem, of letters, digits, '-', '_' and '.'\n" },
	{ "a CRL without TLS", 11, "crl_url = \"http://pa.example/crl\"",
	  ":11: crl_url: want a URL that begins with https://\n" },
	{ "a CRL with a query", 11, "crl_url = \"https://pa.example/crl?x=1\"",
	  ":11: crl_url: want a URL without user, query and fragment\n" },
	{ "a CRL with a fragment", 11, "crl_url = \"https://pa.example/crl#1\"",
	  ":11: crl_url: want a URL without user, query and fragment\n" },
	{ "a CRL with a user", 11, "crl_url = \"https://a:b@pa.example/crl\"",
	  ":11: crl_url: want a URL without user, query and fragment\n" },
	{ "a CRL of nobody", 11, "crl_url = \"https:///crl\"",
	  ":11: crl_url: want a URL with a host\n" },
	{ "an issuer of tokens without TLS", GOOD + 1, "base_url = \"http://pa.example\"",
	  ":13: base_url: want a URL that begins with https://\n" },
	{ "an issuer of tokens with a path", GOOD + 1, "base_url = \"https://pa.example/\"",
	  ":13: base_url: want a URL without a path, also without a last /\n" },
	{ "an issuer of tokens with a user", GOOD + 1, "base_url = \"https://a@pa.example\"",
	  ":13: base_url: want a URL without user, query and fragment\n" },
	{ "a CRL for deployed clients without TLS", GOOD + 1,
	  "crl_url_download = \"http://pa.example/download/v1/crl\"",
	  ":13: crl_url_download: want a URL that begins with https://\n" },
	{ "a burst of none", GOOD + 1, "requests_per_address_burst = 0",
	  ":13: requests_per_address_burst: 0 is not within 1 to 1000000\n" },
	{ "fewer failures than none", GOOD + 1, "failures_per_address_min = -1",
	  ":13: failures_per_address_min: -1 is not within 0 to 1000000\n" },
	{ "a rate that is a word", GOOD + 1, "requests_per_client_s = unlimited",
	  ":13: requests_per_client_s: \"unlimited\" is not a number\n" },
	{ "an empty issuer", 12, "crl_issuer = \"\"", ":12: crl_issuer: want a value\n" },
	{ "an issuer not ASCII", 12, "crl_issuer = \"CN=\xc3\xa9\"",
	  ":12: crl_issuer: printable ASCII only\n" },
	{ "a word for a number", GOOD + 1, "edges = many",
	  ":13: edges: \"many\" is not a number\n" },
	{ "a number with a unit", GOOD + 1, "head_timeout_ms = 5s",
	  ":13: head_timeout_ms: \"5s\" is not a number\n" },
	{ "a number below its range", GOOD + 1, "edges = -1",
	  ":13: edges: -1 is not within 0 to 64\n" },
	{ "a number above its range", GOOD + 1, "edges = 65",
	  ":13: edges: 65 is not within 0 to 64\n" },
	{ "a number above all", GOOD + 1, "orders_max = 99999999999999999999",
	  ":13: orders_max: 99999999999999999999 is not within 1 to 1000000\n" },
	{ "an unknown level", GOOD + 1, "log_level = verbose",
	  ":13: log_level: want debug, info, warning or error\n" },
	{ "an option given twice", GOOD + 1, "environment = staging",
	  ":13: environment: given twice, first in line 5\n" },
	{ "a list given twice", GOOD + 1, "listen = { \"127.0.0.1:9\", \"127.0.0.1:10\" }",
	  ":13: listen: given twice, first in line 1\n" },
	{ "a list given again as one value", GOOD + 1, "listen = \"127.0.0.1:9\"",
	  ":13: listen: given twice, first in line 1\n" },
	{ "an unknown option", GOOD + 1, "colour = blue", ":13: colour: no such option\n" },
	{ "an unknown list", GOOD + 1, "colours = { blue, green }",
	  ":13: colours: no such option\n" },
	{ "the name in capitals", 5, "Environment = demo",
	  ":5: Environment: no such option\n: environment: missing\n" },
	{ "a brace too few", GOOD + 1, "listen = { \"127.0.0.1:9\"", NULL },
	{ "a quote too few", GOOD + 1, "log_level = \"info", NULL },
	{ "no value", GOOD + 1, "edges =", NULL },
};

static void test_each_fault_is_told_with_its_line(void)
{
	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		const struct bad *bad = &bads[i];
		struct config *config;
		bool right;

		write_with(bad->text, bad->line);
		config = load();
		right = bad->faults == NULL ? strstr(faults, ": syntax: ") != NULL
					    : strcmp(faults, bad->faults) == 0;
		if (!right || config != NULL)
			printf("\n  %s:\n%s", bad->name, faults);
		CU_ASSERT_TRUE(right);
		CU_ASSERT_PTR_NULL(config);
		CU_ASSERT_PTR_NULL(strstr(faults, "hunter2"));
		config_free(config);
	}
}

static void test_all_faults_are_told_in_the_order_of_lines(void)
{
	write_file("edges = 99\n"
		   "color = red\n"
		   "environment = live\n"
		   "shape = { round }\n"
		   "orders_max = none\n"
		   "listen = { \"127.0.0.1:1\" }\n");
	CU_ASSERT_PTR_NULL(load());
	CU_ASSERT_PTR_NOT_NULL(strstr(faults, ":1: edges: 99 is not within 0 to 64\n"
					      ":2: color: no such option\n"
					      ":3: environment: want production, staging or demo\n"
					      ":4: shape: no such option\n"
					      ":5: orders_max: \"none\" is not a number\n"
					      ": "));
	CU_ASSERT_PTR_NOT_NULL(strstr(faults, ": database: missing\n"));
	CU_ASSERT_PTR_NULL(strstr(faults, "listen"));
	CU_ASSERT_PTR_NULL(strstr(faults, "environment: missing"));
}

static void test_every_required_option_is_missed(void)
{
	write_file("");
	CU_ASSERT_PTR_NULL(load());
	for (const struct config_option *o = config_options; o->name != NULL; o++) {
		char line[100];

		snprintf(line, sizeof(line), ": %s: missing\n", o->name);
		CU_ASSERT_EQUAL(strstr(faults, line) != NULL, o->required);
	}
}

static void test_what_cannot_be_read_is_a_fault(void)
{
	char saved[sizeof(path)];

	memcpy(saved, path, sizeof(path));
	strcpy(path, "/tmp");
	CU_ASSERT_PTR_NULL(load());
	CU_ASSERT_STRING_EQUAL(faults, ": Is a directory\n");
	strcpy(path, "/nowhere");
	CU_ASSERT_PTR_NULL(load());
	CU_ASSERT_STRING_EQUAL(faults, ": No such file or directory\n");
	memcpy(path, saved, sizeof(path));
}

static void print_to(const struct config *config, char *text, size_t size)
{
	FILE *stream = fmemopen(text, size, "w");

	config_print(config_options, config, stream);
	fclose(stream);
}

static void test_what_is_printed_reads_as_the_same(void)
{
	static char first[16384], second[16384];
	struct config *config;

	write_with("crl_issuer = \"CN=\\\"quoted\\\" \\\\ back, O=$HOME\"", 12);
	config = load();
	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	CU_ASSERT_STRING_EQUAL(config->crl_issuer, "CN=\"quoted\" \\ back, O=$HOME");
	print_to(config, first, sizeof(first));
	config_free(config);

	write_file(first);
	config = load();
	CU_ASSERT_STRING_EQUAL(faults, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	CU_ASSERT_STRING_EQUAL(config->crl_issuer, "CN=\"quoted\" \\ back, O=$HOME");
	print_to(config, second, sizeof(second));
	CU_ASSERT_STRING_EQUAL(first, second);
	config_free(config);
}

static void test_printed_defaults_lack_only_what_is_required(void)
{
	static char text[16384];

	print_to(NULL, text, sizeof(text));
	write_file(text);
	CU_ASSERT_PTR_NULL(load());
	for (char *line = strtok(faults, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		size_t len = strlen(line);

		CU_ASSERT_STRING_EQUAL(line + len - strlen(": missing"), ": missing");
	}
}

static int setup(void)
{
	int fd = mkstemp(path);

	return fd < 0 || close(fd) != 0;
}

static int teardown(void)
{
	return unlink(path);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "a good file has its values and defaults",
		  test_a_good_file_has_its_values_and_defaults },
		{ "what is given stands before the default",
		  test_what_is_given_stands_before_the_default },
		{ "a list may be one value", test_a_list_may_be_one_value },
		{ "a list may be added to", test_a_list_may_be_added_to },
		{ "each fault is told with its line", test_each_fault_is_told_with_its_line },
		{ "all faults are told in the order of lines",
		  test_all_faults_are_told_in_the_order_of_lines },
		{ "every required option is missed", test_every_required_option_is_missed },
		{ "what cannot be read is a fault", test_what_cannot_be_read_is_a_fault },
		{ "what is printed reads as the same", test_what_is_printed_reads_as_the_same },
		{ "printed defaults lack only what is required",
		  test_printed_defaults_lack_only_what_is_required },
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{ .pName = "config",
		  .pInitFunc = setup,
		  .pCleanupFunc = teardown,
		  .pTests = tests },
		CU_SUITE_INFO_NULL,
	};

	return run_suites(suites);
}
