/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>

#include "../suite.h"
#include "authority/authority.h"
#include "config/config.h"
#include "db/chore.h"
#include "ipc/channel.h"
#include "ipc/control.h"
#include "issue/issuer.h"
#include "keys/signer.h"
#include "mark/keeper.h"
#include "metrics/metrics.h"
#include "oauth/oauth.h"

/* The process with its neighbours faked by linking.  A script of events plays the monitor, the
 * edges and the issuer, 20 ms apart; the story is what the process did. */

struct ipc_ticket {
	struct answer answer;
	int answers;
};

static const struct script {
	const char *name;
	void (*acts[10])(void); /* in this order, up to a NULL */
	long drain_timeout_ms;
	const char *story;
	long per_client_s; /* burst 2 */
} * now;

#define METER ((struct meter *)story) /* only its address matters */

static char story[512];
static struct event_base *base;
static int next_act;
static struct event *clockwork;
static bool signer_fails, desk_fails;

static void tell(const char *what)
{
	strcat(story, what);
	strcat(story, " ");
}

/* ---- the neighbours ---- */

_Atomic uint64_t *meter_counter(struct meter *meter, enum metric metric, unsigned int label)
{
	(void)meter;
	(void)metric;
	(void)label;
	return NULL;
}

void meter_count(struct meter *meter, enum metric metric, unsigned int label)
{
	CU_ASSERT_PTR_EQUAL(meter, METER);
	CU_ASSERT_EQUAL(metric, METRIC_LIMITS_HIT);
	CU_ASSERT_EQUAL(label, METRIC_LIMIT_CLIENT_REQUESTS);
	tell("counted");
}

struct signer *signer_open(struct event_base *loop, const char *key_file,
			   const char *passphrase_file, const char *chain_file, struct error *error)
{
	(void)loop;
	CU_ASSERT_STRING_EQUAL(key_file, "key");
	CU_ASSERT_STRING_EQUAL(passphrase_file, "passphrase");
	CU_ASSERT_STRING_EQUAL(chain_file, "chain");
	if (!signer_fails)
		return (struct signer *)&base;
	error_set(error, ERROR_INVALID, "wrong passphrase");
	return NULL;
}

void signer_free(struct signer *signer)
{
	if (signer != NULL)
		tell("no-signer");
}

static bool mark_fails;
static char mark_keeper;

struct mark_keeper *mark_keeper_new(struct event_base *loop, const char *folder,
				    const struct log *log, struct error *error)
{
	(void)loop;
	(void)log;
	CU_ASSERT_STRING_EQUAL(folder, "state");
	if (!mark_fails)
		return (struct mark_keeper *)&mark_keeper;
	error_set(error, ERROR_INVALID, "state: no such folder");
	return NULL;
}

void mark_keeper_free(struct mark_keeper *keeper)
{
	CU_ASSERT_TRUE(keeper == NULL || keeper == (struct mark_keeper *)&mark_keeper);
}

static struct issuer_options issuer_options;
static struct {
	struct answer *answer;
	done_fn done;
	void *arg;
} order;

static struct db_desk *const the_desk = (struct db_desk *)&order;

struct db_desk *db_desk_new(const struct db_desk_options *options, struct error *error)
{
	CU_ASSERT_STRING_EQUAL(options->conninfo, "host=/run/db");
	if (!desk_fails)
		return the_desk;
	error_set(error, ERROR_INVALID, "host=db.example is a name");
	return NULL;
}

void db_chore_add(struct db_desk *desk, struct db_chore *chore)
{
	CU_ASSERT_PTR_EQUAL(desk, the_desk);
	CU_ASSERT_STRING_EQUAL(chore->statement->name, "refusals_prune");
	CU_ASSERT(chore->most > 0); /* so that a backlog goes in steps */
}

struct issuer *issuer_new(const struct issuer_options *options, struct error *error)
{
	(void)error;
	CU_ASSERT_PTR_EQUAL(options->desk, the_desk);
	CU_ASSERT_PTR_EQUAL(options->mark, (struct mark_keeper *)&mark_keeper);
	issuer_options = *options;
	return (struct issuer *)&issuer_options;
}

void issuer_order_start(struct issuer *issuer, const struct order *asked, struct answer *answer,
			done_fn done, void *arg)
{
	(void)issuer;
	CU_ASSERT_STRING_EQUAL(asked->account, "sp-1");
	tell("order");
	order.answer = answer;
	order.done = done;
	order.arg = arg;
}

