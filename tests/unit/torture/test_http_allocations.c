/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of the HTTP front end fails, from the listener over handshake, head, body and
 * handler to the answer: a client has a whole answer or none, every request that a handler has
 * comes back once, every connection ends by its deadline, nothing is left behind, and with memory
 * again the next client is served.  Sockets, libevent and TLS are the real ones; only the clock
 * stands still until it is turned. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "../http/harness_tls.h"
#include "base/clock.h"
#include "failing.h"
#include "http/tls.h"

#define LIMIT_MS 5    /* of every phase, by the clock that stands */
#define TRIES	 5000 /* of a millisecond: whoever waits longer hangs */
#define CROWD	 9    /* libevent has room for eight timers at first */

static int64_t now, pace; /* a millisecond of a client's waiting */

int64_t clock_running_ms(void)
{
	return now;
}

int64_t clock_running_us(void)
{
	return now * 1000;
}

int64_t clock_steady_ms(void)
{
	return now;
}

int64_t clock_unix_us(void)
{
	return INT64_C(1767225600000000);
}

/* ---- the server ---- */

static struct event_base *base;
static struct http_server *server;
static SSL_CTX *server_tls, *client_tls;
static int listener;
static struct sockaddr_in address;
static struct log log_ = { .least = LOG_LEVEL_DEBUG, .process = "test" };

static struct http_request *pending;
static long handed, came_back, missing; /* requests */

/* A handler that keeps what it has when the client has gone. */
static bool is_careless;
static struct http_request *kept[100];
static size_t n_kept;

static void reply(struct http_request *http)
{
	const struct http_reply all_is_well = {
		.status = 200, .media_type = "text/plain", .body = "well", .len = 4
	};

	came_back++;
	http_reply(http, &all_is_well);
}

static void handle_now(struct http_request *http, void *arg)
{
	(void)arg;
	handed++;
	reply(http);
}

static void on_closed(void *arg)
{
	struct http_request *http = pending;

	(void)arg;
	pending = NULL;
	if (is_careless)
		kept[n_kept++] = http;
	else
		reply(http);
}

static void handle_later(struct http_request *http, void *arg)
{
	(void)arg;
	handed++;
	pending = http;
	http_on_close(http, on_closed, NULL);
}

static void handle_problem(struct http_request *http, void *arg)
{
	struct error error = { 0 };

	(void)arg;
	handed++;
	came_back++;
	error_set(&error, ERROR_FORBIDDEN, "no");
	http_reply_problem(http, &error, NULL);
}

static const struct http_route routes[] = {
	{ "GET", "/now", 0, handle_now, "now" },
	{ "POST", "/now", 100, handle_now, "post" },
	{ "GET", "/later", 0, handle_later, "later" },
	{ "GET", "/problem", 0, handle_problem, "problem" },
	{ 0 },
};

static bool open_server(SSL_CTX *tls)
{
	static const char *const hosts[] = { "localhost", NULL };
	struct http_server_options options = {
		.base = base, .hosts = hosts, .routes = routes, .tls = tls, .log = &log_
	};
	struct error error = { 0 };

	options.limits = (struct http_limits){
		.connections = 100,
		.connections_per_address = 50,
		.output = 10000,
		.requests_per_connection = 10,
		.handshake_ms = LIMIT_MS,
		.head_ms = LIMIT_MS,
		.body_ms = LIMIT_MS,
		.handler_ms = LIMIT_MS,
		.response_ms = LIMIT_MS,
		.idle_ms = LIMIT_MS,
		.life_ms = 10 * LIMIT_MS,
	};
	server = http_server_new(&options, &error);
	if (server != NULL && http_server_listen(server, listener, &error))
		return true;
	CU_ASSERT_EQUAL(error.kind, ERROR_UNAVAILABLE);
	return false;
}

static void turn_once(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
}

/* ---- clients, whose memory is not the server's ---- */

struct guest {
	int fd;
	SSL *ssl;
	char in[2048];
	size_t in_len;
	bool ended;
};

