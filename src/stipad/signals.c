/* SPDX-License-Identifier: Apache-2.0 */
#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <event2/event.h>

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	const struct signals *signals = arg;
	struct signalfd_siginfo info;

	(void)what;
	while (read(fd, &info, sizeof(info)) == sizeof(info))
		signals->on_signal(signals->arg, info.ssi_signo);
}

bool signals_open(struct signals *signals, struct event_base *base,
		  void (*on_signal)(void *arg, uint32_t signal_number), void *arg,
		  struct error *error)
{
	static const int heeded[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(heeded) / sizeof(heeded[0]); i++)
		sigaddset(&set, heeded[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	*signals = (struct signals){ .on_signal = on_signal, .arg = arg };
	signals->fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (signals->fd < 0)
		return error_set(error, ERROR_UNAVAILABLE, "signalfd: %s", strerror(errno));
	signals->readable =
		event_new(base, signals->fd, EV_READ | EV_PERSIST, on_readable, signals);
	if (signals->readable == NULL || event_add(signals->readable, NULL) != 0)
		return error_set(error, ERROR_UNAVAILABLE, "out of memory");
	return true;
}

void signals_close(struct signals *signals)
{
	if (signals->readable != NULL)
		event_free(signals->readable);
	if (signals->fd >= 0)
		close(signals->fd);
	*signals = (struct signals){ .fd = -1 };
}
