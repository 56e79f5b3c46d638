/* The hash of a row's objects, computed from their inputs; see manifest.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "manifest/manifest.h"
#include "manifest/object.h"
#include "base/quantity.h"

struct field {
	size_t offset; /* of a string */
	bool quantity; /* compared by value */
};

#define STRING_FIELD(type, member)                                                                 \
	{                                                                                          \
		offsetof(struct type, member), false                                               \
	}
#define AMOUNT_FIELD(type, member)                                                                 \
	{                                                                                          \
		offsetof(struct type, member), true                                                \
	}
#define RESOURCE_FIELDS(type)                                                                      \
	AMOUNT_FIELD(type, resources.cpu_request), AMOUNT_FIELD(type, resources.cpu_limit),        \
		AMOUNT_FIELD(type, resources.memory_request),                                      \
		AMOUNT_FIELD(type, resources.memory_limit),                                        \
		AMOUNT_FIELD(type, resources.storage_limit)

static const struct field sandbox_fields[] = {
	STRING_FIELD(manifest_sandbox, resource_id),
	STRING_FIELD(manifest_sandbox, name),
	STRING_FIELD(manifest_sandbox, project_name),
	STRING_FIELD(manifest_sandbox, database_name),
	STRING_FIELD(manifest_sandbox, namespace),
	STRING_FIELD(manifest_sandbox, image),
	STRING_FIELD(manifest_sandbox, tools_image),
	STRING_FIELD(manifest_sandbox, run_as),
	STRING_FIELD(manifest_sandbox, app_host),
	STRING_FIELD(manifest_sandbox, ttyd_host),
	STRING_FIELD(manifest_sandbox, ingress_class),
	STRING_FIELD(manifest_sandbox, storage_class),
	AMOUNT_FIELD(manifest_sandbox, home_size),
	STRING_FIELD(manifest_sandbox, restarted),
	RESOURCE_FIELDS(manifest_sandbox),
};

static const struct field database_fields[] = {
	STRING_FIELD(manifest_database, resource_id),
	STRING_FIELD(manifest_database, name),
	STRING_FIELD(manifest_database, project_name),
	STRING_FIELD(manifest_database, namespace),
	STRING_FIELD(manifest_database, version),
	STRING_FIELD(manifest_database, password),
	STRING_FIELD(manifest_database, storage_class),
	AMOUNT_FIELD(manifest_database, storage_size),
	RESOURCE_FIELDS(manifest_database),
};

/* The tables contain all strings of both: a new one without a row does not compile. */
_Static_assert(offsetof(struct manifest_sandbox, variables) ==
		       ARRAY_SIZE(sandbox_fields) * sizeof(char *),
	       "a field of struct manifest_sandbox is not hashed");
_Static_assert(offsetof(struct manifest_database, stopped) ==
		       ARRAY_SIZE(database_fields) * sizeof(char *),
	       "a field of struct manifest_database is not hashed");

/* ---- the inputs of the hash ------------------------------------------------------------------ */

/* Includes the terminating NUL, so that "ab", "c" differs from "a", "bc", and a missing value from
 * "". */
static void add(crypto_hash_sha256_state *state, const char *text)
{
	const unsigned char is_there = text != NULL;

	crypto_hash_sha256_update(state, &is_there, 1);
	if (text != NULL)
		crypto_hash_sha256_update(state, (const unsigned char *)text, strlen(text) + 1);
}

static void add_fields(crypto_hash_sha256_state *state, const void *inputs,
		       const struct field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char canonical[QUANTITY_MAX];
		const char *text;
		memcpy(&text, (const char *)inputs + fields[i].offset, sizeof(text));
		bool known =
			fields[i].quantity && text != NULL && quantity_canonical(text, canonical);
		add(state, known ? canonical : text);
	}
}

