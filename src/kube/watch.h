#ifndef FSA_KUBE_WATCH_H
#define FSA_KUBE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "kube/client.h"

/*
 * A watch: a streamed response with a line for each existing object of a type, and then for each
 * change. Only names and versions are read from it: after a change, the caller reads the object
 * again. The bytes, the lines, their length and the time of a watch are bounded. A watch is never
 * resumed: a new one lists every existing object, and the versions show what has changed meanwhile.
 * Source: the Kubernetes API concepts page, "Efficient detection of changes".
 */
enum {
	KUBE_WATCH_LINE_MAX = 65536, /* an object's metadata */
	KUBE_WATCH_LINES_MAX = 4096,
	KUBE_WATCH_BYTES_MAX = 4 << 20,
};

struct kube_watch;

/* Called from kube_client_poll(); kube_watch_close() must not be called from there. */
struct kube_watch_events {
	/* It is open: changes will be reported. */
	void (*opened)(void *user);
	/* That version of an object is there, or was until now. Borrowed. */
	void (*changed)(void *user, const char *name, const char *version);
	/* Nothing more will come; it is still to be closed. `err` NULL: its time was over. */
	void (*ended)(void *user, const struct err *err);
};

/* Watches the objects of a type in the target's namespace that have a label. `target` and `events`
 * must outlive it. */
struct kube_watch *kube_watch_open(struct kube_client *client, struct kube_target *target,
				   enum kube_resource resource, const char *label,
				   uint64_t duration_ms, const struct kube_watch_events *events,
				   void *user);
void kube_watch_close(struct kube_watch *w); /* before the client is freed; NULL is fine */

#endif
