/* SPDX-License-Identifier: Apache-2.0 */
/* The neighbours of the edge's handlers, HTTP and the authority, faked by linking: a request is
 * what @asked says, the authority answers as @authority says, and what is replied stands in @told.
 * Forms of errors, parsers and the table of verdicts are the real ones. */
#ifndef TESTS_EDGE_FAKES_H
#define TESTS_EDGE_FAKES_H

#include "../suite.h"
#include "config/config.h"
#include "edge/services.h"
#include "http/request.h"
#include "ipc/channel.h"

#define FP                                                                                         \
	"SHA256 A0:A2:32:C2:F1:94:A5:35:53:CB:13:10:DD:BC:08:21:E4:14:B9:D7:EB:FC:29:0B:32:30:84:" \
	"D7:D1:02:0F:E5"

/* "client" and "secret" */
#define BASIC "Basic Y2xpZW50OnNlY3JldA=="

#define CHALLENGE_1 "WWW-Authenticate: Basic realm=\"sti-pa\", charset=\"UTF-8\"\n"
#define CHALLENGE_2 "WWW-Authenticate: Bearer realm=\"sti-pa\"\n"
#define INVALID	    "WWW-Authenticate: Bearer realm=\"sti-pa\", error=\"invalid_token\"\n"

#define ZEROS43 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

extern struct asked {
	const char *path, *authorization, *content_type, *body, *id, *accept, *request_id;
} asked;

extern struct authority {
	enum error_kind fails;
	struct answer answer;	     /* to an order */
	struct grant_answer granted; /* to a grant, a login */
	struct access_answer done;   /* to a revocation, a report */
	int n;			     /* orders that came */
	union {
		struct order order;
		struct grant_order grant;
		struct login_order login;
		struct revoke_order revoke;
		struct report_order report;
	} got;
} authority;

extern struct told {
	int n, status;
	enum error_kind kind; /* of an error */
	bool store;
	char code[64], media_type[64], fields[512], body[4096];
} told;

extern struct config config;
extern struct services services;

void begin(void);	      /* a good request, a willing authority, nothing told, no limits */
void authority_answers(void); /* what waits */
void client_leaves(void);

/* A handler, and the authority's answer. */
void ask(void (*handle)(struct http_request *http, void *arg));

/* A member of what was told; NULL when it is none or no text.  Lives until the next reply. */
const char *told_text(const char *member);
int told_members(void);

#endif
