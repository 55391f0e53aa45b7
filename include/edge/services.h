/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything a handler of the edge may use, made once at start and passed down.
 * There is one of these for each process, and no other global state.
 */
#ifndef EDGE_SERVICES_H
#define EDGE_SERVICES_H

struct address_limits;
struct certificate_store;
struct config;
struct ipc_channel;
struct log;
struct meter;
struct metrics;
struct oauth_server;
struct token_answer;

struct services {
	const struct config *config;
	const struct log *log;
	struct ipc_channel *authority;
	struct certificate_store *certificates; /* what x5u serves */
	struct address_limits *limits;
	struct oauth_server *oauth;	   /* its names and metadata */
	struct token_answer *token_answer; /* what is the same in each */
	const struct metrics *metrics;	   /* what /metrics prints */
	struct meter *meter;		   /* where this process counts; NULL: nowhere */
};

#endif
