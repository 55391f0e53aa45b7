/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* close_range */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "../suite.h"
#include "authority/authority.h"
#include "base/sanitizer.h"
#include "config/config.h"
#include "edge/edge.h"
#include "ipc/control.h"
#include "metrics/metrics.h"
#include "stipad/generation.h"
#include "stipad/monitor.h"

/*
 * A real monitor in a process of its own.  Its children are faked by linking: edge_run() and
 * authority_run() note what they see in memory shared with the test, say their name on each stream
 * that they are given, and obey the case.
 */

enum { EDGES = 2, STARTS_MAX = 16, HEARD_MAX = 16 };
enum { PATIENCE_S = 60 };
enum { PORT_LEAST = 18000, PORTS = 2000 }; /* below those of lib.sh's free_port */

enum conduct {
	OBEYS,	       /* ends when told */
	TAKES_A_WHILE, /* 300 ms of draining */
	DOES_NOT_END,
	DIES_AT_ONCE,
	CANNOT_START,
	NEVER_READY,
};

/* What is known of "authority" (0) or "edge-N" (N). */
struct seen {
	_Atomic int starts;
	_Atomic int pid;
	_Atomic int ended; /* as it was told to */
	_Atomic int peers;
	double started_s[STARTS_MAX];
	int n_fds;
	int n_listeners;
	int has_local;
	int core_limit_zero;
	int dumpable;
	char comm[16];
	uint8_t ticket_key[TLS_TICKET_KEY_LEN];
	char metrics[16384]; /* when it started */
	_Atomic int n_heard;
	int heard[HEARD_MAX]; /* pid at the other end of each stream */
};

static struct shared {
	enum conduct conduct[1 + EDGES];
	struct seen seen[1 + EDGES];
} * shared;

static struct config config;
static char folder[] = "/tmp/stipa-monitor-XXXXXX";
static char local_path[64];
static char log_path[64];
static char listen_text[40];
static int port;
static char environment[] = "demo";
static pid_t monitor;

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* ---- the fakes: they run in children of the monitor ---- */

struct fake {
	struct event_base *base;
	struct seen *seen;
	enum conduct conduct;
	struct event *streams[HEARD_MAX];
	int n_streams;
};

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = -3; /* ".", "..", and the folder itself */

	while (dir != NULL && readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static const char *is_ready(void *arg)
{
	const struct fake *fake = arg;

	return fake->conduct == NEVER_READY ? "never" : NULL;
}

static void fake_hears(struct fake *fake, enum ipc_control_kind kind)
{
	if (kind == IPC_CONTROL_HAND_OVER && fake->conduct != DOES_NOT_END) {
		fake->seen->ended++;
		event_base_loopbreak(fake->base);
	}
}

static void on_stream(evutil_socket_t fd, short what, void *arg)
{
	struct fake *fake = arg;
	int pid;

	(void)what;
	if (recv(fd, &pid, sizeof(pid), MSG_DONTWAIT) != sizeof(pid)) {
		for (int i = 0; i < fake->n_streams; i++) {
			if (event_get_fd(fake->streams[i]) == fd)
				event_del(fake->streams[i]);
		}
		return;
	}
	fake->seen->heard[fake->seen->n_heard % HEARD_MAX] = pid;
	fake->seen->n_heard++;
}

static void take_peer(struct fake *fake, int fd)
{
	int pid = getpid();

	if (fake->n_streams == HEARD_MAX)
		abort();
	fake->seen->peers++;
	(void)!send(fd, &pid, sizeof(pid), MSG_NOSIGNAL);
	fake->streams[fake->n_streams] =
		event_new(fake->base, fd, EV_READ | EV_PERSIST, on_stream, fake);
	event_add(fake->streams[fake->n_streams++], NULL);
}

static void on_message(void *arg, const struct ipc_control_message *message)
{
	if (message->kind == IPC_CONTROL_PEER)
		take_peer(arg, message->fd);
	fake_hears(arg, message->kind);
}

static void on_end(void *arg)
{
	struct fake *fake = arg;

	while (fake->conduct == DOES_NOT_END)
		pause();
	if (fake->conduct == TAKES_A_WHILE)
		usleep(300000);
	fake->seen->ended++;
	event_base_loopbreak(fake->base);
}

static void note_process(struct seen *seen)
{
	struct rlimit core;

	seen->n_fds = count_fds();
	prctl(PR_GET_NAME, seen->comm);
	getrlimit(RLIMIT_CORE, &core);
	seen->core_limit_zero = core.rlim_cur == 0 && core.rlim_max == 0;
	seen->dumpable = prctl(PR_GET_DUMPABLE);
	seen->started_s[seen->starts % STARTS_MAX] = now_s();
	seen->starts++;
	seen->pid = getpid();
}

static int fake_run(int number, int control_fd)
{
	struct fake fake = { .seen = &shared->seen[number], .conduct = shared->conduct[number] };
	struct ipc_control *control;

	note_process(fake.seen);
	if (fake.conduct == DIES_AT_ONCE)
		raise(SIGABRT);
	if (fake.conduct == CANNOT_START)
		return 1;
	fake.base = event_base_new();
	control = ipc_control_new(fake.base, control_fd, on_message, on_end, &fake);
	if (!ipc_control_beat(control, is_ready))
		abort();
	event_base_dispatch(fake.base);
	ipc_control_free(control);
	for (int i = 0; i < fake.n_streams; i++)
		event_free(fake.streams[i]);
	event_base_free(fake.base);
	return 0;
}

static int is_listening(int fd)
{
	int yes = 0;
	socklen_t len = sizeof(yes);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &len) == 0 && yes;
}