static void answer_order(enum error_kind kind, enum verdict verdict)
{
	const struct error error = { .kind = kind };
	done_fn done = order.done;

	if (done == NULL)
		return;
	order.done = NULL;
	*order.answer =
		(struct answer){ .verdict = (uint8_t)verdict, .failed = kind != ERROR_NONE };
	done(order.arg, &error);
}

void issuer_free(struct issuer *issuer)
{
	if (issuer != NULL)
		tell("no-issuer");
}

/* What is left is failed by the desk. */
void db_desk_free(struct db_desk *desk)
{
	if (desk == NULL)
		return;
	answer_order(ERROR_UNAVAILABLE, VERDICT_ISSUED);
	tell("no-desk");
}

/* ---- oauth: answers at once ---- */

struct oauth *oauth_new(const struct oauth_options *options, struct error *error)
{
	(void)error;
	CU_ASSERT_PTR_EQUAL(options->desk, the_desk);
	CU_ASSERT_STRING_EQUAL(options->environment, "demo");
	CU_ASSERT_EQUAL(options->queue_max, 12);
	CU_ASSERT_PTR_EQUAL(options->meter, METER);
	CU_ASSERT_EQUAL(options->failures_per_user_min, 3);
	CU_ASSERT_EQUAL(options->failures_per_user_burst, 4);
	CU_ASSERT_EQUAL(options->password_cpu_percent, 5);
	return (struct oauth *)&issuer_options;
}

static bool oauth_is_shut;

void oauth_shut(struct oauth *oauth, const char *why)
{
	CU_ASSERT_PTR_EQUAL(oauth, &issuer_options);
	oauth_is_shut = why != NULL;
}

void oauth_free(struct oauth *oauth)
{
	if (oauth != NULL)
		tell("no-oauth");
}

static void finish_grant(struct grant_answer *answer, done_fn done, void *arg)
{
	const struct error none = { 0 };

	*answer = (struct grant_answer){ .verdict = VERDICT_STRANGER };
	done(arg, &none);
}

void oauth_grant_start(struct oauth *oauth, const struct grant_order *asked,
		       struct grant_answer *answer, done_fn done, void *arg)
{
	(void)oauth;
	CU_ASSERT_STRING_EQUAL(asked->request_id, "grant-1");
	tell("grant");
	finish_grant(answer, done, arg);
}

void oauth_login_start(struct oauth *oauth, const struct login_order *asked,
		       struct grant_answer *answer, done_fn done, void *arg)
{
	(void)oauth;
	CU_ASSERT_STRING_EQUAL(asked->user, "user-1");
	tell("login");
	finish_grant(answer, done, arg);
}

static void finish_access(struct access_answer *answer, done_fn done, void *arg)
{
	const struct error none = { 0 };

	*answer = (struct access_answer){ .verdict = VERDICT_ISSUED };
	done(arg, &none);
}

void oauth_revoke_start(struct oauth *oauth, const struct revoke_order *asked,
			struct access_answer *answer, done_fn done, void *arg)
{
	(void)oauth;
	(void)asked;
	tell("revoke");
	finish_access(answer, done, arg);
}

void oauth_report_start(struct oauth *oauth, const struct report_order *asked,
			struct access_answer *answer, done_fn done, void *arg)
{
	(void)oauth;
	(void)asked;
	tell("report");
	finish_access(answer, done, arg);
}

/* ---- ipc ---- */

static struct ipc_handlers handlers;
static ipc_lost_fn on_edge_lost;
static void *server_arg;
static struct ipc_ticket ticket;

struct ipc_server *ipc_server_new(struct event_base *loop, const struct ipc_handlers *all,
				  void *arg)
{
	base = loop;
	handlers = *all;
	server_arg = arg;
	return (struct ipc_server *)&ticket;
}

void ipc_server_set_meter(struct ipc_server *server, struct meter *meter)
{
	(void)server;
	CU_ASSERT_PTR_EQUAL(meter, METER);
}

void ipc_server_on_lost(struct ipc_server *server, ipc_lost_fn on_lost, void *arg)
{
	(void)server;
	CU_ASSERT_PTR_EQUAL(arg, server_arg);
	on_edge_lost = on_lost;
}

