/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "../suite.h"
#include "ipc/control.h"

static struct event_base *base;
static struct ipc_control *control;
static int monitor_fd;
static int peers[8];
static int n_peers;
static struct ipc_control_message last;
static int n_messages;
static const char *why_not;
static int ends;

static void on_message(void *arg, const struct ipc_control_message *message)
{
	CU_ASSERT_PTR_EQUAL(arg, &peers);
	if (message->kind == IPC_CONTROL_PEER)
		peers[n_peers++] = message->fd;
	last = *message;
	n_messages++;
}

static const char *is_ready(void *arg)
{
	(void)arg;
	return why_not;
}

static void on_end(void *arg)
{
	CU_ASSERT_PTR_EQUAL(arg, &peers);
	ends++;
}

static int open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static void turn(void)
{
	for (int i = 0; i < 5; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static void begin(void)
{
	int pair[2];

	n_peers = 0;
	ends = 0;
	socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
	monitor_fd = pair[0];
	control = ipc_control_new(base, pair[1], on_message, on_end, &peers);
}

static void end(void)
{
	ipc_control_free(control);
	if (monitor_fd >= 0)
		close(monitor_fd);
	for (int i = 0; i < n_peers; i++)
		close(peers[i]);
}

/* Hand over the reading end of a pipe; returns the writing one. */
static int send_pipe(void)
{
	struct error error = { 0 };
	int pipe_fds[2];

	CU_ASSERT_EQUAL_FATAL(pipe(pipe_fds), 0);
	CU_ASSERT_TRUE(ipc_control_send_peer(monitor_fd, pipe_fds[0], &error));
	CU_ASSERT_EQUAL(fcntl(pipe_fds[0], F_GETFD), -1);
	return pipe_fds[1];
}

static void test_peers_arrive_in_order_and_close_on_exec(void)
{
	int writer[3];
	char got;

	begin();
	for (int i = 0; i < 3; i++)
		writer[i] = send_pipe();
	turn();
	CU_ASSERT_EQUAL_FATAL(n_peers, 3);
	for (int i = 0; i < 3; i++) {
		char sent = (char)('a' + i);

		CU_ASSERT_EQUAL(write(writer[i], &sent, 1), 1);
		CU_ASSERT_EQUAL(read(peers[i], &got, 1), 1);
		CU_ASSERT_EQUAL(got, sent);
		CU_ASSERT_TRUE(fcntl(peers[i], F_GETFD) & FD_CLOEXEC);
		close(writer[i]);
	}
	CU_ASSERT_EQUAL(ends, 0);
	end();
}

static void test_end_of_file_is_told_once_after_what_was_sent(void)
{
	begin();
	close(send_pipe());
	close(monitor_fd);
	monitor_fd = -1;
	turn();
	CU_ASSERT_EQUAL(n_peers, 1);
	CU_ASSERT_EQUAL(ends, 1);
	end();
}

/* A message with @len bytes of @text and @n descriptors. */
static void send_raw(const char *text, size_t len, int n)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(4 * sizeof(int))];
	} buffer = { 0 };
	struct iovec iov = { (char *)text, len };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[4] = { 0, 0, 0, 0 };

	if (n > 0) {
		message.msg_control = buffer.bytes;
		message.msg_controllen = CMSG_SPACE((size_t)n * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((size_t)n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, (size_t)n * sizeof(int));
	}
	CU_ASSERT_EQUAL(sendmsg(monitor_fd, &message, MSG_NOSIGNAL), (ssize_t)len);
}

static const char long_text[1 + IPC_CONTROL_TEXT] = "N";