/* Each start is a connection that is never closed. */
static void note_metrics(struct seen *seen, const struct edge_options *options)
{
	size_t len;
	char *text = metrics_to_text(options->metrics, &len);

	snprintf(seen->metrics, sizeof(seen->metrics), "%s", text);
	free(text);
	meter_count(options->meter, METRIC_CONNECTIONS_ACCEPTED, 0);
	meter_change(options->meter, METRIC_CONNECTIONS, 1);
}

int edge_run(const struct edge_options *options)
{
	int number = atoi(options->log->process + strlen("edge-"));
	struct seen *seen = &shared->seen[number];

	memcpy(seen->ticket_key, options->ticket_key, sizeof(seen->ticket_key));
	seen->n_listeners = 0;
	for (size_t i = 0; i < options->n_listeners; i++)
		seen->n_listeners += is_listening(options->listeners[i]);
	seen->has_local = is_listening(options->local_fd);
	note_metrics(seen, options);
	return fake_run(number, options->control_fd);
}

int authority_run(const struct authority_options *options)
{
	meter_set(options->meter, METRIC_READY, 1);
	return fake_run(0, options->control_fd);
}

/* ---- the test's side ---- */

/* However slow the machine is. */
static bool wait_until(bool (*is_so)(void))
{
	for (double end = now_s() + PATIENCE_S; now_s() < end; usleep(2000)) {
		if (is_so())
			return true;
	}
	return is_so();
}

/* In the place of the program, which begins anew. */
static void become_generation(void *arg, unsigned int number, int control_fd)
{
	struct log log = *(const struct log *)arg;

	dup2(control_fd, 100);
	close_range(3, (unsigned int)log.fd - 1, 0);
	close_range((unsigned int)log.fd + 1, 99, 0);
	snprintf(log.process, sizeof(log.process), "generation-%u", number);
	exit(generation_run(&config, &log, 100));
}

static void start_monitor(void)
{
	const struct log log = { .fd = open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
					    0600),
				 .least = LOG_LEVEL_INFO,
				 .process = "monitor" };
	const struct monitor_options options = {
		.log = &log, .ready_ms = 5000, .become = become_generation, .arg = (void *)&log
	};

	fflush(NULL);
	monitor = fork();
	if (monitor == 0)
		exit(monitor_run(&options));
	close(log.fd);
}

static void begin(void)
{
	memset(shared, 0, sizeof(*shared));
	config.edges = EDGES;
	config.drain_timeout_ms = 20000;
	config.environment = environment;
	config.local_socket = local_path;
	config.listen.n = 1;
	config.listen.item[0] = listen_text;
}

static bool everybody_is_connected(void)
{
	for (int edge = 1; edge <= EDGES; edge++) {
		struct seen *e = &shared->seen[edge];

		if (e->pid == 0 || e->n_heard == 0 ||
		    e->heard[(e->n_heard - 1) % HEARD_MAX] != shared->seen[0].pid)
			return false;
	}
	return shared->seen[0].n_heard >= EDGES;
}

