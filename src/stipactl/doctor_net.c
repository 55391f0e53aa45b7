/* SPDX-License-Identifier: Apache-2.0 */
/* What the node answers: is it ready, and is what verifiers fetch what it signs under? */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "fetch.h"

void doctor_ready(struct doctor *doctor)
{
	fetched_auto answer = { 0 };
	struct error error = { 0 };
	bool answered = fetch_local(doctor->config->local_socket, "/readyz", &answer, &error);

	doctor->node_pid = answer.pid;
	if (!answered)
		doctor_find(doctor, FOUND_FAILED, "start stipad; its log says why it does not run",
			    "%s", error.detail);
	else if (answer.status != 200)
		doctor_find(doctor, FOUND_FAILED, "see 'issuing' here, and the log of stipad",
			    "%.*s", (int)strcspn(answer.body, "\r\n"), answer.body);
	else
		doctor_find(doctor, FOUND_OK, "", "is ready");
}

/* The whole file, with a NUL behind it; the caller frees it. */
static char *file_read(const char *path, size_t *len)
{
	char *bytes = malloc(FETCH_MAX + 1);
	FILE *file = fopen(path, "re");

	*len = bytes != NULL && file != NULL ? fread(bytes, 1, FETCH_MAX, file) : 0;
	if (file != NULL)
		fclose(file);
	if (bytes != NULL)
		bytes[*len] = '\0';
	return bytes;
}

void doctor_x5u(struct doctor *doctor)
{
	fetched_auto answer = { 0 };
	struct error error = { 0 };
	size_t len;
	char *file;

	if (doctor->x5u[0] == '\0')
		return;
	if (!fetch_https(doctor->x5u, doctor->tls_ca, &answer, &error)) {
		doctor_find(doctor, FOUND_FAILED, "verifiers fetch this: see to address and TLS",
			    "%s: %s", doctor->x5u, error.detail);
		return;
	}
	file = file_read(doctor->config->signer_certificate, &len);
	if (answer.status != 200)
		doctor_find(doctor, FOUND_FAILED, "verifiers fetch this: serve the certificate",
			    "%s answers %d", doctor->x5u, answer.status);
	else if (file == NULL || len != answer.len || memcmp(file, answer.body, len) != 0)
		doctor_find(doctor, FOUND_FAILED,
			    "restart the node, or put the registered certificate there",
			    "%s is not %s", doctor->x5u, doctor->config->signer_certificate);
	else
		doctor_find(doctor, FOUND_OK, "", "%s is what the node signs under", doctor->x5u);
	free(file);
}
