#include "events.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "controllers.h"
#include "write.h"

enum { LIFETIME_MS = 3600 * 1000, MESSAGE_MAX = 2048 };

/* Equal events get equal names. The caller frees. */
static char *event_name(const struct object *about, const char *reason, const char *message)
{
	uint64_t hash = 14695981039346656037U;
	CLEANUP(cleanup_free) char *text = mem_printf("%s %s %s", about->uid, reason, message);

	for (const char *at = text; *at != '\0'; at++)
		hash = (hash ^ (unsigned char)*at) * 1099511628211U;
	return mem_printf("%s.%016llx", about->name, (unsigned long long)hash);
}

struct event {
	const struct object *about;
	const char *type, *component, *reason;
};

static json_t *make_event(const struct event *e, const char *name, const char *message)
{
	const struct object *about = e->about;
	char now[TIME_LENGTH];

	sim_time(0, now);
	return json_pack("{s:{s:s, s:s}, s:{s:s, s:s, s:s, s:s, s:s}, s:s, s:s, s:s, s:{s:s}, s:s, "
			 "s:s, s:i, "
			 "s:s}",
			 "metadata", "name", name, "namespace", about->namespace, "involvedObject",
			 "apiVersion", about->kind->api_version, "kind", about->kind->kind,
			 "namespace", about->namespace, "name", about->name, "uid", about->uid,
			 "type", e->type, "reason", e->reason, "message", message, "source",
			 "component", e->component, "firstTimestamp", now, "lastTimestamp", now,
			 "count", 1, "reportingComponent", e->component);
}

static void count_again(struct sim *sim, struct object *event)
{
	CLEANUP(json_decrefp) json_t *json = object_json(event);
	char now[TIME_LENGTH];

	json_object_set_new(json, "lastTimestamp", json_string(sim_time(0, now)));
	json_object_set_new(json, "count", json_integer(json_path_number(json, "count", 0) + 1));
	write_status(sim, event, json);
}

static void report(struct sim *sim, const struct event *e, const char *format, va_list arguments)
	__attribute__((format(printf, 3, 0)));

static void report(struct sim *sim, const struct event *e, const char *format, va_list arguments)
{
	char message[MESSAGE_MAX];
	struct change c = { .user = users_system(sim->users), .verb = "create", .subresource = "" };
	struct object *object;
	struct refusal r;

	vsnprintf(message, sizeof(message), format, arguments);
	CLEANUP(cleanup_free) char *name = event_name(e->about, e->reason, message);
	object = store_get(sim->store, KIND_EVENT, e->about->namespace, name);
	if (object != NULL) {
		count_again(sim, object);
		return;
	}
	CLEANUP(json_decrefp) json_t *json = make_event(e, name, message);
	if (write_create(sim, kind_get(KIND_EVENT), json, &c, &object, &r) < 0)
		refusal_clear(&r);
	else
		queue_add(sim->queue, CONTROLLER_EVENT, object->namespace, object->name,
			  LIFETIME_MS);
}

void event_warn(struct sim *sim, const struct object *about, const char *component,
		const char *reason, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report(sim, &(struct event) { about, "Warning", component, reason }, format, arguments);
	va_end(arguments);
}

void event_note(struct sim *sim, const struct object *about, const char *component,
		const char *reason, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report(sim, &(struct event) { about, "Normal", component, reason }, format, arguments);
	va_end(arguments);
}

void event_expire(struct sim *sim, const char *namespace, const char *name)
{
	struct object *event = store_get(sim->store, KIND_EVENT, namespace, name);

	if (event != NULL)
		store_remove(sim->store, event);
}
