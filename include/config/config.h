/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stipad.conf: one table (config/schema.c) has a row for each option: name, type, field, default,
 * range, help.  The reader, --check-config, --print-config and the test that stipad.conf(5) names
 * every option read it.  Secrets are file names, not values.  Forms are checked here, not whether
 * files exist: that is told by the process that opens them.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "config/reader.h"

struct config {
	/* where we listen, and as whom */
	struct config_list listen;	 /* "127.0.0.1:8443", "[::1]:8443" */
	struct config_list server_names; /* what Host may say */
	char *tls_certificate;		 /* PEM chain */
	char *tls_key;
	char *local_socket;			/* /livez and /readyz */
	struct config_list proxy_protocol_from; /* "192.0.2.0/24", "2001:db8::1" */
	long edges;				/* 0: one for each core */
	char *user_edge, *user_authority;	/* or NULL: as whom we are started */

	/* what we are */
	char *environment;	  /* production, staging, demo */
	char *database;		  /* conninfo of stipa_authority */
	char *signer_certificate; /* PEM chain; its name without .pem is the kid */
	char *signer_key;
	char *signer_passphrase; /* a file */
	char *state;		 /* folder of what the node must not forget */
	char *certificates;	 /* folder of the PEM chains served at x5u */
	char *crl_url;		 /* the "crl" of an answer */
	char *crl_url_download;	 /* the same, for deployed clients; or NULL */
	char *crl_issuer;	 /* the "iss" of an answer: DN of the CRL's issuer */
	char *base_url;		 /* the issuer of access tokens; or NULL: of server_names */

	/* limits */
	long connections_max, connections_per_address_max, requests_per_connection_max;
	long idle_timeout_ms, handshake_timeout_ms, head_timeout_ms, body_timeout_ms;
	long handler_timeout_ms, response_timeout_ms, connection_life_ms;
	long requests_per_address_s, requests_per_address_burst;   /* at an edge */
	long failures_per_address_min, failures_per_address_burst; /* at an edge */
	long orders_max;					   /* that wait in the authority */
	long requests_per_client_s, requests_per_client_burst;	   /* at this node */
	long failures_per_user_min, failures_per_user_burst;	   /* at this node */
	long password_cpu_percent;				   /* of a core */
	long drain_timeout_ms;
	long hang_timeout_ms; /* 0: never */

	char *log_level; /* debug, info, warning, error */
};

/* Read and check.  Every fault goes to @faults as "file:line: option: what and why"; NULL when
 * there was one.  Free with config_free(). */
struct config *config_load(const char *path, FILE *faults);
void config_free(struct config *config);

/* The table, up to a row with a NULL name. */
extern const struct config_option config_options[];

#endif
