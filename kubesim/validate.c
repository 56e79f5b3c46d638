#include "validate.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "checks.h"
#include "crypto/token.h"
#include "names.h"
#include "object.h"

enum { SECRET_TEXT_MAX = 2 << 20, ANNOTATIONS_MAX = 256 * 1024 };

/* ---- metadata -------------------------------------------------------------------------------- */

static enum name_form name_form_of(enum kind_id kind)
{
	switch (kind) {
	case KIND_SERVICE:
	case KIND_STATEFULSET:
	case KIND_NAMESPACE:
		return NAME_LABEL;
	case KIND_ROLE:
	case KIND_ROLE_BINDING:
		return NAME_PATH_SEGMENT;
	default:
		return NAME_SUBDOMAIN;
	}
}

static void check_labels(const json_t *labels, const char *field, struct refusal *r)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)labels, key, value)
	{
		const char *text = json_is_string(value) ? json_string_value(value) : "";
		const char *fault = name_check(NAME_QUALIFIED, key);
		if (fault != NULL)
			refuse_invalid_field(r, INVALID, field, "\"%.300s\": %s", key, fault);
		fault = name_check(NAME_LABEL_VALUE, text);
		if (fault != NULL)
			refuse_invalid_field(r, INVALID, field, "\"%.300s\": %s", text, fault);
	}
}

static void check_annotations(const json_t *annotations, struct refusal *r)
{
	const char *key;
	json_t *value;
	size_t size = 0;

	json_object_foreach((json_t *)(uintptr_t)annotations, key, value)
	{
		size += strlen(key) + json_string_length(value);
	}
	if (size > ANNOTATIONS_MAX)
		refuse_invalid_field(r, "FieldValueTooLong", "metadata.annotations",
				     "may not be more than %d bytes", ANNOTATIONS_MAX);
}

static void check_metadata(const struct kind *kind, const json_t *object, struct refusal *r)
{
	const char *name = json_path_text(object, "metadata.name");
	const char *fault;

	if (name[0] == '\0') {
		refuse_invalid_field(r, REQUIRED, "metadata.name",
				     "name or generateName is required");
		return;
	}
	fault = name_check(name_form_of(kind->id), name);
	if (fault != NULL)
		refuse_invalid_field(r, INVALID, "metadata.name", "\"%.300s\": %s", name, fault);
	check_labels(json_path(object, "metadata.labels"), "metadata.labels", r);
	check_annotations(json_path(object, "metadata.annotations"), r);
}

void check_choice(const json_t *object, const char *path, const char *const *choices,
		  struct refusal *r)
{
	const char *value = json_path_text(object, path);
	char list[256] = "";

	for (const char *const *choice = choices; *choice != NULL; choice++) {
		if (strcmp(value, *choice) == 0)
			return;
		size_t length = strlen(list);
		snprintf(list + length, sizeof(list) - length, "%s\"%s\"", length > 0 ? ", " : "",
			 *choice);
	}
	refuse_invalid_field(r, UNKNOWN, path, "\"%.100s\": supported values: %s", value, list);
}

/* ---- all ------------------------------------------------------------------------------------- */

static check_fn *const checks[KIND_COUNT] = {
	[KIND_STATEFULSET] = check_stateful_set,
	[KIND_POD] = check_pod,
	[KIND_SERVICE] = check_service,
	[KIND_INGRESS] = check_ingress,
	[KIND_NETWORK_POLICY] = check_network_policy,
	[KIND_SECRET] = check_secret,
	[KIND_CLAIM] = check_claim,
	[KIND_ROLE_BINDING] = check_role_binding,
	[KIND_CLUSTER] = check_cluster,
	[KIND_CLUSTER_0_9] = check_cluster,
	[KIND_CLUSTER_1_0] = check_cluster,
};

int validate(const struct kind *kind, const json_t *before, const json_t *after, struct refusal *r)
{
	struct refusal found;

	refuse_invalid_begin(&found);
	check_metadata(kind, after, &found);
	if (checks[kind->id] != NULL)
		checks[kind->id](before, after, &found);
	if (refuse_invalid_end(&found, kind, json_path_text(after, "metadata.name")) == 0)
		return 0;
	*r = found;
	return -1;
}

int validate_decoding(const struct kind *kind, const json_t *object, struct refusal *r)
{
	const char *key;
	json_t *value;

	if (kind->id != KIND_SECRET)
		return 0;
	json_object_foreach(json_object_get(object, "data"), key, value)
	{
		CLEANUP(buf_release) struct buf data = BUF_INIT(SECRET_TEXT_MAX);
		const char *text = json_is_string(value) ? json_string_value(value) : "";
		if (!base64_decode(BASE64_STANDARD, text, strlen(text), &data))
			return refuse_bad_request(r,
						  "Secret in version \"v1\" cannot be handled as a "
						  "Secret: illegal base64 data at input byte %zu",
						  strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefgh"
							       "ijklmnopqrstuvwxyz0123456789+/"));
	}
	return 0;
}
