/* SPDX-License-Identifier: Apache-2.0 */
/* What WWW-Authenticate says. */
#ifndef EDGE_CHALLENGE_H
#define EDGE_CHALLENGE_H

#define CHALLENGE_BASIC	 "Basic realm=\"sti-pa\", charset=\"UTF-8\""
#define CHALLENGE_BEARER "Bearer realm=\"sti-pa\""

#define CHALLENGE_INVALID_TOKEN CHALLENGE_BEARER ", error=\"invalid_token\""
#define CHALLENGE_SCOPE(scope)                                                                     \
	CHALLENGE_BEARER ", error=\"insufficient_scope\", scope=\"" scope "\""

#endif
