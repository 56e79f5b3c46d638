#include "refusal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "kind.h"

void refusal_clear(struct refusal *r)
{
	json_decref(r->causes);
	r->causes = NULL;
}

static json_t *details_of(const struct refusal *r)
{
	json_t *details = json_object();

	if (r->name[0] != '\0')
		json_object_set_new(details, "name", json_string(r->name));
	if (r->group != NULL && r->group[0] != '\0')
		json_object_set_new(details, "group", json_string(r->group));
	if (r->kind != NULL)
		json_object_set_new(details, "kind", json_string(r->kind));
	if (r->causes != NULL)
		json_object_set(details, "causes", r->causes);
	if (r->retry_after_s > 0)
		json_object_set_new(details, "retryAfterSeconds", json_integer(r->retry_after_s));
	return details;
}

json_t *refusal_status(const struct refusal *r)
{
	json_t *status = json_pack("{s:s, s:s, s:{}, s:s, s:s}", "kind", "Status", "apiVersion",
				   "v1", "metadata", "status", "Failure", "message", r->message);
	CLEANUP(json_decrefp) json_t *details = details_of(r);

	if (r->reason[0] != '\0')
		json_object_set_new(status, "reason", json_string(r->reason));
	if (json_object_size(details) > 0 || r->empty_details)
		json_object_set(status, "details", details);
	json_object_set_new(status, "code", json_integer(r->code));
	return status;
}

static int fill(struct refusal *r, int code, const char *reason, const char *prefix,
		const char *format, va_list arguments) __attribute__((format(printf, 5, 0)));

static int fill(struct refusal *r, int code, const char *reason, const char *prefix,
		const char *format, va_list arguments)
{
	*r = (struct refusal) { .code = code, .reason = reason };
	int length = snprintf(r->message, sizeof(r->message), "%s", prefix);
	vsnprintf(r->message + length, sizeof(r->message) - (size_t)length, format, arguments);
	return -1;
}

static void fill_details(struct refusal *r, const struct kind *kind, const char *name, bool plural)
{
	r->kind = plural ? kind->plural : kind->kind;
	r->group = kind->group;
	snprintf(r->name, sizeof(r->name), "%s", name);
}

int refuse(struct refusal *r, int code, const char *reason, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fill(r, code, reason, "", format, arguments);
	va_end(arguments);
	return -1;
}

int refuse_bad_request(struct refusal *r, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fill(r, 400, "BadRequest", "", format, arguments);
	va_end(arguments);
	return -1;
}

int refuse_unserved(struct refusal *r, int code, const char *reason, const char *message)
{
	refuse(r, code, reason, "%s", message);
	r->empty_details = true;
	return -1;
}

int refuse_not_found(struct refusal *r, const struct kind *kind, const char *name)
{
	refuse(r, 404, "NotFound", "%s \"%s\" not found", kind->resource, name);
	fill_details(r, kind, name, true);
	return -1;
}

int refuse_exists(struct refusal *r, const struct kind *kind, const char *name)
{
	refuse(r, 409, "AlreadyExists", "%s \"%s\" already exists", kind->resource, name);
	fill_details(r, kind, name, true);
	return -1;
}

int refuse_conflict(struct refusal *r, const struct kind *kind, const char *name,
		    const char *format, ...)
{
	va_list arguments;
	char prefix[512];

	snprintf(prefix, sizeof(prefix),
		 "Operation cannot be fulfilled on %s \"%.253s\": ", kind->resource, name);
	va_start(arguments, format);
	fill(r, 409, "Conflict", prefix, format, arguments);
	va_end(arguments);
	fill_details(r, kind, name, true);
	return -1;
}

int refuse_precondition(struct refusal *r, const struct kind *kind, const char *name,
			const char *format, ...)
{
	va_list arguments;
	char prefix[512];

	snprintf(prefix, sizeof(prefix),
		 "Operation cannot be fulfilled on %s \"%.253s\": ", kind->kind_group, name);
	va_start(arguments, format);
	fill(r, 409, "Conflict", prefix, format, arguments);
	va_end(arguments);
	fill_details(r, kind, name, false);
	return -1;
}