/* The exit status of the monitor, or -1 when it does not end in time. */
static int monitor_status(void)
{
	for (double end = now_s() + PATIENCE_S; now_s() < end; usleep(2000)) {
		int how;

		if (waitpid(monitor, &how, WNOHANG) == monitor) {
			monitor = 0;
			return WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
		}
	}
	return -1;
}

/* Children of the monitor become ours when it dies: we are their subreaper. */
static bool is_gone(pid_t pid)
{
	waitpid(pid, NULL, WNOHANG);
	return kill(pid, 0) != 0;
}

static bool all_are_gone(void)
{
	for (int i = 0; i <= EDGES; i++) {
		if (shared->seen[i].pid != 0 && !is_gone(shared->seen[i].pid))
			return false;
	}
	return true;
}

static const char *log_text(void)
{
	static char text[65536];
	FILE *file = fopen(log_path, "r");
	size_t len = fread(text, 1, sizeof(text) - 1, file);

	fclose(file);
	text[len] = '\0';
	return text;
}

static bool log_has(const char *part)
{
	if (strstr(log_text(), part) != NULL)
		return true;
	printf("\n  no %s in\n%s", part, log_text());
	return false;
}

static void end_well(void)
{
	kill(monitor, SIGTERM);
	CU_ASSERT_EQUAL(monitor_status(), 0);
	CU_ASSERT_TRUE(all_are_gone());
}

static int connect_to(const struct sockaddr *address, socklen_t len)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int connected = connect(fd, address, len);

	close(fd);
	return connected;
}

static int connect_public(void)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
					     .sin_port = htons((uint16_t)port),
					     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return connect_to((const struct sockaddr *)&address, sizeof(address));
}

static int connect_local(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strcpy(address.sun_path, local_path);
	return connect_to((const struct sockaddr *)&address, sizeof(address));
}

/* ---- the tests ---- */

static void test_it_starts_and_connects_everybody(void)
{
	struct stat file;

	begin();
	start_monitor();
	CU_ASSERT_TRUE_FATAL(wait_until(everybody_is_connected));
	CU_ASSERT_EQUAL(connect_public(), 0);
	CU_ASSERT_EQUAL(connect_local(), 0);
	CU_ASSERT_EQUAL(stat(local_path, &file), 0);
	CU_ASSERT_EQUAL(file.st_mode & 07777, 0660);
	end_well();
	CU_ASSERT_EQUAL(access(local_path, F_OK), -1);
	CU_ASSERT_EQUAL(connect_public(), -1);
	for (int i = 0; i <= EDGES; i++) {
		CU_ASSERT_EQUAL(shared->seen[i].starts, 1);
		CU_ASSERT_EQUAL(shared->seen[i].ended, 1);
	}
}

static void test_each_child_has_only_what_it_needs(void)
{
	const struct seen *authority = &shared->seen[0], *edge = &shared->seen[1];
	static const uint8_t zero[TLS_TICKET_KEY_LEN];

	begin();
	start_monitor();
	CU_ASSERT_TRUE_FATAL(wait_until(everybody_is_connected));
	/* 0, 1, 2, control, log; an edge: one listener and the local socket */
	CU_ASSERT_EQUAL(authority->n_fds, 5);
	CU_ASSERT_EQUAL(edge->n_fds, 7);
	CU_ASSERT_EQUAL(edge->n_listeners, 1);
	CU_ASSERT_EQUAL(edge->has_local, 1);
	CU_ASSERT_STRING_EQUAL(authority->comm, "stipa-authority");
	CU_ASSERT_STRING_EQUAL(edge->comm, "stipa-edge-1");
	CU_ASSERT_TRUE(authority->core_limit_zero && edge->core_limit_zero);
#if !HAS_ADDRESS_SANITIZER
	CU_ASSERT_EQUAL(authority->dumpable, 0);
	CU_ASSERT_EQUAL(edge->dumpable, 0);
#endif
	CU_ASSERT_NOT_EQUAL(memcmp(edge->ticket_key, zero, sizeof(zero)), 0);
	CU_ASSERT_EQUAL(memcmp(edge->ticket_key, shared->seen[2].ticket_key, sizeof(zero)), 0);
	end_well();
}

static bool edge_is_replaced(void)
{
	return shared->seen[1].starts == 2 && shared->seen[0].peers >= 3 &&
	       everybody_is_connected();
}

