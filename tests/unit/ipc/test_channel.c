/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memmem() */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "../suite.h"
#include "ipc/channel.h"
#include "ipc/message.h"
#include "metrics/metrics.h"

/* Both ends on one loop.  The authority either answers at once or keeps its tickets. */

enum { MANY = 500, PENDING_MAX = 600 };

static struct event_base *base;
static struct ipc_channel *channel;
static struct ipc_server *server;
static bool answers_at_once;
static struct ipc_ticket *tickets[PENDING_MAX];
static struct order orders[PENDING_MAX];
static int n_tickets;
static int lost;
static struct error lost_why;

#define SECRET_PART "horse battery staple"
static int given_back_with_secret;

/* One order and what became of it. */
struct asked {
	struct answer answer;
	int told;
	struct error error;
};

static struct asked asked[PENDING_MAX + 10];

static void on_done(void *arg, const struct error *error)
{
	struct asked *a = arg;

	a->told++;
	a->error = *error;
}

static struct answer answer_to(const struct order *order)
{
	struct answer answer = { .verdict = VERDICT_ISSUED };

	memcpy(answer.spc, order->spc, sizeof(answer.spc));
	snprintf(answer.text, sizeof(answer.text), "token of %s", order->request_id);
	return answer;
}

static void on_order(void *arg, const struct order *order, struct ipc_ticket *ticket)
{
	struct answer answer = answer_to(order);

	CU_ASSERT_PTR_EQUAL(arg, &orders);
	if (answers_at_once) {
		ipc_answer(ticket, &answer);
		return;
	}
	orders[n_tickets] = *order;
	tickets[n_tickets++] = ticket;
}

/* Each says what it was asked in its answer. */

static void on_grant(void *arg, const struct grant_order *order, struct ipc_ticket *ticket)
{
	struct grant_answer answer = { .exp = 7, .scopes = order->scopes };

	CU_ASSERT_PTR_EQUAL(arg, &orders);
	snprintf(answer.text, sizeof(answer.text), "token of %.40s", order->proof.client);
	ipc_answer_grant(ticket, &answer);
}

static void on_login(void *arg, const struct login_order *order, struct ipc_ticket *ticket)
{
	struct grant_answer answer = { .exp = 7, .scopes = SCOPE_ALL };

	(void)arg;
	snprintf(answer.text, sizeof(answer.text), "token of %.20s %.*s", order->user,
		 (int)order->password_len, (const char *)order->password);
	ipc_answer_grant(ticket, &answer);
}

static void on_revoke(void *arg, const struct revoke_order *order, struct ipc_ticket *ticket)
{
	const struct access_answer answer = { .verdict = order->token[0] };

	(void)arg;
	ipc_answer_access(ticket, &answer);
}

static const struct ipc_handlers handlers = {
	.on_order = on_order,
	.on_grant = on_grant,
	.on_login = on_login,
	.on_revoke = on_revoke, /* and reports are nobody's */
};

static void answer_kept(int i)
{
	struct answer answer = answer_to(&orders[i]);

	ipc_answer(tickets[i], &answer);
}

static void on_lost(void *arg, const struct error *why)
{
	(void)arg;
	lost++;
	lost_why = *why;
}

static void ask(int i)
{
	struct order order = { .kind = ORDER_ISSUE,
			       .form = TOKEN_FORM_ATC,
			       .account = "sp-1",
			       .spc = "281K",
			       .tkvalue = "MAigBhYEMjgxSw",
			       .fingerprint = "SHA256 00" };

	snprintf(order.request_id, sizeof(order.request_id), "r-%d", i);
	memset(&asked[i], 0, sizeof(asked[i]));
	ipc_order_start(channel, &order, &asked[i].answer, on_done, &asked[i]);
	CU_ASSERT_EQUAL(asked[i].told, 0); /* never before it returns */
}

