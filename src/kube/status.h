#ifndef FSA_KUBE_STATUS_H
#define FSA_KUBE_STATUS_H

#include <stddef.h>

#include <jansson.h>

#include "base/err.h"

/*
 * What an API server's refusal means: HTTP status, Status.reason and Status.message to an error
 * kind and code, by one table (first match wins). Pure. Sources: the Kubernetes API conventions
 * ("Response Status Kind"); the messages of quota, LimitRange, Pod Security and webhook admission
 * as current API servers send them; Sealos' webhooks for the 40xxx numbers.
 */
struct kube_refusal {
	long http_status;
	const json_t *body;     /* NULL: not JSON, then: */
	const char *text;       /* the body as it came */
	unsigned retry_after_s; /* of the header; 0: not said */
	const char *secret;     /* what a message must never repeat, or NULL */
};

/* Fills `e` and returns -1. The server's text is hostile: it is cut, and control characters become
 * blanks. */
int kube_status_error(const struct kube_refusal *refusal, struct err *e);

/* A server's text, prepared for a message: one line, cut, and omitted if it contains `secret`. */
enum { KUBE_TEXT_MAX = 320 };
void kube_status_text(const char *text, const char *secret, char ret_text[KUBE_TEXT_MAX]);

#endif
