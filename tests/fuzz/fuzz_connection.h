/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world of the connection state machine without a kernel: time that stands until it is turned,
 * events that fire when they are told to, and wires of which both ends are here.  Each takes the
 * place of what it is named after by linking: base/clock.h, libevent, accept4() and stream.h.
 */
#ifndef TESTS_FUZZ_CONNECTION_H
#define TESTS_FUZZ_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void want(bool held);

/* ---- time and events ---- */

extern int64_t world_ms;

void events_reset(void);
void events_fire(int fd, short what); /* the event of this descriptor */
void events_turn(void);		      /* what has been made active, until there is none */
void events_pass(int64_t ms);	      /* time, and every timer in it by its order */
bool events_are_gone(void);	      /* nobody waits for anything */

/* ---- wires ---- */

#define WIRES	  6
#define WIRE_FD	  100000 /* of the first; no descriptor of the process */
#define LISTEN_FD 99999
#define OUT_MAX	  8192

enum wire_state { WIRE_NONE, WIRE_KNOCKS, WIRE_OPEN, WIRE_CLOSED };

struct wire {
	enum wire_state state;
	bool from_proxy;
	const uint8_t *in; /* what the client has sent and nobody has read */
	size_t in_len;
	bool left;	/* the client has closed its end */
	size_t room;	/* what the client takes of an answer */
	int handshakes; /* steps that are still missing; below 0: it fails */
	bool shut;
	int64_t opened_ms;
	uint64_t read_total; /* of requests: without a proxy's header and what is thrown away */
	uint64_t taken;	     /* of it by requests that a handler has seen */
	char out[OUT_MAX];   /* the beginning of what was answered and not yet looked at */
	size_t out_len;
	uint64_t out_total;
};
extern struct wire wires[WIRES];

void wires_reset(void);

/* At most so many answers, and of the numbers that handlers gave theirs each once, upwards. */
void check_answers(const struct wire *wire, unsigned int answers_max, unsigned int newest);

#endif