int refuse_forbidden(struct refusal *r, const struct kind *kind, const char *name,
		     const char *format, ...)
{
	va_list arguments;
	char prefix[512];

	if (name[0] != '\0')
		snprintf(prefix, sizeof(prefix), "%s \"%.253s\" is forbidden: ", kind->resource,
			 name);
	else
		snprintf(prefix, sizeof(prefix), "%s is forbidden: ", kind->resource);
	va_start(arguments, format);
	fill(r, 403, "Forbidden", prefix, format, arguments);
	va_end(arguments);
	fill_details(r, kind, name, true);
	return -1;
}

void refuse_invalid_begin(struct refusal *r)
{
	*r = (struct refusal) { .code = 422, .reason = "Invalid" };
}

/* Returns the beginning of a message, by the type of the refusal (apimachinery,
 * field.ErrorType). */
static const char *invalid_words(const char *type)
{
	static const struct {
		const char *type, *words;
	} rows[] = {
		{ "FieldValueRequired", "Required value" },
		{ "FieldValueInvalid", "Invalid value" },
		{ "FieldValueForbidden", "Forbidden" },
		{ "FieldValueNotSupported", "Unsupported value" },
		{ "FieldValueTooLong", "Too long" },
		{ "FieldValueNotFound", "Not found" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].type, type) == 0)
			return rows[i].words;
	}
	return type;
}

static void add_cause(struct refusal *r, const char *type, const char *field, const char *format,
		      va_list arguments) __attribute__((format(printf, 4, 0)));

static void add_cause(struct refusal *r, const char *type, const char *field, const char *format,
		      va_list arguments)
{
	char detail[1024], message[1100];

	vsnprintf(detail, sizeof(detail), format, arguments);
	snprintf(message, sizeof(message), "%s%s%s", invalid_words(type),
		 detail[0] != '\0' ? ": " : "", detail);
	if (r->causes == NULL)
		r->causes = json_array();
	json_array_append_new(r->causes, json_pack("{s:s, s:s, s:s}", "reason", type, "message",
						   message, "field", field));
}

void refuse_invalid_field(struct refusal *r, const char *type, const char *field,
			  const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add_cause(r, type, field, format, arguments);
	va_end(arguments);
}

static const char *text(const json_t *cause, const char *member)
{
	return json_string_value(json_object_get(cause, member));
}

int refuse_invalid_end(struct refusal *r, const struct kind *kind, const char *name)
{
	size_t count = json_array_size(r->causes), i;
	size_t length;
	json_t *cause;

	if (count == 0)
		return 0;
	fill_details(r, kind, name, false);
	snprintf(r->message, sizeof(r->message), "%s \"%.253s\" is invalid: %s", kind->kind_group,
		 name, count > 1 ? "[" : "");
	json_array_foreach(r->causes, i, cause)
	{
		length = strlen(r->message);
		snprintf(r->message + length, sizeof(r->message) - length, "%s%s: %s",
			 i > 0 ? ", " : "", text(cause, "field"), text(cause, "message"));
	}
	length = strlen(r->message);
	if (count > 1)
		snprintf(r->message + length, sizeof(r->message) - length, "]");
	return -1;
}

int refuse_options(struct refusal *r, const char *kind, const char *type, const char *field,
		   const char *format, ...)
{
	va_list arguments;

	refuse_invalid_begin(r);
	va_start(arguments, format);
	add_cause(r, type, field, format, arguments);
	va_end(arguments);
	r->kind = kind;
	r->group = "meta.k8s.io";
	snprintf(r->message, sizeof(r->message), "%s.meta.k8s.io \"\" is invalid: %s: %s", kind,
		 field, text(json_array_get(r->causes, 0), "message"));
	return -1;
}

int refuse_terminating(struct refusal *r, const struct kind *kind, const char *name,
		       const char *namespace)
{
	refuse_forbidden(r, kind, name,
			 "unable to create new content in namespace %s because it is being "
			 "terminated",
			 namespace);
	CLEANUP(cleanup_free)
	char *message = mem_printf("namespace %s is being terminated", namespace);
	r->causes = json_pack("[{s:s, s:s, s:s}]", "reason", "NamespaceTerminating", "message",
			      message, "field", "metadata.namespace");
	return -1;
}