static void guest_comes(struct guest *guest, bool secure)
{
	memset(guest, 0, sizeof(*guest));
	guest->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_FATAL(connect(guest->fd, (struct sockaddr *)&address, sizeof(address)) == 0 ||
			errno == EINPROGRESS);
	if (!secure)
		return;
	failing_hold(true);
	guest->ssl = SSL_new(client_tls);
	SSL_set_fd(guest->ssl, guest->fd);
	SSL_set_connect_state(guest->ssl);
	failing_hold(false);
}

static void guest_goes(struct guest *guest)
{
	SSL_free(guest->ssl);
	close(guest->fd);
	turn_once();
}

static void take(struct guest *guest, ssize_t n)
{
	if (n > 0)
		guest->in_len += (size_t)n;
	guest->in[guest->in_len] = '\0';
}

static void guest_reads(struct guest *guest)
{
	char *at = guest->in + guest->in_len;
	size_t room = sizeof(guest->in) - 1 - guest->in_len;
	int n;

	if (guest->ssl == NULL) {
		ssize_t got = recv(guest->fd, at, room, 0);

		take(guest, got);
		guest->ended |= got == 0 || (got < 0 && errno != EAGAIN);
		return;
	}
	failing_hold(true);
	ERR_clear_error();
	n = SSL_read(guest->ssl, at, (int)room);
	guest->ended |= n <= 0 && SSL_get_error(guest->ssl, n) != SSL_ERROR_WANT_READ;
	failing_hold(false);
	take(guest, n);
}

static void guest_sends(struct guest *guest, const char *text)
{
	failing_hold(true);
	ERR_clear_error();
	if (guest->ssl != NULL)
		guest->ended |= SSL_write(guest->ssl, text, (int)strlen(text)) <= 0;
	else
		(void)!send(guest->fd, text, strlen(text), MSG_NOSIGNAL);
	failing_hold(false);
}

static void wait_a_little(const struct guest *guest)
{
	poll(&(struct pollfd){ .fd = guest->fd, .events = POLLIN }, 1, 1);
	now += pace;
}

/* The length of the answer that stands first, or 0 as long as it is not whole. */
static size_t whole_answer(const struct guest *guest)
{
	const char *body = strstr(guest->in, "\r\n\r\n");
	const char *length = strstr(guest->in, "Content-Length: ");
	size_t len;

	if (body == NULL || length == NULL || length > body)
		return 0;
	len = (size_t)(body + 4 - guest->in) + strtoul(length + 16, NULL, 10);
	return guest->in_len >= len ? len : 0;
}

/* The status of the next answer; 0 when the connection ends without one. */
static int status_of(struct guest *guest)
{
	size_t len;
	int status;

	for (int i = 0; i < TRIES && !guest->ended; i++) {
		turn_once();
		guest_reads(guest);
		len = whole_answer(guest);
		if (len > 0) {
			status = (int)strtol(guest->in + 9, NULL, 10);
			memmove(guest->in, guest->in + len, guest->in_len - len + 1);
			guest->in_len -= len;
			return status;
		}
		wait_a_little(guest);
	}
	CU_ASSERT_TRUE(guest->ended);
	CU_ASSERT_EQUAL(guest->in_len, 0); /* nothing is half told */
	return 0;
}

static int ask(struct guest *guest, const char *text)
{
	guest_sends(guest, text);
	return status_of(guest);
}

static long as_wanted; /* answers */

/* As it should be, or the client is told, or sees, that it cannot be. */
static void judge(int status, int wanted)
{
	CU_ASSERT(status == wanted || status == 503 || status == 0);
	as_wanted += status == wanted;
}

static bool handshake(struct guest *guest)
{
	int rc = -1;

	for (int i = 0; i < TRIES && !guest->ended; i++) {
		failing_hold(true);
		ERR_clear_error();
		rc = SSL_do_handshake(guest->ssl);
		guest->ended = rc != 1 && SSL_get_error(guest->ssl, rc) != SSL_ERROR_WANT_READ;
		failing_hold(false);
		if (rc == 1)
			return true;
		turn_once();
		wait_a_little(guest);
	}
	CU_ASSERT_TRUE(guest->ended);
	return false;
}