static void test_a_dead_edge_is_replaced_and_connected(void)
{
	pid_t pid;

	begin();
	start_monitor();
	CU_ASSERT_TRUE_FATAL(wait_until(everybody_is_connected));
	pid = shared->seen[1].pid;
	kill(pid, SIGKILL);
	CU_ASSERT_TRUE(wait_until(edge_is_replaced));
	CU_ASSERT_NOT_EQUAL(shared->seen[1].pid, pid);
	CU_ASSERT_EQUAL(shared->seen[0].starts, 1);
	CU_ASSERT_EQUAL(shared->seen[2].peers, 1);
	end_well();
	CU_ASSERT_TRUE(log_has("\"signal\":\"KILL\""));
}

static bool authority_is_replaced(void)
{
	return shared->seen[0].starts == 2 && everybody_is_connected() &&
	       shared->seen[1].peers == 2 && shared->seen[2].peers == 2;
}

static void test_a_dead_authority_is_replaced_and_given_to_all(void)
{
	begin();
	start_monitor();
	CU_ASSERT_TRUE_FATAL(wait_until(everybody_is_connected));
	shared->seen[0].n_heard = 0;
	kill(shared->seen[0].pid, SIGKILL);
	CU_ASSERT_TRUE(wait_until(authority_is_replaced));
	CU_ASSERT_EQUAL(shared->seen[1].starts, 1);
	end_well();
}

static bool edge_has_died_five_times(void)
{
	return shared->seen[1].starts == 5;
}

static void test_a_child_that_dies_again_and_again_waits_longer(void)
{
	static const double waits[] = { 0.1, 0.2, 0.4, 0.8 };

	begin();
	shared->conduct[1] = DIES_AT_ONCE;
	start_monitor();
	CU_ASSERT_TRUE(wait_until(edge_has_died_five_times));
	for (int i = 0; i < 4; i++) {
		double took = shared->seen[1].started_s[i + 1] - shared->seen[1].started_s[i];

		CU_ASSERT_TRUE(took >= waits[i] * 0.8 && took < waits[i] + PATIENCE_S);
	}
	CU_ASSERT_EQUAL(shared->seen[2].starts, 1); /* the others do not notice */
	end_well();				    /* while one waits to be started */
	CU_ASSERT_EQUAL(shared->seen[1].starts, 5);
	CU_ASSERT_TRUE(log_has("\"signal\":\"ABRT\""));
}

static bool metrics_of(const struct seen *seen, const char *line)
{
	if (strstr(seen->metrics, line) != NULL)
		return true;
	printf("\n  no %s in\n%s", line, seen->metrics);
	return false;
}

static bool edge_has_died_twice(void)
{
	return shared->seen[1].starts == 3;
}

static void test_metrics_outlive_who_counted_them(void)
{
	const struct seen *edge = &shared->seen[1];

	begin();
	shared->conduct[1] = DIES_AT_ONCE;
	start_monitor();
	CU_ASSERT_TRUE(wait_until(edge_has_died_twice));
	end_well();
	CU_ASSERT_TRUE(metrics_of(edge, "stipa_child_restarts_total{child=\"edge\"} 2\n"));
	CU_ASSERT_TRUE(metrics_of(edge, "stipa_child_restarts_total{child=\"authority\"} 0\n"));
	CU_ASSERT_TRUE(metrics_of(edge, "stipa_connections_accepted_total 3\n"));
	CU_ASSERT_TRUE(metrics_of(edge, "stipa_connections 1\n")); /* the other edge's */
	CU_ASSERT_TRUE(metrics_of(edge, "stipa_ready 1\n"));
	CU_ASSERT_TRUE(metrics_of(edge, "stipa_start_time_seconds 1"));
}

static void test_a_child_that_cannot_start_ends_the_node(void)
{
	begin();
	shared->conduct[0] = CANNOT_START;
	start_monitor();
	CU_ASSERT_EQUAL(monitor_status(), 1);
	CU_ASSERT_TRUE(all_are_gone());
	CU_ASSERT_EQUAL(shared->seen[0].starts, 1);
	CU_ASSERT_TRUE(log_has("a child cannot start: its generation ends"));
}

