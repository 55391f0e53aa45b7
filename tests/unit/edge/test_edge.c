/* SPDX-License-Identifier: Apache-2.0 */
/* The whole process of an edge, with the real HTTP server and channel: this program is its monitor
 * and its clients, and forks an authority that issues whatever it is asked. */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "../suite.h"
#include "config/config.h"
#include "edge/edge.h"
#include "edge/routes.h"
#include "ipc/channel.h"
#include "ipc/control.h"
#include "metrics/metrics.h"

#define FP                                                                                         \
	"SHA256 A0:A2:32:C2:F1:94:A5:35:53:CB:13:10:DD:BC:08:21:E4:14:B9:D7:EB:FC:29:0B:32:30:84:" \
	"D7:D1:02:0F:E5"
#define BODY                                                                                       \
	"{\"atc\":{\"tktype\":\"TNAuthList\",\"tkvalue\":\"MAigBhYEMTIzNA==\",\"ca\":false,"       \
	"\"fingerprint\":\"" FP "\"}}"
#define HOST  "Host: localhost\r\n"
#define BASIC "Authorization: Basic Y2xpZW50OnNlY3JldA==\r\n"
#define JSON  "Content-Type: application/json\r\n"
#define ORDER_TO(path, fields)                                                                     \
	"POST " path " HTTP/1.1\r\n" HOST fields JSON "Content-Length: 190\r\n\r\n" BODY
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

static_assert(sizeof(BODY) - 1 == 190, "the Content-Length of a body");

static char folder[64];
static struct config config;

static struct {
	pid_t edge, authority;
	int control, listener, local;
	in_port_t port;
} node;

/* ---- what an edge needs ---- */

