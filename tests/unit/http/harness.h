/* SPDX-License-Identifier: Apache-2.0 */
/* A server and its clients in one thread, over real sockets on loopback.  The clients never block:
 * what waits, waits by turning the server's loop. */
#ifndef TESTS_HTTP_HARNESS_H
#define TESTS_HTTP_HARNESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <event2/event.h>
#include <openssl/ssl.h>

#include "../suite.h"
#include "http/request.h"
#include "http/server.h"

#define GET_NOW	  "GET /now HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define GET_LATER "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define GET_BIG	  "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define POST_3	  "POST /now HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n"
#define BIG	  250000
#define SOON_MS	  200	/* the deadline that a test waits for */
#define LATE_MS	  20000 /* on a machine that has other work, and far from never */
#define NEVER_MS  60000

/* The server under test and what its handlers saw. */
struct under_test {
	struct event_base *base;
	struct http_server *server;
	int listen_fd;
	struct sockaddr_in address;
	struct http_request *pending; /* what /later was asked */
	int handled, closed, drained;
	char seen[256]; /* what the handler saw of the last request */
	FILE *log;
};
extern struct under_test t;

/* Deadlines that no test reaches; each test shortens the one that it is about. */
extern const struct http_limits patient;

void start(const struct http_limits *limits, SSL_CTX *tls);
/* The same with @proxy, a block of addresses, in front; NULL: none. */
void start_behind(const struct http_limits *limits, SSL_CTX *tls, const char *proxy);
void stop(void);
void answer(struct http_request *http, const char *text, size_t len);
int logged(const char *text); /* how often @text stands in the log */
void turn(int ms);	      /* the server's loop, for a while */
int64_t now_ms(void);
double cpu_s(void);

struct client {
	int fd;
	SSL *ssl;
	char in[8192]; /* the beginning of what has come, with a NUL */
	size_t in_len, total;
	bool ended;
	bool clean; /* TLS: the server said goodbye */
};

void client_connect(struct client *c);
void client_close(struct client *c);
void client_send(struct client *c, const char *text);
void client_read(struct client *c);
void client_forgets(struct client *c);

/* Until @text has come; false when the connection ends or 5 s pass first. */
bool client_gets(struct client *c, const char *text);

/* Milliseconds until the server has closed; -1 when it has not within 5 s. */
int64_t client_sees_end(struct client *c);

/* What the server says to @raw on a connection of its own, until it closes. */
bool refuses(const char *raw, const char *with);

/* Sends @byte again and again, 20 ms apart, and expects the end within the deadline and some. */
void drip_until_the_end(const char *first, char byte, const char *answered);

/* clang-format off */
#define TEST(name) { #name, name }
/* clang-format on */

#endif
