/* SPDX-License-Identifier: Apache-2.0 */
/* The forms that values of stipad.conf have.  An error says what was wanted; it does not repeat
 * the value where that might be a secret. */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

#include "base/error.h"

bool check_listen(const char *value, struct error *error);    /* 127.0.0.1:8443, [::1]:8443 */
bool check_host(const char *value, struct error *error);      /* what Host may say, without port */
bool check_cidr(const char *value, struct error *error);      /* 192.0.2.0/24, 2001:db8::1 */
bool check_path(const char *value, struct error *error);      /* absolute */
bool check_socket(const char *value, struct error *error);    /* absolute, and fits sun_path */
bool check_pem(const char *value, struct error *error);	      /* …/<kid>.pem */
bool check_https(const char *value, struct error *error);     /* no query, fragment, user */
bool check_origin(const char *value, struct error *error);    /* https, host, port: no path */
bool check_unix_user(const char *value, struct error *error); /* a name, not a number, not root */
bool check_text(const char *value, struct error *error);      /* not empty */
bool check_environment(const char *value, struct error *error);
bool check_log_level(const char *value, struct error *error);

/* A conninfo for which libpq needs no resolver and that holds no secret: a socket folder or
 * hostaddr; no host name, service or password. */
bool check_conninfo(const char *value, struct error *error);

#endif
