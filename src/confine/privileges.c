/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* setresuid */
#include "confine/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sanitizer.h"

static bool failed(const char *what, struct error *error)
{
	return error_set(error, ERROR_INTERNAL, "%s: %s", what, strerror(errno));
}

/* ---- own capabilities ---- */

static bool may_become_others(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct own[_LINUX_CAPABILITY_U32S_3] = { 0 };
	const unsigned int wanted = 1U << CAP_SETUID | 1U << CAP_SETGID;

	return syscall(SYS_capget, &head, own) == 0 && (own[0].effective & wanted) == wanted;
}

static bool empty_own_sets(struct error *error)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
		return failed("PR_CAP_AMBIENT", error);
	return syscall(SYS_capset, &head, none) == 0 || failed("capset", error);
}

/* ---- capabilities of programs ---- */

/* Those that a program could bring.  Who has no CAP_SETPCAP cannot lower this bound, and needs not:
 * with no new privileges, no program brings any. */
static bool empty_bounding_set(struct error *error)
{
	for (unsigned long capability = 0; capability <= 63; capability++)
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EINVAL &&
		    errno != EPERM)
			return failed("PR_CAPBSET_DROP", error);
	return true;
}

/* ---- the user ---- */

/* Not the old one, in whatever way. */
static bool is_for_good(const struct passwd *user, uid_t before, struct error *error)
{
	uid_t real, effective, saved;

	if (getresuid(&real, &effective, &saved) != 0 || real != user->pw_uid ||
	    effective != user->pw_uid || saved != user->pw_uid ||
	    (before != user->pw_uid && setresuid(before, before, before) == 0))
		return error_set(error, ERROR_INTERNAL, "user %s: not for good", user->pw_name);
	return true;
}

static bool become(const struct passwd *user, struct error *error)
{
	uid_t before = getuid();

	if (before == user->pw_uid && geteuid() == before)
		return true;
	if (!may_become_others())
		return error_set(
			error, ERROR_INVALID,
			"user %s: only who has CAP_SETUID and CAP_SETGID, as root has, becomes "
			"another user, and we are %u",
			user->pw_name, (unsigned int)geteuid());
	if (!empty_bounding_set(error)) /* while we may */
		return false;
	if (setgroups(0, NULL) != 0)
		return failed("setgroups", error);
	if (setresgid(user->pw_gid, user->pw_gid, user->pw_gid) != 0)
		return failed("setresgid", error);
	if (setresuid(user->pw_uid, user->pw_uid, user->pw_uid) != 0)
		return failed("setresuid", error);
	if (setenv("HOME", user->pw_dir, 1) != 0) /* where libpq looks for files of its own */
		return failed("HOME", error);
	/* root's go with its user id, those of anybody else do not */
	return empty_own_sets(error) && is_for_good(user, before, error);
}

bool privileges_become(const char *user, struct error *error)
{
	const struct passwd *entry;

	errno = 0;
	entry = getpwnam(user);
	if (entry == NULL)
		return error_set(error, ERROR_INVALID, "user %s: %s", user,
				 errno == 0 ? "there is none" : strerror(errno));
	if (entry->pw_uid == 0 || entry->pw_gid == 0)
		return error_set(error, ERROR_INVALID, "user %s: is root, or of its group", user);
	return become(entry, error);
}

/* ---- privileges ---- */

bool privileges_none_new(struct error *error)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 || failed("PR_SET_NO_NEW_PRIVS", error);
}

bool privileges_drop(struct error *error)
{
	return privileges_none_new(error) && empty_bounding_set(error) && empty_own_sets(error);
}

/* ---- limits ---- */

static bool limit(int resource, const char *name, rlim_t most, struct error *error)
{
	struct rlimit now;

	if (getrlimit((__rlimit_resource_t)resource, &now) != 0)
		return failed(name, error);
	if (now.rlim_max > most)
		now.rlim_max = most;
	now.rlim_cur = now.rlim_max;
	return setrlimit((__rlimit_resource_t)resource, &now) == 0 || failed(name, error);
}

bool privileges_no_dumps(struct error *error)
{
	if (!limit(RLIMIT_CORE, "RLIMIT_CORE", 0, error))
		return false;
#if !HAS_ADDRESS_SANITIZER /* whose leak check traces the process */
	/* where cores go to a program, the limit does not hold */
	if (prctl(PR_SET_DUMPABLE, 0) != 0)
		return failed("PR_SET_DUMPABLE", error);
#endif
	return true;
}

bool privileges_limit_descriptors(unsigned int most, struct error *error)
{
	return limit(RLIMIT_NOFILE, "RLIMIT_NOFILE", most, error);
}

bool privileges_limit_processes(struct error *error)
{
#if HAS_ADDRESS_SANITIZER /* whose leak check is a process of its own */
	(void)error;
	return true;
#else
	return limit(RLIMIT_NPROC, "RLIMIT_NPROC", 0, error);
#endif
}