static void test_draining_may_take_its_time(void)
{
	double asked;

	begin();
	shared->conduct[1] = shared->conduct[2] = TAKES_A_WHILE;
	start_monitor();
	CU_ASSERT_TRUE_FATAL(wait_until(everybody_is_connected));
	asked = now_s();
	kill(monitor, SIGINT);
	CU_ASSERT_EQUAL(monitor_status(), 0);
	CU_ASSERT_TRUE(now_s() - asked >= 0.3);
	CU_ASSERT_EQUAL(shared->seen[1].ended, 1);
	CU_ASSERT_EQUAL(shared->seen[2].ended, 1);
}

static void test_what_does_not_drain_is_killed(void)
{
	double asked;

	begin();
	config.drain_timeout_ms = 200;
	shared->conduct[2] = DOES_NOT_END;
	start_monitor();
	CU_ASSERT_TRUE_FATAL(wait_until(everybody_is_connected));
	asked = now_s();
	kill(monitor, SIGTERM);
	CU_ASSERT_EQUAL(monitor_status(), 1);
	CU_ASSERT_TRUE(now_s() - asked >= 1 && now_s() - asked < 15);
	CU_ASSERT_TRUE(all_are_gone());
	CU_ASSERT_EQUAL(shared->seen[1].ended, 1);
	CU_ASSERT_TRUE(log_has("is killed"));
}

static void test_nothing_is_replaced_while_draining(void)
{
	begin();
	shared->conduct[1] = TAKES_A_WHILE;
	start_monitor();
	CU_ASSERT_TRUE_FATAL(wait_until(everybody_is_connected));
	kill(monitor, SIGTERM);
	kill(shared->seen[2].pid, SIGKILL);
	CU_ASSERT_EQUAL(monitor_status(), 0);
	CU_ASSERT_EQUAL(shared->seen[2].starts, 1);
	CU_ASSERT_TRUE(all_are_gone());
}

static void test_children_do_not_outlive_the_monitor(void)
{
	begin();
	shared->conduct[1] = DOES_NOT_END; /* even one that would */
	start_monitor();
	CU_ASSERT_TRUE_FATAL(wait_until(everybody_is_connected));
	kill(monitor, SIGKILL);
	CU_ASSERT_EQUAL(monitor_status(), 128 + SIGKILL);
	CU_ASSERT_TRUE(wait_until(all_are_gone));
}

static void test_the_terminals_signals_are_the_monitors(void)
{
	begin();
	start_monitor();
	CU_ASSERT_TRUE_FATAL(wait_until(everybody_is_connected));
	kill(shared->seen[1].pid, SIGINT);
	kill(shared->seen[0].pid, SIGTERM);
	usleep(100000);
	CU_ASSERT_FALSE(is_gone(shared->seen[1].pid));
	CU_ASSERT_FALSE(is_gone(shared->seen[0].pid));
	CU_ASSERT_EQUAL(waitpid(monitor, NULL, WNOHANG), 0);
	end_well();
}

static void test_a_stale_socket_file_is_replaced(void)
{
	begin();
	start_monitor();
	CU_ASSERT_TRUE_FATAL(wait_until(everybody_is_connected));
	kill(monitor, SIGKILL);
	CU_ASSERT_EQUAL(monitor_status(), 128 + SIGKILL);
	CU_ASSERT_TRUE(wait_until(all_are_gone));
	CU_ASSERT_EQUAL(access(local_path, F_OK), 0);

	begin();
	start_monitor();
	CU_ASSERT_TRUE_FATAL(wait_until(everybody_is_connected));
	CU_ASSERT_EQUAL(connect_local(), 0);
	end_well();
}

static int listen_local(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, local_path);
	CU_ASSERT_EQUAL(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	CU_ASSERT_EQUAL(listen(fd, 1), 0);
	return fd;
}

static void test_another_nodes_socket_is_left_alone(void)
{
	int fd = listen_local();

	begin();
	start_monitor();
	CU_ASSERT_EQUAL(monitor_status(), 1);
	CU_ASSERT_TRUE(log_has("somebody listens there"));
	CU_ASSERT_EQUAL(shared->seen[0].starts, 0);
	CU_ASSERT_EQUAL(connect_local(), 0);
	close(fd);
	unlink(local_path);
}