static int compare_names(const void *a, const void *b)
{
	const struct manifest_variable *const *left = a, *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

/* The order does not matter. */
static void add_variables(crypto_hash_sha256_state *state, const struct manifest_sandbox *s)
{
	CLEANUP(cleanup_free)
	const struct manifest_variable **sorted =
		mem_calloc(s->variable_count, sizeof(struct manifest_variable *));

	for (size_t i = 0; i < s->variable_count; i++)
		sorted[i] = &s->variables[i];
	if (s->variable_count > 0)
		qsort(sorted, s->variable_count, sizeof(struct manifest_variable *), compare_names);
	for (size_t i = 0; i < s->variable_count; i++) {
		add(state, sorted[i]->name);
		add(state, sorted[i]->value);
	}
}

static void add_ports(crypto_hash_sha256_state *state, const struct manifest_sandbox *s)
{
	for (size_t i = 0; i < s->port_count; i++) {
		char text[24]; /* no variable begins with a digit */
		(void)snprintf(text,
			       sizeof(text),
			       "%d%s",
			       s->ports[i].number,
			       s->ports[i].guarded ? " guarded" : "");
		add(state, text);
	}
}

static void finish(crypto_hash_sha256_state *state, char ret_hash[MANIFEST_HASH_SIZE])
{
	unsigned char hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256_final(state, hash);
	(void)sodium_bin2hex(ret_hash, MANIFEST_HASH_SIZE, hash, sizeof(hash));
}

void manifest_sandbox_hash(const struct manifest_sandbox *s,
			   const struct manifest_settings *settings,
			   char ret_hash[MANIFEST_HASH_SIZE])
{
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	add(&state, settings->sandbox_fingerprint);
	add_fields(&state, s, sandbox_fields, ARRAY_SIZE(sandbox_fields));
	add_variables(&state, s);
	add_ports(&state, s);
	if (s->stopped && settings->wake_service != NULL)
		add(&state, "="); /* no variable, and no port */
	finish(&state, ret_hash);
}

void manifest_database_hash(const struct manifest_database *d,
			    const struct manifest_settings *settings,
			    char ret_hash[MANIFEST_HASH_SIZE])
{
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	add(&state, settings->database_fingerprints[d->form]);
	add_fields(&state, d, database_fields, ARRAY_SIZE(database_fields));
	finish(&state, ret_hash);
}

/* ---- the fingerprint of settings and code ---------------------------------------------------- */

/* One for each branch that the code takes by itself, apart from the settings. */
static const struct manifest_variable sample_variable = { "NAME", "value" };
static const struct manifest_port sample_ports[] = { { 5000, false }, { 6000, true } };
static const struct manifest_sandbox sample_sandboxes[] = {
	{
		.resource_id = "id",
		.name = "name",
		.project_name = "project",
		.database_name = "database",
		.namespace = "namespace",
		.image = "image",
		.run_as = "1000",
		.app_host = "app.host",
		.ttyd_host = "ttyd.host",
		.home_size = "1Gi",
		.restarted = "1",
		.resources = { "1", "1", "1Gi", "1Gi", "1Gi" },
		.variables = &sample_variable,
		.variable_count = 1,
		.ports = sample_ports,
		.port_count = ARRAY_SIZE(sample_ports),
	},
	{
		.resource_id = "id",
		.name = "name",
		.project_name = "project",
		.namespace = "namespace",
		.image = "image",
		.tools_image = "tools",
		.app_host = "app.host",
		.ttyd_host = "ttyd.host",
		.home_size = "1Gi",
		.restarted = "",
		.resources = { "1", "1", "1Gi", "1Gi", "1Mi" },
		.stopped = true,
	},
};
static const struct manifest_database sample_database = {
	.resource_id = "id",
	.name = "name",
	.project_name = "project",
	.namespace = "namespace",
	.version = "version",
	.password = "password",
	.storage_size = "1Gi",
	.resources = { "1", "1", "1Gi", "1Gi", NULL },
};

static json_t *sandbox_sample(const struct manifest_sandbox *s,
			      const struct manifest_settings *settings)
{
	json_t *objects = manifest_sandbox_companions(s, settings);
	char hash[MANIFEST_HASH_SIZE];

	manifest_sandbox_hash(s, settings, hash);
	json_array_append_new(objects, manifest_stateful_set(s, settings, hash));
	return objects;
}

static json_t *database_sample(enum database_form form, const struct manifest_settings *settings)
{
	struct manifest_database d = sample_database;
	char hash[MANIFEST_HASH_SIZE];

	d.form = form;
	json_t *objects = manifest_database_companions(&d, settings);
	manifest_database_hash(&d, settings, hash);
	json_array_append_new(objects, manifest_database_anchor(&d, settings, hash));
	return objects;
}

void manifest_settings_fingerprint(struct manifest_settings *settings)
{
	struct manifest_settings neutral = *settings;
	json_auto_t *sandboxes = json_array();

	neutral.storage_class = NULL;
	neutral.sandbox_fingerprint[0] = '\0';
	memset(neutral.database_fingerprints, 0, sizeof(neutral.database_fingerprints));
	for (size_t i = 0; i < ARRAY_SIZE(sample_sandboxes); i++)
		json_array_append_new(sandboxes, sandbox_sample(&sample_sandboxes[i], &neutral));
	object_hash(sandboxes, settings->sandbox_fingerprint);
	for (int form = FORM_UNDECIDED + 1; form < FORM_COUNT; form++) {
		json_auto_t *database = database_sample((enum database_form)form, &neutral);
		object_hash(database, settings->database_fingerprints[form]);
	}
}
