#ifndef KUBESIM_COUNTERS_H
#define KUBESIM_COUNTERS_H

#include <jansson.h>

/*
 * Counts requests by verb, resource and code, and logs the writes that changed something, which
 * shows whether anything was created twice. The log keeps the newest hundred thousand.
 */
struct counters;

struct write {
	const char *user, *verb, *resource, *namespace, *name, *uid;
	unsigned long long version;
	const char *effect; /* created, changed, deleted */
};

struct counters *counters_new(void);
void counters_free(struct counters *c);
void counters_reset(struct counters *c);

/* `code` 0: the connection was ended without an answer. */
void counters_request(struct counters *c, const char *verb, const char *resource, int code);
void counters_write(struct counters *c, const struct write *w);

/* {"requests": total, "by": {"list pods 200": n}}. The caller json_decref()s. */
json_t *counters_json(const struct counters *c);
/* {"next": n, "writes": […]}: those from number `since` on. */
json_t *counters_writes(const struct counters *c, unsigned long long since);

#endif