static void test_a_file_that_is_no_socket_is_left_alone(void)
{
	FILE *file = fopen(local_path, "w");

	fclose(file);
	begin();
	start_monitor();
	CU_ASSERT_EQUAL(monitor_status(), 1);
	CU_ASSERT_TRUE(log_has("is no socket"));
	CU_ASSERT_EQUAL(unlink(local_path), 0);
}

static void test_a_port_in_use_is_told(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	CU_ASSERT_EQUAL(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	CU_ASSERT_EQUAL(listen(fd, 1), 0);
	begin();
	start_monitor();
	CU_ASSERT_EQUAL(monitor_status(), 1);
	CU_ASSERT_TRUE(log_has("Address already in use"));
	close(fd);
}

static void test_ipv6_listens_too(void)
{
	static char v6[40];
	struct sockaddr_in6 address = { .sin6_family = AF_INET6,
					.sin6_port = htons((uint16_t)port),
					.sin6_addr = IN6ADDR_LOOPBACK_INIT };

	begin();
	snprintf(v6, sizeof(v6), "[::1]:%d", port); /* the same port as IPv4 */
	config.listen.item[config.listen.n++] = v6;
	start_monitor();
	CU_ASSERT_TRUE_FATAL(wait_until(everybody_is_connected));
	CU_ASSERT_EQUAL(connect_public(), 0);
	CU_ASSERT_EQUAL(connect_to((struct sockaddr *)&address, sizeof(address)), 0);
	CU_ASSERT_EQUAL(shared->seen[1].n_listeners, 2);
	end_well();
}

/* ---- generations ---- */

static int times_logged(const char *part)
{
	int n = 0;

	for (const char *at = log_text(); (at = strstr(at, part)) != NULL; at++)
		n++;
	return n;
}

static bool the_second_serves(void)
{
	return times_logged("\"generation ended\",\"generation\":1,") == 1 &&
	       everybody_is_connected();
}

static void test_a_new_generation_takes_over(void)
{
	uint8_t key[TLS_TICKET_KEY_LEN];

	begin();
	start_monitor();
	CU_ASSERT_TRUE_FATAL(wait_until(everybody_is_connected));
	memcpy(key, shared->seen[1].ticket_key, sizeof(key));
	kill(monitor, SIGHUP);
	CU_ASSERT_TRUE(wait_until(the_second_serves));
	for (int i = 0; i <= EDGES; i++) {
		CU_ASSERT_EQUAL(shared->seen[i].starts, 2);
		CU_ASSERT_EQUAL(shared->seen[i].ended, 1);
	}
	CU_ASSERT_EQUAL(connect_public(), 0);
	CU_ASSERT_EQUAL(connect_local(), 0);
	CU_ASSERT_NOT_EQUAL(memcmp(key, shared->seen[1].ticket_key, sizeof(key)), 0);
	end_well();
}

static bool one_is_refused(void)
{
	return times_logged("is refused, the old one serves on") == 1;
}

static bool the_second_has_gone(void)
{
	return times_logged("\"generation ended\",\"generation\":2,") == 1;
}

static void refuse_a_generation(int child, enum conduct conduct, const char *why)
{
	int pid;

	begin();
	start_monitor();
	CU_ASSERT_TRUE_FATAL(wait_until(everybody_is_connected));
	pid = shared->seen[child].pid;
	shared->conduct[child] = conduct;
	kill(monitor, SIGHUP);
	CU_ASSERT_TRUE(wait_until(one_is_refused));
	CU_ASSERT_TRUE(wait_until(the_second_has_gone));
	CU_ASSERT_TRUE(log_has(why));
	CU_ASSERT_EQUAL(kill(pid, 0), 0); /* of the first */
	CU_ASSERT_EQUAL(connect_public(), 0);
	CU_ASSERT_EQUAL(connect_local(), 0);
	CU_ASSERT_EQUAL(times_logged("\"generation serves\""), 0);
	shared->seen[child].pid = pid;
	end_well();
}

static void test_a_generation_that_cannot_start_is_refused(void)
{
	refuse_a_generation(2, CANNOT_START, "edge-2: cannot start");
}

static void test_a_generation_that_does_not_get_ready_is_refused(void)
{
	refuse_a_generation(0, NEVER_READY, "not ready in time: authority: never");
}

static bool edge_has_started_again(void)
{
	return shared->seen[1].starts >= 2;
}

static void test_a_child_that_hangs_is_replaced(void)
{
	begin();
	config.hang_timeout_ms = 1000;
	start_monitor();
	CU_ASSERT_TRUE_FATAL(wait_until(everybody_is_connected));
	kill(shared->seen[1].pid, SIGSTOP);
	CU_ASSERT_TRUE(wait_until(edge_has_started_again));
	CU_ASSERT_TRUE(log_has("a child hangs, and is killed"));
	end_well();
	config.hang_timeout_ms = 0;
}

static bool the_second_has_started(void)
{
	return times_logged("\"generation starts\",\"generation\":2,") == 1;
}

static void test_it_ends_in_the_middle_of_a_reload(void)
{
	begin();
	start_monitor();
	CU_ASSERT_TRUE_FATAL(wait_until(everybody_is_connected));
	shared->conduct[0] = NEVER_READY;
	kill(monitor, SIGHUP);
	CU_ASSERT_TRUE(wait_until(the_second_has_started));
	kill(monitor, SIGTERM);
	CU_ASSERT_EQUAL(monitor_status(), 0);
	CU_ASSERT_EQUAL(connect_public(), -1);
	CU_ASSERT_EQUAL(access(local_path, F_OK), -1);
	CU_ASSERT_TRUE(wait_until(all_are_gone));
}

/* ---- */

/* A port that is free now, and that nobody takes by connecting: those are higher. */
static void choose_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	bool is_free = false;

	for (int i = 0; !is_free && i < PORTS; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		port = PORT_LEAST + (getpid() + i) % PORTS;
		address.sin_port = htons((uint16_t)port);
		is_free = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
		close(fd);
	}
	snprintf(listen_text, sizeof(listen_text), "127.0.0.1:%d", port);
}

