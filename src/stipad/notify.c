/* SPDX-License-Identifier: Apache-2.0 */
#include "notify.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

/* An abstract name begins with a zero byte, and ends with the address. */
static bool parse(const char *name, struct sockaddr_un *address, socklen_t *address_len)
{
	size_t len = strlen(name);

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if ((name[0] != '/' && name[0] != '@') || name[1] == '\0' ||
	    len >= sizeof(address->sun_path))
		return false;
	memcpy(address->sun_path, name, len);
	*address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	if (name[0] == '@')
		address->sun_path[0] = '\0';
	else
		++*address_len;
	return true;
}

/* WATCHDOG_PID says whose the watchdog is. */
static int64_t watchdog_us(void)
{
	const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (us == NULL || (pid != NULL && atoll(pid) != getpid()))
		return 0;
	return atoll(us) > 0 ? atoll(us) : 0;
}

void notify_open(struct notify *notify)
{
	const char *name = getenv("NOTIFY_SOCKET");

	*notify = (struct notify){ .fd = -1, .watchdog_us = watchdog_us() };
	if (name != NULL && parse(name, &notify->to, &notify->to_len))
		notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void notify_close(struct notify *notify)
{
	if (notify->fd >= 0)
		close(notify->fd);
	notify->fd = -1;
}

/* A service manager that does not listen is no reason to wait. */
static void say(const struct notify *notify, const char *state, const char *status)
{
	char text[512];
	int len = snprintf(text, sizeof(text), "%s%s%s\n", state,
			   status == NULL ? "" : "STATUS=", status == NULL ? "" : status);

	if (notify->fd < 0)
		return;
	if ((size_t)len >= sizeof(text))
		len = sizeof(text) - 1;
	(void)!sendto(notify->fd, text, (size_t)len, MSG_NOSIGNAL,
		      (const struct sockaddr *)&notify->to, notify->to_len);
}

void notify_ready(const struct notify *notify, const char *status)
{
	say(notify, "READY=1\n", status);
}

void notify_reloading(const struct notify *notify, const char *status)
{
	char state[64];

	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld\n",
		 (long long)clock_running_us());
	say(notify, state, status);
}

void notify_stopping(const struct notify *notify, const char *status)
{
	say(notify, "STOPPING=1\n", status);
}

void notify_status(const struct notify *notify, const char *status)
{
	say(notify, "", status);
}

void notify_alive(const struct notify *notify)
{
	say(notify, "WATCHDOG=1", NULL);
}
