/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "config/config.h"

#include <stddef.h>
#include <stdlib.h>

#define TEXT(member) .name = #member, .type = CONFIG_TEXT, .offset = offsetof(struct config, member)
#define LIST(member) .name = #member, .type = CONFIG_LIST, .offset = offsetof(struct config, member)
#define NUMBER(member, from, to)                                                                   \
	.name = #member, .type = CONFIG_NUMBER, .offset = offsetof(struct config, member),         \
	.min = (from), .max = (to)
#define REQUIRED .required = true

const struct config_option config_options[] = {
	/* where we listen, and as whom */
	{ LIST(listen), REQUIRED, .check = check_listen,
	  .help = "addresses with port on which HTTPS is served" },
	{ LIST(server_names), REQUIRED, .check = check_host,
	  .help = "names and addresses that Host may say, without port" },
	{ TEXT(tls_certificate), REQUIRED, .check = check_path,
	  .help = "PEM file: the chain of the HTTPS server, its own certificate first" },
	{ TEXT(tls_key), REQUIRED, .check = check_path,
	  .help = "PEM file: the key of the HTTPS server" },
	{ TEXT(local_socket), .fallback = "/run/stipa/local.sock", .check = check_socket,
	  .help = "unix socket on which /livez, /readyz and /metrics are served" },
	{ LIST(proxy_protocol_from), .check = check_cidr,
	  .help = "blocks of addresses of proxies, which have to send PROXY protocol version 2; "
		  "unset: none" },
	{ TEXT(user_edge), .check = check_unix_user,
	  .help = "user that the edges become, when root starts us; unset: who starts us" },
	{ TEXT(user_authority), .check = check_unix_user,
	  .help = "user that the authority becomes, when root starts us; unset: who starts us" },
	{ NUMBER(edges, 0, 64), .fallback = "0", .help = "edge processes; 0: one for each core" },

	/* what we are */
	{ TEXT(environment), REQUIRED, .check = check_environment,
	  .help = "production, staging or demo" },
	{ TEXT(database), REQUIRED, .check = check_conninfo,
	  .help = "conninfo of stipa_authority: with a socket folder or hostaddr" },
	{ TEXT(signer_certificate), REQUIRED, .check = check_pem,
	  .help = "PEM file <kid>.pem: the chain of the token signer, its own certificate first" },
	{ TEXT(signer_key), REQUIRED, .check = check_path,
	  .help = "PEM file, encrypted: the key of the token signer" },
	{ TEXT(signer_passphrase), REQUIRED, .check = check_path,
	  .help = "file that holds the passphrase of signer_key" },
	{ TEXT(state), .fallback = "/var/lib/stipa", .check = check_path,
	  .help = "folder for what this node must not forget though the database might; its own" },
	{ TEXT(certificates), REQUIRED, .check = check_path,
	  .help = "folder of the PEM chains that are served at x5u" },
	{ TEXT(crl_url), REQUIRED, .check = check_https,
	  .help = "the crl of an answer: where the CRL of STI certificates is" },
	{ TEXT(crl_url_download), .check = check_https,
	  .help = "the crl of an answer below /api/v1; unset: crl_url" },
	{ TEXT(crl_issuer), REQUIRED, .check = check_text,
	  .help = "the iss of an answer: the DN of that CRL's issuer, in DER order" },
	{ TEXT(base_url), .check = check_origin,
	  .help = "https://name[:port], where clients reach this service: the issuer of access "
		  "tokens; unset: https:// and the first of server_names" },

	/* limits */
	{ NUMBER(connections_max, 1, 1000000), .fallback = "20000",
	  .help = "connections of an edge" },
	{ NUMBER(connections_per_address_max, 0, 1000000), .fallback = "256",
	  .help = "connections of an edge from one address (IPv6: /56); 0: no limit" },
	{ NUMBER(requests_per_connection_max, 1, 1000000), .fallback = "1000",
	  .help = "requests of one connection" },
	{ NUMBER(idle_timeout_ms, 100, 3600000), .fallback = "120000",
	  .help = "between requests; 10 s at most when over half full" },
	{ NUMBER(handshake_timeout_ms, 100, 600000), .fallback = "5000", .help = "TLS handshake" },
	{ NUMBER(head_timeout_ms, 100, 600000), .fallback = "5000",
	  .help = "from the first byte of a request to the end of its head" },
	{ NUMBER(body_timeout_ms, 100, 600000), .fallback = "5000", .help = "body of a request" },
	{ NUMBER(handler_timeout_ms, 100, 600000), .fallback = "5000",
	  .help = "from request to answer" },
	{ NUMBER(response_timeout_ms, 100, 600000), .fallback = "10000",
	  .help = "until the client has taken the answer" },
	{ NUMBER(connection_life_ms, 1000, 86400000), .fallback = "600000",
	  .help = "life of a connection" },
	{ NUMBER(requests_per_address_s, 0, 1000000), .fallback = "200",
	  .help = "requests a second of one address (IPv6: /56) at an edge; 0: no limit" },
	{ NUMBER(requests_per_address_burst, 1, 1000000), .fallback = "400",
	  .help = "requests that one address may have spare for a moment" },
	{ NUMBER(failures_per_address_min, 0, 1000000), .fallback = "10",
	  .help = "wrong credentials a minute of one address at an edge; 0: no limit" },
	{ NUMBER(failures_per_address_burst, 1, 1000000), .fallback = "20",
	  .help = "wrong credentials that one address may have spare" },
	{ NUMBER(orders_max, 1, 1000000), .fallback = "4096",
	  .help = "orders that wait in the authority; one more is told 503" },
	{ NUMBER(requests_per_client_s, 0, 1000000), .fallback = "100",
	  .help = "of one client at this node; one more is told 429; 0: no limit" },
	{ NUMBER(requests_per_client_burst, 1, 1000000), .fallback = "200",
	  .help = "that a client who has been silent may make at once" },
	{ NUMBER(failures_per_user_min, 0, 1000000), .fallback = "10",
	  .help = "wrong chosen passwords a minute of one user name at this node; 0: no limit" },
	{ NUMBER(failures_per_user_burst, 1, 1000000), .fallback = "20",
	  .help = "wrong chosen passwords that one user name may have spare" },
	{ NUMBER(password_cpu_percent, 1, 100), .fallback = "25",
	  .help = "of one core, to verify chosen passwords" },
	{ NUMBER(drain_timeout_ms, 0, 600000), .fallback = "30000",
	  .help = "at the end: how long requests under way may take" },
	{ NUMBER(hang_timeout_ms, 0, 600000), .fallback = "10000",
	  .help = "a process that is silent for so long is replaced; 0: never" },

	{ TEXT(log_level), .fallback = "info", .check = check_log_level,
	  .help = "least level that is logged: debug, info, warning or error" },
	{ .name = NULL },
};

struct config *config_load(const char *path, FILE *faults)
{
	struct config *config = calloc(1, sizeof(*config));

	if (config == NULL)
		abort();
	if (config_read(config_options, path, config, faults))
		return config;
	config_free(config);
	return NULL;
}

void config_free(struct config *config)
{
	if (config == NULL)
		return;
	config_clear(config_options, config);
	free(config);
}