void ipc_server_attach(struct ipc_server *server, int fd)
{
	(void)server;
	CU_ASSERT_EQUAL(fd, 7);
	tell("attach");
}

static bool told_ready;

void ipc_server_tell_ready(struct ipc_server *server, bool ready)
{
	(void)server;
	told_ready = ready;
	tell(ready ? "ready" : "not-ready");
}

void ipc_answer(struct ipc_ticket *one, const struct answer *answer)
{
	one->answer = *answer;
	one->answers++;
	tell(answer->failed		       ? "failed"
	     : answer->verdict == VERDICT_RATE ? "too-often"
					       : "answered");
}

void ipc_answer_grant(struct ipc_ticket *one, const struct grant_answer *answer)
{
	(void)one;
	tell(answer->verdict == VERDICT_RATE ? "too-often" : "refused");
}

void ipc_answer_access(struct ipc_ticket *one, const struct access_answer *answer)
{
	(void)one;
	tell(answer->verdict == VERDICT_RATE ? "too-often" : "done");
}

void ipc_answer_failed(struct ipc_ticket *one)
{
	one->answers++;
	tell("failed");
}

void ipc_server_free(struct ipc_server *server)
{
	if (server != NULL)
		tell("no-server");
}

static void (*on_message)(void *arg, const struct ipc_control_message *message);
static const char *(*authority_is_ready)(void *arg);
static void (*on_end)(void *arg);

/* The script begins when the process listens to its monitor. */
static void on_clockwork(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (now->acts[next_act] != NULL)
		now->acts[next_act++]();
}

struct ipc_control *ipc_control_new(struct event_base *loop, int control_fd,
				    void (*message)(void *arg,
						    const struct ipc_control_message *message),
				    void (*end)(void *arg), void *arg)
{
	const struct timeval beat = { .tv_usec = 20000 };

	CU_ASSERT_EQUAL(control_fd, 5);
	CU_ASSERT_PTR_EQUAL(arg, server_arg);
	on_message = message;
	on_end = end;
	clockwork = event_new(loop, -1, EV_PERSIST, on_clockwork, NULL);
	event_add(clockwork, &beat);
	return (struct ipc_control *)&clockwork;
}

bool ipc_control_beat(struct ipc_control *control, const char *(*is_ready)(void *arg))
{
	CU_ASSERT_PTR_EQUAL(control, &clockwork);
	authority_is_ready = is_ready;
	return true;
}

/* What the monitor hears is what the edges are told. */
void ipc_control_tell(struct ipc_control *control)
{
	CU_ASSERT_PTR_EQUAL(control, &clockwork);
	CU_ASSERT_EQUAL(authority_is_ready(server_arg) == NULL, told_ready);
}

bool ipc_control_send(int control_fd, enum ipc_control_kind kind, const char *text, int take_fd,
		      struct error *error)
{
	(void)error;
	CU_ASSERT_EQUAL(control_fd, 5);
	CU_ASSERT_EQUAL(kind, IPC_CONTROL_CANNOT);
	CU_ASSERT_TRUE(text != NULL && text[0] != '\0');
	CU_ASSERT_EQUAL(take_fd, -1);
	return true;
}

void ipc_control_free(struct ipc_control *control)
{
	if (control != NULL)
		event_free(clockwork);
}

/* ---- what the others do ---- */

static void edge_comes(void)
{
	const struct ipc_control_message peer = { .kind = IPC_CONTROL_PEER, .fd = 7 };

	on_message(server_arg, &peer);
}

static void edge_goes(void)
{
	const struct error why = { .kind = ERROR_UNAVAILABLE, .detail = "end of file" };

	on_edge_lost(server_arg, &why);
}

static void edge_asks(void)
{
	const struct order asked = { .kind = ORDER_ISSUE, .account = "sp-1" };

	handlers.on_order(server_arg, &asked, &ticket);
}

static void edge_asks_thrice(void)
{
	for (int i = 0; i < 3; i++) {
		edge_asks();
		answer_order(ERROR_NONE, VERDICT_SPC_NOT_HELD);
	}
}

static void edge_grants(uint8_t method, uint8_t secret, uint8_t peer)
{
	struct grant_order asked = { .proof = { .method = method, .client = "client-1" },
				     .request_id = "grant-1" };

	asked.proof.credential[0] = secret;
	asked.peer[0] = peer;
	handlers.on_grant(server_arg, &asked, &ticket);
}