/* ---- what happens ---- */

static bool is_served(bool secure)
{
	struct guest guest;
	bool ok;

	guest_comes(&guest, secure);
	ok = (!secure || handshake(&guest)) && ask(&guest, GET_NOW) == 200;
	guest_goes(&guest);
	return ok;
}

/* What libevent keeps for ever has been made when the scenario begins. */
static void begin(void)
{
	handed = came_back = 0;
	failing_hold(true);
	base = event_base_new();
	CU_ASSERT_TRUE_FATAL(base != NULL && open_server(NULL) && is_served(false));
	failing_hold(false);
}

static void end(void)
{
	http_server_free(server);
	event_base_free(base);
	missing += handed - came_back;
}

static void end_with_a_guest(bool secure)
{
	failing_stop();
	CU_ASSERT_TRUE(is_served(secure));
	end();
}

static void starting(void)
{
	failing_hold(true);
	base = event_base_new();
	failing_hold(false);
	if (open_server(NULL))
		as_wanted++;
	end();
}

static void ask_in_parts(struct guest *guest)
{
	guest_sends(guest, POST_3);
	turn_once();
	judge(ask(guest, "abc"), 200);
}

static void leave_pending(struct guest *guest)
{
	guest_sends(guest, GET_LATER);
	for (int i = 0; i < TRIES && pending == NULL && !guest->ended; i++) {
		turn_once();
		guest_reads(guest);
		wait_a_little(guest);
	}
}

static void ask_for_later(struct guest *guest)
{
	struct http_request *http;

	leave_pending(guest);
	http = pending;
	pending = NULL;
	if (http != NULL)
		reply(http);
	judge(status_of(guest), 200);
}

/* One after the other on a connection, and each refusal on its own. */
static void exchange(void)
{
	struct guest guest;

	begin();
	guest_comes(&guest, false);
	judge(ask(&guest, GET_NOW), 200);
	ask_in_parts(&guest);
	ask_for_later(&guest);
	judge(ask(&guest, "GET /problem HTTP/1.1\r\nHost: localhost\r\n\r\n"), 403);
	judge(ask(&guest, "GET /now HTTP/9.9\r\n\r\n"), 505);
	guest_goes(&guest);
	guest_comes(&guest, false);
	judge(ask(&guest, "PUT /now HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"),
	      405);
	guest_goes(&guest);
	end_with_a_guest(false);
}

/* The handler still has the request of a client that leaves. */
static void leaving(void)
{
	struct guest guest;

	begin();
	guest_comes(&guest, false);
	leave_pending(&guest);
	as_wanted += pending != NULL;
	guest_goes(&guest);
	for (int i = 0; i < TRIES && pending != NULL; i++) {
		turn_once();
		poll(NULL, 0, 1);
	}
	CU_ASSERT_PTR_NULL(pending);
	end_with_a_guest(false);
}

static void crowd_comes(struct guest *guests)
{
	for (int i = 0; i < CROWD; i++) {
		guest_comes(&guests[i], false);
		guest_sends(&guests[i], "GET");
		turn_once();
	}
}

/* More than libevent has room for the timers of; time alone has to end them. */
static void crowd(void)
{
	struct guest guests[CROWD];

	begin();
	crowd_comes(guests);
	pace = LIMIT_MS;
	for (int i = 0; i < CROWD; i++)
		judge(status_of(&guests[i]), 408);
	pace = 0;
	for (int i = 0; i < CROWD; i++)
		guest_goes(&guests[i]);
	end_with_a_guest(false);
}