static void turn(void)
{
	for (int i = 0; i < 20; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

#define PATIENCE_S 60 /* of who waits on a slow machine */

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void turn_for(int ms)
{
	event_base_loopexit(base, &(struct timeval){ ms / 1000, ms % 1000 * 1000 });
	event_base_dispatch(base);
}

static void connect_both(void)
{
	int pair[2];

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	ipc_channel_attach(channel, pair[0]);
	ipc_server_attach(server, pair[1]);
}

/* The other end is the test itself. */
static int connect_edge_only(void)
{
	int pair[2];

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	ipc_channel_attach(channel, pair[0]);
	return pair[1];
}

static int connect_authority_only(void)
{
	int pair[2];

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	ipc_server_attach(server, pair[1]);
	return pair[0];
}

static void begin(unsigned int pending_max)
{
	channel = ipc_channel_new(base, pending_max);
	server = ipc_server_new(base, &handlers, &orders);
	ipc_channel_on_lost(channel, on_lost, NULL);
	ipc_server_on_lost(server, on_lost, NULL);
	answers_at_once = true;
	n_tickets = 0;
	lost = 0;
}

static void end(void)
{
	ipc_channel_free(channel);
	CU_ASSERT_EQUAL(ipc_server_pending(server), 0);
	ipc_server_free(server);
	turn();
}

static bool was_issued(int i)
{
	char token[40];

	snprintf(token, sizeof(token), "token of r-%d", i);
	return asked[i].told == 1 && asked[i].error.kind == ERROR_NONE &&
	       strcmp(asked[i].answer.text, token) == 0 && strcmp(asked[i].answer.spc, "281K") == 0;
}

static bool failed_with(int i, enum error_kind kind, const char *part)
{
	if (asked[i].told == 1 && asked[i].error.kind == kind &&
	    strstr(asked[i].error.detail, part) != NULL)
		return true;
	printf("\n  %d: told %d times, %d \"%s\"", i, asked[i].told, asked[i].error.kind,
	       asked[i].error.detail);
	return false;
}

static void test_an_order_goes_there_and_back(void)
{
	begin(4);
	connect_both();
	ask(0);
	turn();
	CU_ASSERT_TRUE(was_issued(0));
	CU_ASSERT_EQUAL(ipc_channel_pending(channel), 0);
	end();
}

static void test_many_orders_in_flight_are_answered_in_any_order(void)
{
	begin(PENDING_MAX);
	answers_at_once = false;
	connect_both();
	for (int i = 0; i < MANY; i++)
		ask(i);
	turn();
	CU_ASSERT_EQUAL_FATAL(n_tickets, MANY);
	CU_ASSERT_EQUAL(ipc_server_pending(server), MANY);
	for (int i = MANY - 1; i >= 0; i--)
		answer_kept(i);
	turn();
	for (int i = 0; i < MANY; i++)
		CU_ASSERT_TRUE(was_issued(i));
	end();
}

static void test_what_is_sent_in_one_turn_leaves_in_one_write(void)
{
	int fd, waiting;

	begin(PENDING_MAX);
	fd = connect_edge_only();
	turn();
	for (int i = 0; i < 100; i++)
		ask(i);
	ioctl(fd, FIONREAD, &waiting);
	CU_ASSERT_EQUAL(waiting, 0);
	event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	ioctl(fd, FIONREAD, &waiting);
	CU_ASSERT_EQUAL(waiting, (int)(100 * (sizeof(struct ipc_header) + sizeof(struct order))));
	close(fd);
	end();
}

static void test_without_an_authority_orders_fail(void)
{
	begin(4);
	ask(0);
	turn();
	CU_ASSERT_TRUE(failed_with(0, ERROR_UNAVAILABLE, "no authority"));
	end();
}

static void test_an_authority_that_dies_fails_each_order_once(void)
{
	int fd;

	begin(PENDING_MAX);
	fd = connect_edge_only();
	for (int i = 0; i < MANY; i++)
		ask(i);
	turn();
	close(fd);
	turn();
	for (int i = 0; i < MANY; i++)
		CU_ASSERT_EQUAL(asked[i].told, 1);
	CU_ASSERT_TRUE(failed_with(0, ERROR_UNAVAILABLE, "stream: "));
	CU_ASSERT_TRUE(failed_with(MANY - 1, ERROR_UNAVAILABLE, "stream: "));
	CU_ASSERT_EQUAL(lost, 1);
	connect_both(); /* the next authority */
	ask(0);
	turn();
	CU_ASSERT_TRUE(was_issued(0));
	end();
}

static void test_a_new_authority_fails_what_the_old_one_has(void)
{
	begin(4);
	answers_at_once = false;
	connect_both();
	ask(0);
	turn();
	connect_both();
	turn();
	CU_ASSERT_TRUE(failed_with(0, ERROR_UNAVAILABLE, "replaced"));
	CU_ASSERT_EQUAL_FATAL(n_tickets, 1);
	answer_kept(0); /* into the void */
	answers_at_once = true;
	ask(1);
	turn();
	CU_ASSERT_TRUE(was_issued(1));
	CU_ASSERT_EQUAL(asked[0].told, 1);
	end();
}

static void test_a_failed_answer_is_an_error(void)
{
	const struct answer failed = { .failed = 1 };

	begin(4);
	answers_at_once = false;
	connect_both();
	ask(0);
	turn();
	ipc_answer(tickets[0], &failed);
	turn();
	CU_ASSERT_TRUE(failed_with(0, ERROR_UNAVAILABLE, "cannot do it now"));
	end();
}

static void test_an_answer_that_is_none_leaves_as_a_failed_one(void)
{
	const struct answer wrong = { .verdict = VERDICT_COUNT };

	begin(4);
	answers_at_once = false;
	connect_both();
	ask(0);
	turn();
	ipc_answer(tickets[0], &wrong);
	turn();
	CU_ASSERT_TRUE(failed_with(0, ERROR_UNAVAILABLE, "cannot do it now"));
	CU_ASSERT_EQUAL(lost, 0);
	end();
}

static void test_an_order_that_is_none_does_not_leave(void)
{
	struct order order = { .kind = ORDER_ISSUE, .form = TOKEN_FORM_ATC, .account = "\xe9" };

	begin(4);
	connect_both();
	memset(&asked[0], 0, sizeof(asked[0]));
	ipc_order_start(channel, &order, &asked[0].answer, on_done, &asked[0]);
	turn();
	CU_ASSERT_TRUE(failed_with(0, ERROR_INTERNAL, "account: not printable"));
	CU_ASSERT_EQUAL(lost, 0);
	end();
}

static void test_old_memory_behind_a_text_does_not_matter(void)
{
	struct order order;

	begin(4);
	answers_at_once = false;
	connect_both();
	memset(&order, 'x', sizeof(order));
	order.kind = ORDER_ISSUE;
	order.form = TOKEN_FORM_ATC;
	order.defect = order.ca = order.presented = order.dry_run = 0;
	strcpy(order.account, "sp-1");
	strcpy(order.spc, "281K");
	strcpy(order.tkvalue, "MAigBhYEMjgxSw");
	memset(&asked[0], 0, sizeof(asked[0]));
	ipc_order_start(channel, &order, &asked[0].answer, on_done, &asked[0]);
	turn();
	CU_ASSERT_EQUAL_FATAL(n_tickets, 1);
	CU_ASSERT_STRING_EQUAL(orders[0].account, "sp-1");
	CU_ASSERT_EQUAL(orders[0].account[10], '\0');
	answer_kept(0);
	turn();
	end();
}

static void test_each_kind_goes_to_its_handler(void)
{
	const struct grant_order grant = {
		.proof = { .method = METHOD_ASSERTION, .exp = 9, .client = "demo", .jti = "j" },
		.scopes = SCOPE_REVOKE
	};
	const struct login_order login = {
		.method = METHOD_PASSWORD, .user = "anna", .password_len = 6, .password = "sesame"
	};
	const struct revoke_order revoke = { .proof.method = METHOD_TOKEN,
					     .token = { VERDICT_INVALID_TOKEN } };
	const struct report_order report = { .secret = { 1 } };
	struct grant_answer granted = { 0 }, logged_in = { 0 };
	struct access_answer revoked = { 0 }, reported = { 0 };

	begin(8);
	connect_both();
	memset(asked, 0, 5 * sizeof(asked[0]));
	ask(0);
	ipc_grant_start(channel, &grant, &granted, on_done, &asked[1]);
	ipc_login_start(channel, &login, &logged_in, on_done, &asked[2]);
	ipc_revoke_start(channel, &revoke, &revoked, on_done, &asked[3]);
	ipc_report_start(channel, &report, &reported, on_done, &asked[4]);
	CU_ASSERT_EQUAL(ipc_channel_pending(channel), 5);
	turn();
	CU_ASSERT_TRUE(was_issued(0));
	for (int i = 1; i < 4; i++)
		CU_ASSERT_TRUE(asked[i].told == 1 && asked[i].error.kind == ERROR_NONE);
	CU_ASSERT_STRING_EQUAL(granted.text, "token of demo");
	CU_ASSERT_EQUAL(granted.scopes, SCOPE_REVOKE);
	CU_ASSERT_STRING_EQUAL(logged_in.text, "token of anna sesame");
	CU_ASSERT_EQUAL(revoked.verdict, VERDICT_INVALID_TOKEN);
	CU_ASSERT_TRUE(failed_with(4, ERROR_UNAVAILABLE, "cannot do it now"));
	CU_ASSERT_EQUAL(ipc_channel_pending(channel), 0);
	end();
}

static bool counted(const struct metrics *metrics, const char *line)
{
	size_t len;
	char *text = metrics_to_text(metrics, &len);
	bool found = strstr(text, line) != NULL;

	if (!found)
		printf("\n  no %s", line);
	free(text);
	return found;
}

static void test_what_is_answered_is_counted(void)
{
	const struct login_order login = { .method = METHOD_PASSWORD, .user = "anna" };
	const struct revoke_order revoke = { .proof.method = METHOD_TOKEN, .token = { 1 } };
	struct order dry_run = { .kind = ORDER_ISSUE, .defect = DEFECT_JSON, .dry_run = 1 };
	struct grant_answer granted = { 0 };
	struct access_answer revoked = { 0 };
	struct metrics *metrics = metrics_new(1);

	begin(8);
	ipc_server_set_meter(server, metrics_meter(metrics, 0));
	connect_both();
	ipc_server_tell_ready(server, true);
	answers_at_once = false;
	memset(asked, 0, 4 * sizeof(asked[0]));
	ask(0);
	ipc_order_start(channel, &dry_run, &asked[1].answer, on_done, &asked[1]);
	turn();
	CU_ASSERT_TRUE(counted(metrics, "stipa_orders_waiting 2\n"));
	answer_kept(0);
	answer_kept(1);
	ipc_login_start(channel, &login, &granted, on_done, &asked[2]);
	ipc_revoke_start(channel, &revoke, &revoked, on_done, &asked[3]);
	turn();
	CU_ASSERT_TRUE(counted(metrics, "stipa_orders_waiting 0\n"));
	CU_ASSERT_TRUE(counted(metrics, "stipa_orders_total{verdict=\"issued\"} 1\n"));
	CU_ASSERT_TRUE(counted(metrics, "stipa_dry_runs_total 1\n"));
	CU_ASSERT_TRUE(counted(metrics, "stipa_logins_total{outcome=\"granted\"} 1\n"));
	CU_ASSERT_TRUE(counted(metrics, "stipa_access_tokens_granted_total 1\n"));
	CU_ASSERT_TRUE(counted(metrics, "stipa_ready 1\n"));
	end();
	metrics_free(metrics);
}

static void test_an_answer_of_another_kind_ends_the_stream(void)
{
	struct ipc_message message = { .header = { .kind = IPC_GRANT_ANSWER,
						   .size = sizeof(struct grant_answer) },
				       .body.granted = { .exp = 1, .scopes = 1, .text = "t" } };
	uint8_t in[sizeof(struct ipc_header) + sizeof(struct order)];
	size_t size = sizeof(message.header) + sizeof(struct grant_answer);
	int fd;

	begin(4);
	fd = connect_edge_only();
	ask(0);
	turn();
	CU_ASSERT_EQUAL_FATAL(read(fd, in, sizeof(in)), (ssize_t)sizeof(in));
	memcpy(&message.header.id, in + offsetof(struct ipc_header, id), 8);
	CU_ASSERT_EQUAL(write(fd, &message, size), (ssize_t)size);
	turn();
	CU_ASSERT_TRUE(failed_with(0, ERROR_INVALID, "an answer of kind 5"));
	CU_ASSERT_EQUAL(lost, 1);
	close(fd);
	end();
}

static void test_a_password_does_not_stay_in_memory(void)
{
	struct login_order login = { .method = METHOD_PASSWORD, .user = "anna" };
	struct grant_answer answer = { 0 };

	login.password_len = (uint8_t)snprintf((char *)login.password, PASSWORD_MAX, "%s",
					       "correct " SECRET_PART);
	given_back_with_secret = 0;
	begin(4);
	connect_both();
	for (int i = 0; i < 3; i++) {
		memset(asked, 0, sizeof(asked[0]));
		ipc_login_start(channel, &login, &answer, on_done, &asked[0]);
		turn();
		CU_ASSERT_EQUAL(asked[0].told, 1);
		CU_ASSERT_PTR_NOT_NULL(strstr(answer.text, "correct horse"));
	}
	end();
	CU_ASSERT_EQUAL(given_back_with_secret, 0);
}

static void test_more_than_may_wait_fail_at_once(void)
{
	begin(3);
	answers_at_once = false;
	connect_both();
	for (int i = 0; i < 8; i++)
		ask(i);
	turn();
	CU_ASSERT_EQUAL_FATAL(n_tickets, 3);
	for (int i = 3; i < 8; i++)
		CU_ASSERT_TRUE(failed_with(i, ERROR_UNAVAILABLE, "3 orders wait"));
	for (int i = 0; i < 3; i++)
		answer_kept(i);
	turn();
	CU_ASSERT_TRUE(was_issued(0) && was_issued(1) && was_issued(2));
	answers_at_once = true;
	ask(0);
	turn();
	CU_ASSERT_TRUE(was_issued(0));
	end();
}

static void test_a_late_answer_finds_nobody(void)
{
	double before, took;

	begin(1); /* one slot: the next order gets the same */
	ipc_channel_set_times(channel, 60, IPC_SILENCE_MS);
	answers_at_once = false;
	connect_both();
	before = now_s();
	ask(0);
	while (asked[0].told == 0 && now_s() - before < PATIENCE_S)
		event_base_loop(base, EVLOOP_ONCE);
	took = now_s() - before;
	CU_ASSERT_TRUE(failed_with(0, ERROR_UNAVAILABLE, "within 60 ms"));
	CU_ASSERT_TRUE(took > 0.055 && took < PATIENCE_S);
	ask(1);
	turn();
	CU_ASSERT_EQUAL_FATAL(n_tickets, 2);
	answer_kept(0);
	turn();
	CU_ASSERT_EQUAL(asked[0].told, 1);
	CU_ASSERT_EQUAL(asked[1].told, 0);
	answer_kept(1);
	turn();
	CU_ASSERT_TRUE(was_issued(1));
	CU_ASSERT_EQUAL(lost, 0);
	end();
}

/* False when the machine was so slow that nothing could be seen. */
static bool each_order_was_seen_to_have_its_deadline(void)
{
	double first, second;
	bool in_time;

	begin(4);
	ipc_channel_set_times(channel, 200, IPC_SILENCE_MS);
	answers_at_once = false;
	connect_both();
	first = now_s();
	ask(0);
	turn_for(120);
	second = now_s();
	ask(1);
	turn();
	answer_kept(0);
	turn();
	in_time = now_s() - first < 0.19;
	turn_for(120); /* 240 ms: the first one's would have struck */
	in_time = in_time && now_s() - second < 0.19;
	if (in_time) {
		CU_ASSERT_TRUE(was_issued(0));
		CU_ASSERT_EQUAL(asked[1].told, 0);
	}
	turn_for(150);
	CU_ASSERT_TRUE(failed_with(1, ERROR_UNAVAILABLE, "within 200 ms"));
	answer_kept(1);
	turn();
	end();
	return in_time;
}

static void test_each_order_has_a_deadline_of_its_own(void)
{
	bool seen = false;

	for (int i = 0; i < 50 && !seen; i++)
		seen = each_order_was_seen_to_have_its_deadline();
	CU_ASSERT_TRUE(seen);
}

static void test_an_answer_sent_twice_finds_nobody(void)
{
	struct ipc_message message = { .header = { .kind = IPC_ANSWER,
						   .size = sizeof(struct answer) } };
	uint8_t in[sizeof(struct ipc_header) + sizeof(struct order)];
	size_t size = sizeof(message.header) + sizeof(struct answer);
	int fd;

	begin(1);
	fd = connect_edge_only();
	ask(0);
	turn();
	CU_ASSERT_EQUAL_FATAL(read(fd, in, sizeof(in)), (ssize_t)sizeof(in));
	memcpy(&message.header.id, in + offsetof(struct ipc_header, id), 8);
	CU_ASSERT_EQUAL(write(fd, &message, size), (ssize_t)size);
	CU_ASSERT_EQUAL(write(fd, &message, size), (ssize_t)size);
	turn();
	CU_ASSERT_EQUAL(asked[0].told, 1);
	message.header.id = UINT64_MAX; /* a slot that there is not */
	CU_ASSERT_EQUAL(write(fd, &message, size), (ssize_t)size);
	turn();
	CU_ASSERT_EQUAL(lost, 0);
	close(fd);
	end();
}

static void test_a_bad_message_ends_the_edges_end(void)
{
	struct ipc_header header = { .kind = IPC_ORDER, .size = sizeof(struct order) };
	int fd;

	begin(4);
	fd = connect_edge_only();
	ask(0);
	turn();
	CU_ASSERT_EQUAL(write(fd, &header, sizeof(header)), sizeof(header));
	turn();
	CU_ASSERT_EQUAL(lost, 1);
	CU_ASSERT_TRUE(failed_with(0, ERROR_INVALID, "not from this end"));
	close(fd);
	end();
}

static void test_a_bad_message_ends_that_edge_alone(void)
{
	struct ipc_header header = { .kind = 77, .size = 5 };
	char byte;
	int fd;

	begin(4);
	connect_both();
	fd = connect_authority_only();
	CU_ASSERT_EQUAL(write(fd, &header, sizeof(header)), sizeof(header));
	turn();
	CU_ASSERT_EQUAL(lost, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(lost_why.detail, "kind 77"));
	while (recv(fd, &byte, 1, MSG_DONTWAIT) == 1) /* the status it was sent first */
		;
	CU_ASSERT_EQUAL(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
	ask(0);
	turn();
	CU_ASSERT_TRUE(was_issued(0));
	close(fd);
	end();
}

static void test_an_edge_that_has_gone_is_answered_into_the_void(void)
{
	begin(4);
	answers_at_once = false;
	connect_both();
	ask(0);
	ask(1);
	turn();
	ipc_channel_free(channel);
	CU_ASSERT_EQUAL(asked[0].told, 1); /* before it returns */
	CU_ASSERT_TRUE(failed_with(1, ERROR_UNAVAILABLE, "this process ends"));
	turn();
	CU_ASSERT_EQUAL(ipc_server_pending(server), 2);
	answer_kept(0);
	answer_kept(1);
	channel = NULL;
	end();
}

static void test_readiness_is_told_at_once_and_to_all(void)
{
	struct ipc_channel *first, *second;

	begin(4);
	CU_ASSERT_FALSE(ipc_channel_is_ready(channel));
	connect_both();
	turn();
	CU_ASSERT_FALSE(ipc_channel_is_ready(channel));
	ipc_server_tell_ready(server, true);
	turn();
	CU_ASSERT_TRUE(ipc_channel_is_ready(channel));
	first = channel;
	channel = second = ipc_channel_new(base, 4);
	connect_both();
	CU_ASSERT_FALSE(ipc_channel_is_ready(second));
	turn();
	CU_ASSERT_TRUE(ipc_channel_is_ready(second));
	ipc_server_tell_ready(server, false);
	turn();
	CU_ASSERT_FALSE(ipc_channel_is_ready(first));
	CU_ASSERT_FALSE(ipc_channel_is_ready(second));
	ipc_channel_free(first);
	end();
}

static void test_a_heartbeat_keeps_it_ready(void)
{
	begin(4);
	ipc_channel_set_times(channel, IPC_ANSWER_MS, 1500);
	connect_both();
	ipc_server_tell_ready(server, true);
	/* more than the silence, with a heartbeat each second; once more where nothing ran for so
	 * long, since without one it would never be ready again */
	for (int i = 0; i == 0 || (i < 10 && !ipc_channel_is_ready(channel)); i++)
		turn_for(2300);
	CU_ASSERT_TRUE(ipc_channel_is_ready(channel));
	end();
}

static void test_a_silent_authority_is_not_ready(void)
{
	struct ipc_message status = { .header = { .kind = IPC_STATUS, .size = 1 },
				      .body.status.ready = 1 };
	int fd;

	begin(4);
	ipc_channel_set_times(channel, IPC_ANSWER_MS, 1500);
	fd = connect_edge_only();
	CU_ASSERT_EQUAL(write(fd, &status, 17), 17);
	turn();
	CU_ASSERT_TRUE(ipc_channel_is_ready(channel));
	turn_for(1600);
	CU_ASSERT_FALSE(ipc_channel_is_ready(channel));
	ask(0);
	turn();
	CU_ASSERT_TRUE(failed_with(0, ERROR_UNAVAILABLE, "silent"));
	CU_ASSERT_EQUAL(write(fd, &status, 17), 17); /* it has come to itself */
	turn();
	CU_ASSERT_TRUE(ipc_channel_is_ready(channel));
	close(fd);
	turn();
	CU_ASSERT_FALSE(ipc_channel_is_ready(channel));
	end();
}

/* Orders that time out leave their bytes behind: these may not pile up. */
static void test_an_authority_that_does_not_read_is_not_sent_more(void)
{
	int fd, started = 0, size = 4096;
	bool refused = false;

	begin(8);
	ipc_channel_set_times(channel, 1, 60000);
	fd = connect_edge_only();
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	while (started < 20000 && !refused) {
		ask(0);
		started++;
		while (asked[0].told == 0)
			event_base_loop(base, EVLOOP_ONCE);
		refused = strstr(asked[0].error.detail, "does not read") != NULL;
	}
	CU_ASSERT_TRUE(refused);
	close(fd);
	end();
}

/* An edge that sends orders and reads no answer is not read either. */
static void test_an_edge_that_does_not_read_gets_no_more_orders_in(void)
{
	struct ipc_message message = {
		.header = { .kind = IPC_ORDER, .size = sizeof(struct order) },
		.body.order = { .kind = ORDER_ISSUE, .defect = DEFECT_JSON },
	};
	size_t size = sizeof(message.header) + sizeof(struct order);
	long sent = 0, got = 0, n;
	char in[65536];
	int fd;

	begin(4);
	fd = connect_authority_only();
	while (sent < 100000 && send(fd, &message, size, MSG_DONTWAIT) == (ssize_t)size) {
		sent++;
		if (sent % 100 == 0)
			turn();
	}
	CU_ASSERT_TRUE(sent < 20000);
	for (int idle = 0; idle < 10;) {
		turn();
		n = recv(fd, in, sizeof(in), MSG_DONTWAIT);
		idle = n > 0 ? 0 : idle + 1;
		got += n > 0 ? n : 0;
	}
	/* all are answered once it reads again */
	CU_ASSERT_TRUE(got >= sent * (long)(sizeof(message.header) + sizeof(struct answer)));
	CU_ASSERT_EQUAL(lost, 0);
	close(fd);
	end();
}

static void free_channel(void *arg, const struct error *error)
{
	on_done(arg, error);
	ipc_channel_free(channel);
	channel = NULL;
}

static void test_a_channel_may_be_freed_by_whoever_it_tells(void)
{
	struct order order = { .kind = ORDER_ISSUE, .defect = DEFECT_JSON };

	for (int answered = 0; answered < 2; answered++) {
		begin(4);
		if (answered)
			connect_both();
		memset(asked, 0, 3 * sizeof(asked[0]));
		ipc_order_start(channel, &order, &asked[0].answer, free_channel, &asked[0]);
		ipc_order_start(channel, &order, &asked[1].answer, on_done, &asked[1]);
		ipc_order_start(channel, &order, &asked[2].answer, on_done, &asked[2]);
		turn();
		for (int i = 0; i < 3; i++)
			CU_ASSERT_EQUAL(asked[i].told, 1);
		end();
	}
}

static void ask_again(void *arg, const struct error *error)
{
	const struct order order = { .kind = ORDER_ISSUE, .defect = DEFECT_JSON };
	struct asked *a = arg;

	CU_ASSERT_EQUAL(error->kind, ERROR_UNAVAILABLE);
	if (++a->told < 1000)
		ipc_order_start(channel, &order, &a->answer, ask_again, a);
}

static void test_who_tries_again_at_once_does_not_hold_the_loop(void)
{
	begin(4);
	memset(&asked[0], 0, sizeof(asked[0]));
	asked[0].told = -1;
	ask_again(&asked[0], &(struct error){ .kind = ERROR_UNAVAILABLE });
	while (asked[0].told < 1000)
		event_base_loop(base, EVLOOP_ONCE);
	CU_ASSERT_EQUAL(ipc_channel_pending(channel), 0);
	end();
}

/* What libevent gives back is looked through: its buffers may hold a password only while they
 * have to. */
static void look_and_free(void *memory)
{
	if (memory != NULL &&
	    memmem(memory, malloc_usable_size(memory), SECRET_PART, strlen(SECRET_PART)) != NULL)
		given_back_with_secret++;
	free(memory);
}

static int setup(void)
{
	event_set_mem_functions(malloc, realloc, look_and_free);
	base = event_base_new();
	return base == NULL;
}

static int teardown(void)
{
	event_base_free(base);
	return 0;
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "an order goes there and back", test_an_order_goes_there_and_back },
		{ "many orders in flight are answered in any order",
		  test_many_orders_in_flight_are_answered_in_any_order },
		{ "what is sent in one turn leaves in one write",
		  test_what_is_sent_in_one_turn_leaves_in_one_write },
		{ "without an authority orders fail", test_without_an_authority_orders_fail },
		{ "an authority that dies fails each order once",
		  test_an_authority_that_dies_fails_each_order_once },
		{ "a new authority fails what the old one has",
		  test_a_new_authority_fails_what_the_old_one_has },
		{ "a failed answer is an error", test_a_failed_answer_is_an_error },
		{ "an answer that is none leaves as a failed one",
		  test_an_answer_that_is_none_leaves_as_a_failed_one },
		{ "an order that is none does not leave",
		  test_an_order_that_is_none_does_not_leave },
		{ "old memory behind a text does not matter",
		  test_old_memory_behind_a_text_does_not_matter },
		{ "each kind goes to its handler", test_each_kind_goes_to_its_handler },
		{ "what is answered is counted", test_what_is_answered_is_counted },
		{ "an answer of another kind ends the stream",
		  test_an_answer_of_another_kind_ends_the_stream },
		{ "a password does not stay in memory", test_a_password_does_not_stay_in_memory },
		{ "more than may wait fail at once", test_more_than_may_wait_fail_at_once },
		{ "a late answer finds nobody", test_a_late_answer_finds_nobody },
		{ "each order has a deadline of its own",
		  test_each_order_has_a_deadline_of_its_own },
		{ "an answer sent twice finds nobody", test_an_answer_sent_twice_finds_nobody },
		{ "a bad message ends the edge's end", test_a_bad_message_ends_the_edges_end },
		{ "a bad message ends that edge alone", test_a_bad_message_ends_that_edge_alone },
		{ "an edge that has gone is answered into the void",
		  test_an_edge_that_has_gone_is_answered_into_the_void },
		{ "readiness is told at once and to all",
		  test_readiness_is_told_at_once_and_to_all },
		{ "a heartbeat keeps it ready", test_a_heartbeat_keeps_it_ready },
		{ "a silent authority is not ready", test_a_silent_authority_is_not_ready },
		{ "an authority that does not read is not sent more",
		  test_an_authority_that_does_not_read_is_not_sent_more },
		{ "an edge that does not read gets no more orders in",
		  test_an_edge_that_does_not_read_gets_no_more_orders_in },
		{ "a channel may be freed by whoever it tells",
		  test_a_channel_may_be_freed_by_whoever_it_tells },
		{ "who tries again at once does not hold the loop",
		  test_who_tries_again_at_once_does_not_hold_the_loop },
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{ .pName = "channel",
		  .pInitFunc = setup,
		  .pCleanupFunc = teardown,
		  .pTests = tests },
		CU_SUITE_INFO_NULL,
	};

	return run_suites(suites);
}