static const char *path_in(const char *name)
{
	static char paths[8][128];
	static int n;
	char *path = paths[n++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void make_keys(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x509 = X509_new();
	FILE *file;

	ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
	X509_gmtime_adj(X509_getm_notBefore(x509), 0);
	X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
	X509_set_pubkey(x509, key);
	X509_sign(x509, key, EVP_sha256());
	file = fopen(path_in("signer-1.pem"), "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	PEM_write_X509(file, x509);
	fclose(file);
	file = fopen(path_in("tls.key"), "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
	fclose(file);
	chmod(path_in("tls.key"), 0600);
	X509_free(x509);
	EVP_PKEY_free(key);
}

static void make_config(void)
{
	config = (struct config){
		.environment = (char *)"demo",
		.server_names = { .n = 1, .item = { (char *)"localhost" } },
		.tls_certificate = strdup(path_in("signer-1.pem")),
		.tls_key = strdup(path_in("tls.key")),
		.signer_certificate = strdup(path_in("signer-1.pem")),
		.crl_url = (char *)"https://localhost/sti-pa/crl",
		.crl_issuer = (char *)"CN=STI-PA CRL",
		.connections_max = 100,
		.connections_per_address_max = 50,
		.requests_per_connection_max = 10,
		.idle_timeout_ms = 5000,
		.handshake_timeout_ms = 5000,
		.head_timeout_ms = 5000,
		.body_timeout_ms = 5000,
		.handler_timeout_ms = 4000,
		.response_timeout_ms = 5000,
		.connection_life_ms = 60000,
		.orders_max = 16,
		.drain_timeout_ms = 2000,
	};
}

static void free_config(void)
{
	free(config.tls_certificate);
	free(config.tls_key);
	free(config.signer_certificate);
}

static int listen_public(in_port_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&address, len), 0);
	CU_ASSERT_EQUAL_FATAL(listen(fd, 16), 0);
	CU_ASSERT_EQUAL_FATAL(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*port = address.sin_port;
	return fd;
}

static struct sockaddr_un local_address(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/local", folder);
	return address;
}

static int listen_local(void)
{
	struct sockaddr_un address = local_address();
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	CU_ASSERT_EQUAL_FATAL(listen(fd, 16), 0);
	return fd;
}

/* ---- the children ---- */

static void issue_all(void *arg, const struct order *order, struct ipc_ticket *ticket)
{
	struct answer answer = { .verdict = VERDICT_ISSUED };

	(void)arg;
	if (order->defect != DEFECT_NONE) {
		answer.verdict = VERDICT_MALFORMED;
		answer.defect = order->defect;
	} else {
		strcpy(answer.spc, order->spc);
		strcpy(answer.text, "a.b.c");
	}
	ipc_answer(ticket, &answer);
}

static void run_authority(int fd)
{
	struct event_base *base = event_base_new();
	const struct ipc_handlers handlers = { .on_order = issue_all };
	struct ipc_server *server = ipc_server_new(base, &handlers, NULL);

	close(node.control); /* else the edge never sees its end */
	ipc_server_attach(server, fd);
	ipc_server_tell_ready(server, true);
	event_base_dispatch(base);
	_exit(0);
}

static void start_authority(void)
{
	struct error error = { 0 };
	int pair[2];

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	node.authority = fork();
	if (node.authority == 0) {
		close(pair[0]);
		run_authority(pair[1]);
	}
	close(pair[1]);
	CU_ASSERT_TRUE(ipc_control_send_peer(node.control, pair[0], &error));
}

static void end_authority(void)
{
	kill(node.authority, SIGKILL);
	waitpid(node.authority, NULL, 0);
}

static void run_edge(int control_fd)
{
	const struct log log = { .fd = -1, .least = LOG_LEVEL_ERROR, .process = "edge-1" };
	const struct edge_options options = {
		.config = &config,
		.log = &log,
		.control_fd = control_fd,
		.listeners = &node.listener,
		.n_listeners = 1,
		.local_fd = node.local,
	};
	int status;

	close(node.control);
	status = edge_run(&options);
	free_config();
	exit(status);
}

static void start_edge(void)
{
	int pair[2];

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	node.control = pair[0];
	fflush(stdout);
	node.edge = fork();
	if (node.edge == 0)
		run_edge(pair[1]);
	close(pair[1]);
}

static int end_of_edge(void)
{
	int status = -1;

	CU_ASSERT_EQUAL(waitpid(node.edge, &status, 0), node.edge);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void start_node(void)
{
	snprintf(folder, sizeof(folder), "/tmp/stipa-test.XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	make_keys();
	make_config();
	node.listener = listen_public(&node.port);
	node.local = listen_local();
	start_edge();
}

static void clear_node(void)
{
	char command[100];

	close(node.listener);
	close(node.local);
	free_config();
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	CU_ASSERT_EQUAL(system(command), 0);
}

/* The end of its control pair ends it, with 0. */
static void drain_node(void)
{
	close(node.control);
	CU_ASSERT_EQUAL(end_of_edge(), 0);
	clear_node();
}

/* ---- clients ---- */

static int status_of(const char *answer)
{
	int status = 0;

	return sscanf(answer, "HTTP/1.1 %d ", &status) == 1 ? status : 0;
}

/* A whole answer stands in @answer: its head, and as many bytes as it names. */
static bool is_whole(const char *answer)
{
	const char *body = strstr(answer, "\r\n\r\n");
	const char *length = strstr(answer, "Content-Length: ");

	return body != NULL && (length == NULL || length > body ||
				strlen(body + 4) >= strtoul(length + 16, NULL, 10));
}

static SSL *say_hello(SSL_CTX *context)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = node.port,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	SSL *ssl = SSL_new(context);

	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		printf("\n  connect: %s", strerror(errno));
	SSL_set_fd(ssl, fd);
	SSL_set_tlsext_host_name(ssl, "localhost");
	CU_ASSERT_EQUAL(SSL_connect(ssl), 1);
	return ssl;
}

static int https(const char *request, char answer[16384])
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = say_hello(context);
	int fd = SSL_get_fd(ssl), n = 0, got;

	answer[0] = '\0';
	SSL_write(ssl, request, (int)strlen(request));
	while (!is_whole(answer) && (got = SSL_read(ssl, answer + n, 16383 - n)) > 0) {
		n += got;
		answer[n] = '\0';
	}
	SSL_free(ssl);
	SSL_CTX_free(context);
	close(fd);
	return status_of(answer);
}

static int local(const char *request)
{
	struct sockaddr_un address = local_address();
	char answer[4096] = "";
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ssize_t n = 0, got;

	CU_ASSERT_EQUAL(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	CU_ASSERT(write(fd, request, strlen(request)) > 0);
	while (!is_whole(answer) && (got = read(fd, answer + n, sizeof(answer) - 1 - n)) > 0) {
		n += got;
		answer[n] = '\0';
	}
	close(fd);
	return status_of(answer);
}

/* Wait, on a slow machine up to a minute, for what the other processes are about to see. */
static bool becomes(int status, const char *request)
{
	for (int i = 0; i < 3000; i++) {
		if (local(request) == status)
			return true;
		usleep(20000);
	}
	return false;
}

/* ---- tests ---- */

static const struct {
	const char *name, *request;
	int status;
	const char *part; /* of the answer */
} rows[] = {
	{ "a token", ORDER_TO("/sti-pa/account/sp-1/token", BASIC), 200, "\"token\":\"a.b.c\"" },
	{ "a token, the short path", ORDER_TO("/account/1234/token", BASIC), 200,
	  "SPC token for SPC 1234 created" },
	{ "the media type", ORDER_TO("/account/1234/token", BASIC), 200,
	  "Content-Type: application/json\r\n" },
	{ "the media type asked for",
	  ORDER_TO("/account/1234/token", BASIC "Accept: application/jose+json\r\n"), 200,
	  "Content-Type: application/jose+json\r\n" },
	{ "not to be kept", ORDER_TO("/account/1234/token", BASIC), 200, "no-store" },
	{ "the id of a request", ORDER_TO("/account/1234/token", BASIC "X-Request-Id: abc\r\n"),
	  200, "X-Request-Id: abc\r\n" },
	{ "no credentials", ORDER_TO("/account/1234/token", ""), 401,
	  "WWW-Authenticate: Basic realm=\"sti-pa\", charset=\"UTF-8\"\r\n" },
	{ "an access token", ORDER_TO("/account/1234/token", "Authorization: Bearer x\r\n"), 200,
	  "\"token\":" },
	{ "the path of deployed clients",
	  ORDER_TO("/api/v1/account/1234/token", "Authorization: x\r\n"), 200, "\"token\":" },
	{ "the same with a last slash",
	  ORDER_TO("/api/v1/account/1234/token/", "Authorization: x\r\n"), 200, "\"token\":" },
	{ "RFC 9447's", ORDER_TO("/at/account/1234/token", BASIC), 200, "\"token\":" },
	{ "a dry run", ORDER_TO("/account/1234/token/dry-run", BASIC), 200, "would-issue" },
	{ "a deployed client's wrong method", GET("/api/v1/account/1234/token"), 405,
	  "{\"status\":\"error\",\"message\":\"the path does not have this method\",\"errorCode\":"
	  "\"method-not-allowed\"}" },
	{ "a deployed client's wrong path", GET("/api/v1/nothing"), 404,
	  "{\"status\":\"error\",\"message\":\"no such path\",\"errorCode\":\"not-found\"}" },
	{ "a deployed client's long body",
	  "POST /api/v1/auth/login HTTP/1.1\r\n" HOST "Content-Length: 5000\r\n\r\n", 413,
	  "\"errorCode\":\"content-too-large\"}" },
	{ "OAuth's wrong method", GET("/oauth2/token"), 405,
	  "{\"error\":\"invalid_request\",\"error_description\":" },
	{ "the metadata", GET("/.well-known/oauth-authorization-server"), 200,
	  "{\"issuer\":\"https://localhost\"," },
	{ "the signer's certificate for deployed clients",
	  GET("/download/v1/certificate/signer-1.crt"), 200, "-----BEGIN CERTIFICATE-----" },
	{ "the same under its other name", GET("/download/v1/certificate/signer-1.pem"), 404,
	  "no-such-certificate" },
	{ "a malformed body",
	  "POST /account/1/token HTTP/1.1\r\n" HOST BASIC JSON "Content-Length: 2\r\n\r\n[]", 400,
	  "urn:stipa:problem:not-an-object" },
	{ "no body",
	  "POST /account/1/token HTTP/1.1\r\n" HOST BASIC JSON "Content-Length: 0\r\n\r\n", 400,
	  "urn:stipa:problem:json" },
	{ "another media type",
	  "POST /account/1/token HTTP/1.1\r\n" HOST BASIC
	  "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
	  400, "urn:stipa:problem:media-type" },
	{ "a body that is too long",
	  "POST /account/1/token HTTP/1.1\r\n" HOST BASIC JSON "Content-Length: 4097\r\n\r\n", 413,
	  "" },
	{ "another method", GET("/account/1/token"), 405, "Allow: POST" },
	{ "the signer's certificate", GET("/sti-pa/cert.crt"), 200, "BEGIN CERTIFICATE" },
	{ "a certificate", GET("/sti-pa/certs/signer-1.pem"), 200,
	  "Content-Type: application/pem-certificate-chain\r\n" },
	{ "a certificate is kept for a day", GET("/sti-pa/certs/signer-1.pem"), 200,
	  "Cache-Control: public, max-age=86400\r\n" },
	{ "a certificate's head",
	  "HEAD /sti-pa/certs/signer-1.pem HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", 200,
	  "ETag: \"" },
	{ "a certificate that is known",
	  "GET /sti-pa/cert.crt HTTP/1.1\r\n" HOST "If-None-Match: *\r\n\r\n", 304, "ETag: \"" },
	{ "no such certificate", GET("/sti-pa/certs/signer-2.pem"), 404,
	  "urn:stipa:problem:no-such-certificate" },
	{ "not a certificate", GET("/sti-pa/certs/tls.key"), 404, "" },
	{ "no such path", GET("/"), 404, "" },
	{ "health is not public", GET("/readyz"), 404, "" },
	{ "another host", "GET /sti-pa/cert.crt HTTP/1.1\r\nHost: example.com\r\n\r\n", 421, "" },
};

static void test_routes(void)
{
	char answer[16384];

	start_node();
	start_authority();
	CU_ASSERT_TRUE(becomes(200, GET("/readyz")));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int status = https(rows[i].request, answer);
		bool right = status == rows[i].status && strstr(answer, rows[i].part) != NULL;

		if (!right)
			printf("\n  %s: %s", rows[i].name, answer);
		CU_ASSERT_TRUE(right);
	}
	CU_ASSERT_EQUAL(local(GET("/livez")), 200);
	CU_ASSERT_EQUAL(local(GET("/sti-pa/cert.crt")), 404);
	drain_node();
	end_authority();
}

static void test_an_authority_that_dies_is_missed_and_replaced(void)
{
	char answer[16384];

	start_node();
	CU_ASSERT_TRUE(becomes(200, GET("/livez")));
	CU_ASSERT_EQUAL(local(GET("/readyz")), 503);
	CU_ASSERT_EQUAL(https(ORDER_TO("/account/1/token", BASIC), answer), 503);
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Retry-After: "));

	start_authority();
	CU_ASSERT_TRUE(becomes(200, GET("/readyz")));
	CU_ASSERT_EQUAL(https(ORDER_TO("/account/1/token", BASIC), answer), 200);

	end_authority();
	CU_ASSERT_TRUE(becomes(503, GET("/readyz")));
	CU_ASSERT_EQUAL(https(ORDER_TO("/account/1/token", BASIC), answer), 503);
	CU_ASSERT_EQUAL(https(GET("/sti-pa/cert.crt"), answer), 200);

	start_authority();
	CU_ASSERT_TRUE(becomes(200, GET("/readyz")));
	CU_ASSERT_EQUAL(https(ORDER_TO("/account/1/token", BASIC), answer), 200);
	end_authority();
	drain_node();
}

static void test_signals_of_a_terminal_are_the_monitors(void)
{
	start_node();
	CU_ASSERT_TRUE(becomes(200, GET("/livez")));
	kill(node.edge, SIGTERM);
	kill(node.edge, SIGINT);
	kill(node.edge, SIGHUP);
	CU_ASSERT_EQUAL(local(GET("/livez")), 200);
	drain_node();
}

static void break_key(void)
{
	unlink(path_in("tls.key"));
}

static void break_signer(void)
{
	unlink(config.signer_certificate);
}

static void break_issuer(void)
{
	config.crl_issuer = (char *)"CN=\xe9";
}

static void end_before_start(void (*breakage)(void))
{
	snprintf(folder, sizeof(folder), "/tmp/stipa-test.XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	make_keys();
	make_config();
	breakage();
	node.listener = listen_public(&node.port);
	node.local = listen_local();
	start_edge();
	CU_ASSERT_EQUAL(end_of_edge(), 1);
	close(node.control);
	clear_node();
}

static void test_an_edge_that_cannot_start_ends_with_1(void)
{
	end_before_start(break_key);
	end_before_start(break_signer);
	end_before_start(break_issuer);
}

static void test_every_route_is_counted_by_its_name(void)
{
	for (const struct http_route *route = edge_public_routes; route->method != NULL; route++)
		CU_ASSERT_TRUE(metrics_has_route(route->name));
	for (const struct http_route *route = edge_local_routes; route->method != NULL; route++)
		CU_ASSERT_TRUE(metrics_has_route(route->name));
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "routes", test_routes },
		{ "an authority that dies is missed and replaced",
		  test_an_authority_that_dies_is_missed_and_replaced },
		{ "signals of a terminal are the monitor's",
		  test_signals_of_a_terminal_are_the_monitors },
		{ "an edge that cannot start ends with 1",
		  test_an_edge_that_cannot_start_ends_with_1 },
		{ "every route is counted by its name", test_every_route_is_counted_by_its_name },
		CU_TEST_INFO_NULL,
	};

	signal(SIGPIPE, SIG_IGN);
	return run_suite("edge", tests);
}