static int setup(void)
{
	choose_port();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED || mkdtemp(folder) == NULL || port == 0)
		return 1;
	snprintf(local_path, sizeof(local_path), "%s/local.sock", folder);
	snprintf(log_path, sizeof(log_path), "%s/log", folder);
	return prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static int teardown(void)
{
	if (monitor > 0) {
		kill(monitor, SIGKILL);
		waitpid(monitor, NULL, 0);
	}
	unlink(log_path);
	unlink(local_path);
	return rmdir(folder);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "it starts and connects everybody", test_it_starts_and_connects_everybody },
		{ "each child has only what it needs", test_each_child_has_only_what_it_needs },
		{ "a dead edge is replaced and connected",
		  test_a_dead_edge_is_replaced_and_connected },
		{ "a dead authority is replaced and given to all",
		  test_a_dead_authority_is_replaced_and_given_to_all },
		{ "a child that dies again and again waits longer",
		  test_a_child_that_dies_again_and_again_waits_longer },
		{ "metrics outlive who counted them", test_metrics_outlive_who_counted_them },
		{ "a child that cannot start ends the node",
		  test_a_child_that_cannot_start_ends_the_node },
		{ "draining may take its time", test_draining_may_take_its_time },
		{ "what does not drain is killed", test_what_does_not_drain_is_killed },
		{ "nothing is replaced while draining", test_nothing_is_replaced_while_draining },
		{ "children do not outlive the monitor", test_children_do_not_outlive_the_monitor },
		{ "the terminal's signals are the monitor's",
		  test_the_terminals_signals_are_the_monitors },
		{ "a stale socket file is replaced", test_a_stale_socket_file_is_replaced },
		{ "another node's socket is left alone", test_another_nodes_socket_is_left_alone },
		{ "a file that is no socket is left alone",
		  test_a_file_that_is_no_socket_is_left_alone },
		{ "a port in use is told", test_a_port_in_use_is_told },
		{ "IPv6 listens too", test_ipv6_listens_too },
		{ "a new generation takes over", test_a_new_generation_takes_over },
		{ "a generation that cannot start is refused",
		  test_a_generation_that_cannot_start_is_refused },
		{ "a generation that does not get ready is refused",
		  test_a_generation_that_does_not_get_ready_is_refused },
		{ "a child that hangs is replaced", test_a_child_that_hangs_is_replaced },
		{ "it ends in the middle of a reload", test_it_ends_in_the_middle_of_a_reload },
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{ .pName = "monitor",
		  .pInitFunc = setup,
		  .pCleanupFunc = teardown,
		  .pTests = tests },
		CU_SUITE_INFO_NULL,
	};

	return run_suites(suites);
}