/* There is no descriptor either, so accepting pauses, and the timer of that needs memory. */
static void no_descriptors(void)
{
	struct guest guests[CROWD - 1], late;
	struct rlimit usual, none;

	begin();
	failing_hold(true);
	for (int i = 0; i < CROWD - 1; i++) {
		guest_comes(&guests[i], false);
		turn_once();
	}
	failing_hold(false);
	getrlimit(RLIMIT_NOFILE, &usual);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = usual.rlim_max };
	guest_comes(&late, false); /* has its descriptor, but the server's end has none */
	setrlimit(RLIMIT_NOFILE, &none);
	for (int i = 0; i < 10; i++) {
		turn_once();
		wait_a_little(&late);
	}
	setrlimit(RLIMIT_NOFILE, &usual);
	guest_goes(&late);
	for (int i = 0; i < CROWD - 1; i++)
		guest_goes(&guests[i]);
	as_wanted++;
	end_with_a_guest(false);
}

static void secure_exchange(void)
{
	struct guest guest;

	handed = came_back = 0;
	failing_hold(true);
	base = event_base_new();
	CU_ASSERT_TRUE_FATAL(base != NULL && open_server(server_tls));
	failing_hold(false);
	guest_comes(&guest, true);
	judge(handshake(&guest) ? ask(&guest, GET_NOW) : 0, 200);
	guest_goes(&guest);
	end_with_a_guest(true);
}

/* ---- torture ---- */

static const struct {
	const char *name;
	void (*scenario)(void);
	long least;  /* allocations */
	long wanted; /* answers of an undisturbed run */
} scenarios[] = {
	{ "starting", starting, 5, 1 },
	{ "exchange", exchange, 15, 6 },
	{ "leaving", leaving, 3, 1 },
	{ "crowd", crowd, 20, CROWD },
	{ "no descriptors", no_descriptors, 1, 1 },
	{ "TLS", secure_exchange, 100, 1 },
};

static void torture_one(size_t i, enum failing how)
{
	struct torture seen;

	as_wanted = missing = 0;
	seen = torture(scenarios[i].scenario, how);
	printf("\n  %s: %ld allocations fail, %ld answers all the same", scenarios[i].name,
	       seen.allocations, as_wanted);
	CU_ASSERT(seen.allocations >= scenarios[i].least);
	CU_ASSERT_EQUAL(seen.lost, 0);
	CU_ASSERT_EQUAL(missing, 0);
	CU_ASSERT(as_wanted >= 3 * scenarios[i].wanted);
}

static void test_the_front_end_without_memory(void)
{
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		for (enum failing how = FAILING_ONE; how <= FAILING_ONWARD; how++)
			torture_one(i, how);
}

static void test_what_a_handler_keeps_is_noticed(void)
{
	struct torture seen;

	missing = 0;
	is_careless = true;
	seen = torture(leaving, FAILING_ONE);
	is_careless = false;
	CU_ASSERT(seen.lost > 0);
	CU_ASSERT(missing > 0);
	while (n_kept > 0)
		reply(kept[--n_kept]);
}

static int make_tls(void)
{
	static const uint8_t ticket_key[TLS_TICKET_KEY_LEN] = { 1 };
	struct error error = { 0 };

	if (tls_files_make() != 0)
		return 1;
	server_tls = tls_server_context(tls_files.chain, tls_files.key, ticket_key, &error);
	client_tls = SSL_CTX_new(TLS_client_method());
	return server_tls == NULL || client_tls == NULL;
}

static int setup(void)
{
	socklen_t len = sizeof(address);

	log_.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return log_.fd < 0 || bind(listener, (struct sockaddr *)&address, len) != 0 ||
	       listen(listener, 128) != 0 ||
	       getsockname(listener, (struct sockaddr *)&address, &len) != 0 || make_tls() != 0;
}

static int teardown(void)
{
	SSL_CTX_free(server_tls);
	SSL_CTX_free(client_tls);
	close(listener);
	return close(log_.fd) + tls_files_remove();
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "the front end without memory", test_the_front_end_without_memory },
		{ "control: what a handler keeps is noticed",
		  test_what_a_handler_keeps_is_noticed },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "allocations of the front end", setup, teardown, NULL, NULL,
				    tests },
				  CU_SUITE_INFO_NULL };

	return failing_set_hooks() ? run_suites(suites) : 1;
}