static void edge_logs_in(uint8_t method, uint8_t digest, uint8_t peer)
{
	struct login_order asked = { .method = method, .user = "user-1" };

	asked.digest[0] = digest;
	asked.peer[0] = peer;
	handlers.on_login(server_arg, &asked, &ticket);
}

static void edge_revokes(uint8_t token)
{
	struct revoke_order asked = { .proof = { .method = METHOD_TOKEN } };

	asked.token[0] = token;
	handlers.on_revoke(server_arg, &asked, &ticket);
}

static void edge_reports(void)
{
	const struct report_order asked = { .secret = { 1 } };

	handlers.on_report(server_arg, &asked, &ticket);
}

static void edge_asks_for_each(void)
{
	edge_grants(METHOD_SECRET, 1, 1);
	edge_logs_in(METHOD_LOGIN, 2, 1);
	edge_revokes(3);
	edge_reports();
}

/* A secret counts wherever it comes from. */
static void edge_grants_by_one_secret(void)
{
	for (uint8_t peer = 1; peer <= 3; peer++)
		edge_grants(METHOD_SECRET, 7, peer);
	edge_grants(METHOD_SECRET, 8, 1);
}

/* A name counts only with its address: nobody shuts another out. */
static void edge_grants_by_one_name(void)
{
	for (int i = 0; i < 3; i++)
		edge_grants(METHOD_ASSERTION, 0, 1);
	edge_grants(METHOD_ASSERTION, 0, 2);
}

static void edge_logs_in_as_one_user(void)
{
	for (int i = 0; i < 3; i++)
		edge_logs_in(METHOD_PASSWORD, 0, 1);
	edge_logs_in(METHOD_PASSWORD, 0, 2);
	edge_logs_in(METHOD_LOGIN, 9, 1);
}

static void edge_revokes_and_reports(void)
{
	for (int i = 0; i < 3; i++)
		edge_revokes(4);
	for (int i = 0; i < 3; i++)
		edge_reports();
}

/* Another ticket: the first is still to be answered. */
static void edge_asks_in_vain(void)
{
	static struct ipc_ticket second;
	const struct order asked = { .kind = ORDER_ISSUE, .account = "sp-1" };

	handlers.on_order(server_arg, &asked, &second);
	CU_ASSERT_EQUAL(second.answers, 1);
}

static void issuer_is_ready(void)
{
	CU_ASSERT_TRUE(oauth_is_shut);
	issuer_options.on_ready(issuer_options.arg, NULL);
	CU_ASSERT_FALSE(oauth_is_shut);
}

static void issuer_is_not_ready(void)
{
	issuer_options.on_ready(issuer_options.arg, "no connection");
	CU_ASSERT_TRUE(oauth_is_shut);
}

static void issuer_answers(void)
{
	answer_order(ERROR_NONE, VERDICT_SPC_NOT_HELD);
	CU_ASSERT_EQUAL(ticket.answer.verdict, VERDICT_SPC_NOT_HELD);
}

static void issuer_fails_the_order(void)
{
	answer_order(ERROR_UNAVAILABLE, VERDICT_ISSUED);
}

static void monitor_ends(void)
{
	tell("end");
	on_end(server_arg);
}

static void nothing(void)
{
}

#define GONE "no-desk no-issuer no-oauth no-server no-signer "

