/* SPDX-License-Identifier: Apache-2.0 */
/* Rules for the values on the command line: each a param_check_fn.  The database has them too;
 * here the message names the option, and nothing is sent. */
#ifndef STIPACTL_CHECKS_H
#define STIPACTL_CHECKS_H

#include "base/error.h"

bool check_account(const char *text, struct error *error); /* sp-… */
bool check_alias(const char *text, struct error *error);
bool check_base_url(const char *text, struct error *error); /* https://HOST[:PORT] */
bool check_client(const char *text, struct error *error);
bool check_clients(const char *text, struct error *error); /* by comma */
bool check_crl_url(const char *text, struct error *error);
bool check_distance(const char *text, struct error *error); /* 90d */
bool check_environment_name(const char *text, struct error *error);
bool check_kid(const char *text, struct error *error);
bool check_number(const char *text, struct error *error); /* 1 and more */
bool check_reason(const char *text, struct error *error); /* says something, one line */
bool check_spc(const char *text, struct error *error);
bool check_time(const char *text, struct error *error);
bool check_time_ahead(const char *text, struct error *error); /* in the future */
bool check_time_back(const char *text, struct error *error);
bool check_user(const char *text, struct error *error); /* an API user */
bool check_uuid(const char *text, struct error *error);

#endif