static void test_anything_else_is_an_end_and_leaks_nothing(void)
{
	static const struct {
		const char *name;
		const char *text;
		size_t len;
		int fds;
	} rows[] = {
		{ "no descriptor", "P", 1, 0 },
		{ "two descriptors", "P", 1, 2 },
		{ "four descriptors", "P", 1, 4 },
		{ "another message", "X", 1, 1 },
		{ "no byte", "", 0, 1 },
		{ "a descriptor too many", "B", 1, 1 },
		{ "a name without a socket", "S127.0.0.1:1", 12, 0 },
		{ "too long a text", long_text, sizeof(long_text), 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int before;

		begin();
		before = open_fds();
		send_raw(rows[i].text, rows[i].len, rows[i].fds);
		turn();
		if (ends != 1 || n_peers != 0 || open_fds() != before)
			printf("\n  %s: %d ends, %d peers", rows[i].name, ends, n_peers);
		CU_ASSERT_EQUAL(ends, 1);
		CU_ASSERT_EQUAL(n_peers, 0);
		CU_ASSERT_EQUAL(open_fds(), before);
		send_raw("P", 1, 1); /* too late */
		turn();
		CU_ASSERT_EQUAL(ends, 1);
		CU_ASSERT_EQUAL(n_peers, 0);
		end();
	}
}

static void test_a_child_that_does_not_read_holds_nobody_up(void)
{
	struct error error = { 0 };
	int pair[2], sent = 0;

	socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
	while (sent < 100000 && ipc_control_send_peer(pair[0], dup(0), &error))
		sent++;
	CU_ASSERT_TRUE(sent < 100000);
	CU_ASSERT_EQUAL(error.kind, ERROR_UNAVAILABLE);
	close(pair[0]);
	close(pair[1]);
}

static void test_a_dead_child_is_an_error_not_a_signal(void)
{
	struct error error = { 0 };
	int pair[2], before = open_fds();

	socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
	close(pair[1]);
	CU_ASSERT_FALSE(ipc_control_send_peer(pair[0], dup(0), &error));
	CU_ASSERT_EQUAL(error.kind, ERROR_UNAVAILABLE);
	close(pair[0]);
	CU_ASSERT_EQUAL(open_fds(), before);
}

static int kind_at_monitor(struct ipc_control_message *message)
{
	return ipc_control_receive(monitor_fd, message) == IPC_CONTROL_GOT ? (int)message->kind : 0;
}

static void test_a_child_says_how_it_is_at_once_and_again(void)
{
	struct ipc_control_message message;

	begin();
	why_not = "no\ndatabase";
	ipc_control_tell(control); /* nothing: it has not begun */
	CU_ASSERT_EQUAL(kind_at_monitor(&message), 0);
	CU_ASSERT_TRUE(ipc_control_beat(control, is_ready));
	CU_ASSERT_EQUAL(kind_at_monitor(&message), IPC_CONTROL_NOT_READY);
	CU_ASSERT_STRING_EQUAL(message.text, "no?database");
	CU_ASSERT_EQUAL(message.fd, -1);
	why_not = NULL;
	ipc_control_tell(control);
	CU_ASSERT_EQUAL(kind_at_monitor(&message), IPC_CONTROL_READY);
	CU_ASSERT_STRING_EQUAL(message.text, "");
	CU_ASSERT_EQUAL(kind_at_monitor(&message), 0);
	event_base_loop(base, EVLOOP_ONCE); /* a second passes */
	CU_ASSERT_EQUAL(kind_at_monitor(&message), IPC_CONTROL_READY);
	end();
}

static void test_one_that_is_told_to_end_is_still_heard(void)
{
	struct ipc_control_message message;
	struct error error = { 0 };

	begin();
	CU_ASSERT_TRUE(ipc_control_beat(control, is_ready));
	shutdown(monitor_fd, SHUT_WR);
	turn();
	CU_ASSERT_EQUAL(ends, 1);
	CU_ASSERT_EQUAL(kind_at_monitor(&message), IPC_CONTROL_READY);
	ipc_control_tell(control);
	CU_ASSERT_EQUAL(kind_at_monitor(&message), IPC_CONTROL_READY);
	CU_ASSERT_FALSE(ipc_control_send(monitor_fd, IPC_CONTROL_BEGIN, NULL, -1, &error));
	end();
}

static void test_what_a_dead_one_said_last_is_heard(void)
{
	struct error error = { 0 };

	begin();
	n_messages = 0;
	CU_ASSERT_TRUE(ipc_control_send(monitor_fd, IPC_CONTROL_NOT_READY, "one", -1, &error));
	CU_ASSERT_TRUE(ipc_control_send(monitor_fd, IPC_CONTROL_CANNOT, "two", -1, &error));
	CU_ASSERT_TRUE(ipc_control_say(control, IPC_CONTROL_BEGIN, NULL, -1, &error));
	close(monitor_fd); /* with that unread */
	monitor_fd = -1;
	ipc_control_hear_out(control);
	CU_ASSERT_EQUAL(n_messages, 2);
	CU_ASSERT_EQUAL(last.kind, IPC_CONTROL_CANNOT);
	CU_ASSERT_STRING_EQUAL(last.text, "two");
	CU_ASSERT_EQUAL(ends, 1);
	ipc_control_hear_out(control);
	turn();
	CU_ASSERT_EQUAL(ends, 1);
	end();
}

static void test_a_long_text_is_cut(void)
{
	char text[2 * IPC_CONTROL_TEXT];
	struct error error = { 0 };

	begin();
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	CU_ASSERT_TRUE(ipc_control_send(monitor_fd, IPC_CONTROL_CANNOT, text, -1, &error));
	turn();
	CU_ASSERT_EQUAL(strlen(last.text), IPC_CONTROL_TEXT - 1);
	CU_ASSERT_EQUAL(ends, 0);
	end();
}

static int setup(void)
{
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
		{ "peers arrive in order and close on exec",
		  test_peers_arrive_in_order_and_close_on_exec },
		{ "end of file is told once, after what was sent",
		  test_end_of_file_is_told_once_after_what_was_sent },
		{ "anything else is an end and leaks nothing",
		  test_anything_else_is_an_end_and_leaks_nothing },
		{ "a child that does not read holds nobody up",
		  test_a_child_that_does_not_read_holds_nobody_up },
		{ "a dead child is an error, not a signal",
		  test_a_dead_child_is_an_error_not_a_signal },
		{ "a child says how it is, at once and again",
		  test_a_child_says_how_it_is_at_once_and_again },
		{ "one that is told to end is still heard",
		  test_one_that_is_told_to_end_is_still_heard },
		{ "what a dead one said last is heard", test_what_a_dead_one_said_last_is_heard },
		{ "a long text is cut", test_a_long_text_is_cut },
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{ .pName = "control",
		  .pInitFunc = setup,
		  .pCleanupFunc = teardown,
		  .pTests = tests },
		CU_SUITE_INFO_NULL,
	};

	return run_suites(suites);
}