static const struct script scripts[] = {
	{ .name = "an order is answered",
	  .acts = { edge_comes, issuer_is_ready, edge_asks, issuer_answers, edge_goes,
		    monitor_ends },
	  .drain_timeout_ms = 60000,
	  .story = "attach ready order answered end " GONE },
	{ .name = "an order fails",
	  .acts = { edge_asks, issuer_fails_the_order, issuer_is_not_ready, monitor_ends },
	  .drain_timeout_ms = 60000,
	  .story = "order failed not-ready end " GONE },
	{ .name = "each kind has its handler",
	  .acts = { edge_asks_for_each, monitor_ends },
	  .drain_timeout_ms = 60000,
	  .story = "grant refused login refused revoke done report done end " GONE },
	{ .name = "a client asks too often",
	  .acts = { edge_asks_thrice, monitor_ends },
	  .per_client_s = 1,
	  .story = "order answered order answered counted too-often end " GONE },
	{ .name = "a secret is shown too often",
	  .acts = { edge_grants_by_one_secret, monitor_ends },
	  .per_client_s = 1,
	  .story = "grant refused grant refused counted too-often grant refused end " GONE },
	{ .name = "a name is told too often from one address",
	  .acts = { edge_grants_by_one_name, monitor_ends },
	  .per_client_s = 1,
	  .story = "grant refused grant refused counted too-often grant refused end " GONE },
	{ .name = "a user logs in too often from one address",
	  .acts = { edge_logs_in_as_one_user, monitor_ends },
	  .per_client_s = 1,
	  .story = "login refused login refused counted too-often login refused login refused "
		   "end " GONE },
	{ .name = "a token is ended too often; reports have no limit here",
	  .acts = { edge_revokes_and_reports, monitor_ends },
	  .per_client_s = 1,
	  .story = "revoke done revoke done counted too-often report done report done report done "
		   "end " GONE },
	{ .name = "the edges finish first",
	  .acts = { edge_comes, edge_comes, monitor_ends, edge_goes, edge_asks, issuer_answers,
		    edge_goes },
	  .drain_timeout_ms = 60000,
	  .story = "attach attach end order answered " GONE },
	{ .name = "an edge that does not go",
	  .acts = { edge_comes, monitor_ends, nothing, nothing, nothing },
	  .drain_timeout_ms = 50,
	  .story = "attach end " GONE },
	{ .name = "what waits is answered, what comes then is not taken",
	  .acts = { edge_comes, edge_asks, monitor_ends, nothing, nothing, nothing,
		    edge_asks_in_vain, nothing, issuer_answers },
	  .drain_timeout_ms = 50,
	  .story = "attach order end failed answered " GONE },
};

static int run(const struct script *script)
{
	static char key[] = "key", passphrase[] = "passphrase", chain[] = "chain";
	static char database[] = "host=/run/db", environment[] = "demo";
	static char state[] = "state";
	const struct config config = { .database = database,
				       .signer_key = key,
				       .signer_passphrase = passphrase,
				       .signer_certificate = chain,
				       .environment = environment,
				       .state = state,
				       .orders_max = 12,
				       .requests_per_client_s = script->per_client_s,
				       .requests_per_client_burst = 2,
				       .failures_per_user_min = 3,
				       .failures_per_user_burst = 4,
				       .password_cpu_percent = 5,
				       .drain_timeout_ms = script->drain_timeout_ms };
	const struct log log = { .fd = -1, .least = LOG_LEVEL_ERROR + 1 };
	const struct authority_options options = {
		.config = &config, .log = &log, .meter = METER, .control_fd = 5
	};

	now = script;
	story[0] = '\0';
	next_act = 0;
	order.done = NULL;
	return authority_run(&options);
}

static void test_scripts(void)
{
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		CU_ASSERT_EQUAL(run(&scripts[i]), 0);
		if (strcmp(story, scripts[i].story) != 0)
			printf("\n  %s: %s", scripts[i].name, story);
		CU_ASSERT_STRING_EQUAL(story, scripts[i].story);
		CU_ASSERT_EQUAL(issuer_options.queue_max, 12);
	}
}

static void test_without_a_key_it_does_not_start(void)
{
	const struct script nobody = { .name = "no key" };

	signer_fails = true;
	CU_ASSERT_EQUAL(run(&nobody), 1);
	signer_fails = false;
	CU_ASSERT_STRING_EQUAL(story, "");
}

static void test_without_its_mark_it_does_not_start(void)
{
	const struct script nobody = { .name = "no mark" };

	mark_fails = true;
	CU_ASSERT_EQUAL(run(&nobody), 1);
	mark_fails = false;
	CU_ASSERT_STRING_EQUAL(story, "no-signer ");
}

static void test_without_a_database_address_it_does_not_start(void)
{
	const struct script nobody = { .name = "no database" };

	desk_fails = true;
	CU_ASSERT_EQUAL(run(&nobody), 1);
	desk_fails = false;
	CU_ASSERT_STRING_EQUAL(story, "no-server no-signer ");
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "scripts", test_scripts },
		{ "without a key", test_without_a_key_it_does_not_start },
		{ "without its mark", test_without_its_mark_it_does_not_start },
		{ "without a database address", test_without_a_database_address_it_does_not_start },
		CU_TEST_INFO_NULL,
	};

	return run_suite("authority", tests);
}
