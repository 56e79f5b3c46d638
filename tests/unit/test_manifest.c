#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <jansson.h>

#include "base/cleanup.h"
#include "base/json_at.h"
#include "base/mem.h"
#include "base/special_network.h"
#include "crypto/token.h"
#include "domain/project.h"
#include "golden.h"
#include "manifest/manifest.h"
#include "base/quantity.h"

/* ---- samples ---- */

static const struct manifest_variable variables[] = {
	{ "DATABASE_URL", "postgresql://postgres:pw@db.ns-ada.svc:5432/postgres?schema=public" },
	{ "GREETING", "Gr\xc3\xbc\xc3\x9f Gott\n" },
	{ "EMPTY", "" },
	{ "TTYD_ACCESS_TOKEN", "abcdefghijklmnopqrstuvwx" },
};

static const struct manifest_settings settings = {
	.ingress_class = "nginx",
	.ingress_domain = "example.com",
	.ingress_tls_secret = "wildcard-cert",
	.postgres_image = "docker.io/library/postgres",
	.dns_pods = "kube-system/k8s-app=kube-dns kube-system/k8s-app=node-local-dns",
	.dns_networks = "169.254.20.10",
};

static struct manifest_sandbox sandbox(void)
{
	return (struct manifest_sandbox) {
		.resource_id = "01890a5d-ac96-774b-bcce-b302099a8057",
		.name = "shop-agentruntime-abcdef",
		.project_name = "shop",
		.database_name = "shop-agentruntime-ghijkl",
		.namespace = "ns-ada",
		.image = "registry.example.com/runtime:1",
		.run_as = "1000",
		.app_host = "qwertyuiopas.example.com",
		.ttyd_host = "qwertyuiopas-ttyd.example.com",
		.home_size = "1Gi",
		.restarted = "0",
		.resources = { "20m", "200m", "25Mi", "256Mi", "1Gi" },
		.variables = variables,
		.variable_count = ARRAY_SIZE(variables),
	};
}

static struct manifest_database database(void)
{
	return (struct manifest_database) {
		.resource_id = "01890a5d-ac96-774b-bcce-b302099a8058",
		.name = "shop-agentruntime-ghijkl",
		.project_name = "shop",
		.namespace = "ns-ada",
		.version = "postgresql-14.8.0",
		.password = "p@ssword",
		.storage_size = "3Gi",
		.resources = { "100m", "1000m", "102Mi", "1024Mi", NULL },
		.form = FORM_KUBEBLOCKS_0_8,
	};
}

static struct manifest_database plain_database(void)
{
	struct manifest_database d = database();

	d.form = FORM_PLAIN;
	return d;
}

/* Returns NULL if either of them is. */
static json_t *with_anchor(json_t *companions, json_t *anchor)
{
	if (json_array_append_new(companions, anchor) == 0)
		return companions;
	json_decref(companions);
	return NULL;
}

/* The objects in the order of their apply: the companions, then the anchor with the hash. */
static json_t *objects_of_sandbox(const struct manifest_sandbox *s,
				  const struct manifest_settings *of)
{
	char hash[MANIFEST_HASH_SIZE];

	manifest_sandbox_hash(s, of, hash);
	return with_anchor(manifest_sandbox_companions(s, of), manifest_stateful_set(s, of, hash));
}

static json_t *objects_of_database(const struct manifest_database *d,
				   const struct manifest_settings *of)
{
	char hash[MANIFEST_HASH_SIZE];

	manifest_database_hash(d, of, hash);
	return with_anchor(manifest_database_companions(d, of),
			   manifest_database_anchor(d, of, hash));
}

static json_t *sandbox_objects(void)
{
	struct manifest_sandbox s = sandbox();

	return objects_of_sandbox(&s, &settings);
}

static json_t *database_objects(void)
{
	struct manifest_database d = database();

	return objects_of_database(&d, &settings);
}

static json_t *last_of(const json_t *objects)
{
	return json_array_get(objects, json_array_size(objects) - 1);
}

/* Returns the value at a path of member names and indexes, such as "spec.containers.0.name". */
static json_t *at(const json_t *json, const char *path)
{
	CLEANUP(cleanup_free) char *copy = mem_strdup(path);
	char *rest = NULL;
	json_t *found = NULL;

	for (char *part = strtok_r(copy, ".", &rest); part != NULL;
	     part = strtok_r(NULL, ".", &rest)) {
		found = json_is_array(json) ? json_array_get(json, strtoul(part, NULL, 10))
					    : json_object_get(json, part);
		ck_assert_msg(found != NULL, "no %s in %s", part, path);
		json = found;
	}
	return found;
}

static const char *text_at(const json_t *json, const char *path)
{
	return json_string_value(at(json, path));
}

static bool true_at(const json_t *json, const char *path)
{
	return json_is_true(at(json, path));
}

static char *dump(const json_t *json)
{
	return json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT);
}

static json_t *parse(const char *text)
{
	json_error_t error;
	json_t *json = json_loads(text, JSON_DECODE_ANY, &error);

	ck_assert_msg(json != NULL, "%s: %s", text, error.text);
	return json;
}

/* ---- golden files ---- */

static void check_golden(const char *name, const json_t *objects)
{
	CLEANUP(cleanup_free) char *path = mem_printf("tests/unit/golden/%s.json", name);
	CLEANUP(cleanup_free) char *text = json_dumps(objects, JSON_SORT_KEYS | JSON_INDENT(2));
	CLEANUP(cleanup_free) char *lines = mem_printf("%s\n", text);

	golden_check(path, lines);
}

START_TEST(the_objects_are_those_of_the_golden_files)
{
	struct manifest_sandbox s = sandbox();
	struct manifest_database d = database();
	struct manifest_settings other = settings;
	json_auto_t *usual_sandbox = objects_of_sandbox(&s, &settings);
	json_auto_t *usual_database = objects_of_database(&d, &settings);

	check_golden("sandbox", usual_sandbox);
	check_golden("database", usual_database);

	struct manifest_sandbox other_image = sandbox();
	other_image.tools_image = "registry.example.com/tools:1";
	other_image.run_as = NULL;
	json_auto_t *sandbox_of_other_image = objects_of_sandbox(&other_image, &settings);
	check_golden("sandbox-of-other-image", last_of(sandbox_of_other_image));

	s.stopped = true;
	s.database_name = NULL;
	d.stopped = true;
	other.storage_class = "fast";
	other.image_pull_secret = "registry";
	json_auto_t *stopped_sandbox = objects_of_sandbox(&s, &other);
	json_auto_t *stopped_database = objects_of_database(&d, &other);
	d.form = FORM_KUBEBLOCKS_0_9;
	json_auto_t *newer_database = objects_of_database(&d, &other);

	check_golden("sandbox-stopped", stopped_sandbox);
	check_golden("database-stopped", stopped_database);
	check_golden("database-stopped-0.9", newer_database);
	d.form = FORM_KUBEBLOCKS_1_0;
	json_auto_t *newest_database = objects_of_database(&d, &other);
	check_golden("database-stopped-1.0", newest_database);
	d = plain_database();
	json_auto_t *plain = objects_of_database(&d, &other);
	check_golden("database-plain", plain);
}
END_TEST

/* ---- rules for all objects ---------- */

static void check_label(const json_t *metadata, const char *label, const char *value)
{
	const char *found = json_string_value(json_object_get(at(metadata, "labels"), label));

	ck_assert_msg(found != NULL && strcmp(found, value) == 0, "%s: %s", label, found);
}

START_TEST(everything_is_found_by_the_id_of_its_resource)
{
	struct manifest_sandbox s = sandbox();
	json_auto_t *of_sandbox = sandbox_objects();
	json_auto_t *of_database = database_objects();
	json_t *object;
	size_t i;

	json_array_foreach(of_sandbox, i, object)
	{
		check_label(at(object, "metadata"), MANIFEST_LABEL_RESOURCE, s.resource_id);
		check_label(at(object, "metadata"), MANIFEST_LABEL_PROJECT, "shop");
		check_label(at(object, "metadata"), MANIFEST_LABEL_MANAGED, MANIFEST_MANAGED_BY);
		check_label(at(object, "metadata"), "app", s.name);
		check_label(at(object, "metadata"), "cloud.sealos.io/app-deploy-manager", s.name);
		ck_assert_str_eq(text_at(object, "metadata.namespace"), "ns-ada");
	}
	check_label(at(last_of(of_sandbox), "spec.template.metadata"), MANIFEST_LABEL_RESOURCE,
		    s.resource_id);
	check_label(at(last_of(of_sandbox), "spec.volumeClaimTemplates.0.metadata"),
		    MANIFEST_LABEL_RESOURCE, s.resource_id);
	json_array_foreach(of_database, i, object)
	{
		check_label(at(object, "metadata"), MANIFEST_LABEL_RESOURCE,
			    database().resource_id);
		ck_assert_str_eq(text_at(object, "metadata.name"), database().name);
	}
	ck_assert_str_eq(text_at(last_of(of_sandbox), "kind"), "StatefulSet");
	ck_assert_str_eq(text_at(last_of(of_database), "kind"), "Cluster");
}
END_TEST

/* https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/ and names/ */
static void check_labels_fit(json_t *metadata)
{
	const char *label;
	json_t *value;

	json_object_foreach(at(metadata, "labels"), label, value)
	{
		const char *text = json_string_value(value);
		size_t length = json_string_length(value);
		ck_assert_msg(length > 0 && length <= 63, "%s: %s", label, text);
		ck_assert_uint_eq(strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-"), length);
		ck_assert(text[0] != '-' && text[length - 1] != '-');
	}
}

static void check_names_fit(const json_t *objects)
{
	json_t *object;
	size_t i;

	json_array_foreach(objects, i, object)
	{
		check_labels_fit(at(object, "metadata"));
		/* A Service's name is a DNS label; other names may be longer. */
		size_t max = strcmp(text_at(object, "kind"), "Service") == 0 ? 63 : 253;
		ck_assert_uint_le(strlen(text_at(object, "metadata.name")), max);
	}
}

START_TEST(the_longest_names_fit)
{
	struct manifest_sandbox s = sandbox();
	struct manifest_database d = database();
	char name[RESOURCE_NAME_MAX + 1], project[PROJECT_KUBE_NAME_MAX + 1];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	memset(project, 'p', sizeof(project) - 1);
	project[sizeof(project) - 1] = '\0';
	s.name = d.name = s.database_name = name;
	s.project_name = d.project_name = project;
	json_auto_t *of_sandbox = objects_of_sandbox(&s, &settings);
	json_auto_t *of_database = objects_of_database(&d, &settings);
	d.form = FORM_PLAIN;
	json_auto_t *of_plain = objects_of_database(&d, &settings);
	check_names_fit(of_sandbox);
	check_names_fit(of_database);
	check_names_fit(of_plain);
	/* The labels that the StatefulSet controller sets on a pod: its name, and that of its
	 * revision, which is the set's with a hash of up to ten characters. KubeBlocks' set
	 * first. */
	ck_assert_uint_le(strlen(name) + strlen("-postgresql-0123456789"), 63);
	ck_assert_uint_le(strlen("home-") + strlen(name) + strlen("-0"), 63);
	/* Our own names are within these limits. */
	ck_assert_uint_le(PROJECT_KUBE_NAME_MAX + strlen("-agentruntime-abcdef"),
			  RESOURCE_NAME_MAX);
}
END_TEST

START_TEST(a_string_that_is_not_utf8_makes_no_objects)
{
	struct manifest_sandbox s = sandbox();
	struct manifest_database d = database();

	s.image = "caf\xe9";
	d.version = "\xff";
	ck_assert_ptr_null(objects_of_sandbox(&s, &settings));
	ck_assert_ptr_null(objects_of_database(&d, &settings));
	s = sandbox();
	s.name = "\xff";
	ck_assert_ptr_null(objects_of_sandbox(&s, &settings));
}
END_TEST

/* ---- the hash ---- */

static void forget_hash(json_t *objects)
{
	json_object_del(at(last_of(objects), "metadata.annotations"), MANIFEST_ANNOTATION_HASH);
}

static void check_hash_changes(const struct manifest_sandbox *s,
			       const struct manifest_settings *with, bool changes)
{
	struct manifest_sandbox usual = sandbox();
	struct manifest_settings usual_settings = settings, other = *with;
	char before[MANIFEST_HASH_SIZE], after[MANIFEST_HASH_SIZE];

	manifest_settings_fingerprint(&usual_settings);
	manifest_settings_fingerprint(&other);
	manifest_sandbox_hash(&usual, &usual_settings, before);
	manifest_sandbox_hash(s, &other, after);
	ck_assert_uint_eq(strlen(before), 64);
	ck_assert_int_eq(strcmp(before, after) != 0, changes);
}

START_TEST(the_hash_changes_with_what_is_desired_and_not_with_a_stop)
{
	struct manifest_sandbox s = sandbox();
	struct manifest_settings other = settings;
	static const struct manifest_variable fewer[] = { { "A", "1" } };

	check_hash_changes(&s, &settings, false);
	s.stopped = true;
	other.storage_class = "fast";
	check_hash_changes(&s, &other, false);

	s = sandbox(), s.image = "other:1";
	check_hash_changes(&s, &settings, true);
	s = sandbox(), s.restarted = "1";
	check_hash_changes(&s, &settings, true);
	s = sandbox(), s.app_host = "other.example.com";
	check_hash_changes(&s, &settings, true);
	s = sandbox(), s.variables = fewer, s.variable_count = 1;
	check_hash_changes(&s, &settings, true);
	s = sandbox(), s.database_name = NULL;
	check_hash_changes(&s, &settings, true);
	s = sandbox(), s.resources.memory_limit = "512Mi";
	check_hash_changes(&s, &settings, true);
	s = sandbox(), s.resources.memory_limit = "0.25Gi"; /* equal by value */
	check_hash_changes(&s, &settings, false);
	s = sandbox(), other = settings, other.ingress_tls_secret = "other";
	check_hash_changes(&s, &other, true);
}
END_TEST

START_TEST(an_open_port_changes_the_hash_and_not_the_pod)
{
	static const struct manifest_port one[] = { { 5173, false } },
					  guarded[] = { { 5173, true } },
					  two[] = { { 4000, false }, { 5173, false } };
	struct manifest_sandbox without = sandbox(), s = sandbox();

	s.ports = one, s.port_count = ARRAY_SIZE(one);
	check_hash_changes(&s, &settings, true);
	json_auto_t *before = manifest_stateful_set(&without, &settings, "");
	json_auto_t *after = manifest_stateful_set(&s, &settings, "");
	ck_assert(json_equal(before, after));

	char first[MANIFEST_HASH_SIZE], second[MANIFEST_HASH_SIZE];
	manifest_sandbox_hash(&s, &settings, first);
	s.ports = two, s.port_count = ARRAY_SIZE(two);
	manifest_sandbox_hash(&s, &settings, second);
	ck_assert_str_ne(first, second);
	s.ports = guarded, s.port_count = ARRAY_SIZE(guarded);
	manifest_sandbox_hash(&s, &settings, second);
	ck_assert_str_ne(first, second);
}
END_TEST

START_TEST(an_open_port_has_an_address_beside_the_apps)
{
	static const struct {
		const char *app, *port;
	} hosts[] = {
		{ "abc.example.com", "abc-5173.example.com" },
		{ "abc", "abc-5173" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		CLEANUP(cleanup_free) char *host = manifest_port_host(hosts[i].app, 5173);
		ck_assert_str_eq(host, hosts[i].port);
	}
}
END_TEST

/* The backend of the first rule of each Ingress among the objects, which are all the same. */
static const char *backend(json_t *objects, json_int_t *ret_port)
{
	const char *name = NULL;
	const json_t *object;
	size_t i;

	json_array_foreach(objects, i, object)
	{
		json_t *rules = json_object_get(json_object_get(object, "spec"), "rules");
		if (rules == NULL)
			continue;
		const json_t *paths = json_at(json_array_get(rules, 0), "http.paths");
		const json_t *service = json_at(json_array_get(paths, 0), "backend.service");
		ck_assert(name == NULL || strcmp(name, json_text_at(service, "name")) == 0);
		name = json_text_at(service, "name");
		*ret_port = json_integer_value(json_at(service, "port.number"));
	}
	return name;
}

START_TEST(addresses_of_a_stopped_sandbox_lead_to_the_site_that_starts_it)
{
	struct manifest_sandbox running = sandbox(), stopped = sandbox();
	struct manifest_settings with = settings;
	json_int_t port = 0;

	stopped.stopped = true;
	with.wake_service = "site.example.com", with.wake_port = 8081;
	json_auto_t *without = manifest_sandbox_companions(&stopped, &settings);
	ck_assert_str_eq(backend(without, &port), "shop-agentruntime-abcdef-service");
	json_auto_t *up = manifest_sandbox_companions(&running, &with);
	ck_assert_str_eq(backend(up, &port), "shop-agentruntime-abcdef-service");
	json_auto_t *down = manifest_sandbox_companions(&stopped, &with);
	ck_assert_str_eq(backend(down, &port), "shop-agentruntime-abcdef-wake");
	ck_assert_int_eq(port, 8081);
	ck_assert_uint_eq(json_array_size(down), json_array_size(without) + 1);

	char of_running[MANIFEST_HASH_SIZE], of_stopped[MANIFEST_HASH_SIZE];
	manifest_sandbox_hash(&running, &with, of_running);
	manifest_sandbox_hash(&stopped, &with, of_stopped);
	ck_assert_str_ne(of_running, of_stopped);
}
END_TEST

/* The structs begin with their strings; hash.c does not compile unless their number is right. */
static void set_field(void *inputs, size_t index, const char *text)
{
	memcpy((char *)inputs + index * sizeof(text), &text, sizeof(text));
}

START_TEST(every_field_changes_the_hash)
{
	const size_t of_sandbox = offsetof(struct manifest_sandbox, variables) / sizeof(char *);
	const size_t of_database = offsetof(struct manifest_database, stopped) / sizeof(char *);
	static const char *const texts[] = { "3", "", NULL };
	char usual[MANIFEST_HASH_SIZE], other[MANIFEST_HASH_SIZE];

	for (size_t i = 0; i < (of_sandbox + of_database) * ARRAY_SIZE(texts); i++) {
		struct manifest_sandbox s = sandbox();
		struct manifest_database d = database();
		const char *text = texts[i % ARRAY_SIZE(texts)];
		size_t field = i / ARRAY_SIZE(texts);
		d.resources.storage_limit = "1Gi";
		s.tools_image = "tools:1";
		s.ingress_class = "traefik";
		s.storage_class = d.storage_class = "fast";
		if (field < of_sandbox) {
			manifest_sandbox_hash(&s, &settings, usual);
			set_field(&s, field, text);
			manifest_sandbox_hash(&s, &settings, other);
		} else {
			manifest_database_hash(&d, &settings, usual);
			set_field(&d, field - of_sandbox, text);
			manifest_database_hash(&d, &settings, other);
		}
		ck_assert_msg(strcmp(usual, other) != 0, "field %zu", field);
	}
}
END_TEST

/* Whether the objects differ, which their hash must show. */
static bool differ(json_t *usual, json_t *other)
{
	bool same_hash = strcmp(manifest_hash(last_of(usual)), manifest_hash(last_of(other))) == 0;

	forget_hash(usual);
	forget_hash(other);
	bool same_objects = json_equal(usual, other);
	ck_assert_int_eq(same_hash, same_objects);
	return !same_objects;
}

START_TEST(every_setting_that_changes_an_object_changes_the_hash)
{
	const size_t count =
		offsetof(struct manifest_settings, sandbox_fingerprint) / sizeof(char *);
	struct manifest_sandbox s = sandbox();
	struct manifest_database d = database(), plain = plain_database();
	struct manifest_settings usual = settings;
	unsigned changed = 0;

	manifest_settings_fingerprint(&usual);
	for (size_t i = 0; i < count; i++) {
		struct manifest_settings other = settings;
		/* a network is a valid value for each of them */
		set_field(&other, i, "10.1.0.0/16");
		other.storage_class = NULL;
		manifest_settings_fingerprint(&other);
		json_auto_t *usual_sandbox = objects_of_sandbox(&s, &usual);
		json_auto_t *other_sandbox = objects_of_sandbox(&s, &other);
		json_auto_t *usual_database = objects_of_database(&d, &usual);
		json_auto_t *other_database = objects_of_database(&d, &other);
		json_auto_t *usual_plain = objects_of_database(&plain, &usual);
		json_auto_t *other_plain = objects_of_database(&plain, &other);
		changed += differ(usual_sandbox, other_sandbox);
		changed += differ(usual_database, other_database);
		changed += differ(usual_plain, other_plain);
	}
	/* The class and the secret of an Ingress; the secret of an image, twice; PostgreSQL's
	 * image; resolvers, three times two; API servers; places of backups, twice two; where
	 * visits to stopped sandboxes go. */
	ck_assert_uint_eq(changed, 2 + 2 + 1 + 6 + 1 + 4 + 1);
}
END_TEST

START_TEST(a_stop_changes_the_replicas_and_nothing_else)
{
	struct manifest_sandbox s = sandbox();
	json_auto_t *running = objects_of_sandbox(&s, &settings);
	s.stopped = true;
	json_auto_t *stopped = objects_of_sandbox(&s, &settings);

	ck_assert(!json_equal(running, stopped));
	ck_assert_int_eq(json_integer_value(at(last_of(running), "spec.replicas")), 1);
	ck_assert_int_eq(json_integer_value(at(last_of(stopped), "spec.replicas")), 0);
	json_object_set_new(at(last_of(stopped), "spec"), "replicas", json_integer(1));
	ck_assert(json_equal(running, stopped));
}
END_TEST

/* ---- the environment ---- */

START_TEST(the_environment_is_in_the_secret_only)
{
	json_auto_t *objects = sandbox_objects();
	json_t *secret = json_array_get(objects, 0);

	ck_assert_str_eq(text_at(secret, "kind"), "Secret");
	ck_assert_uint_eq(json_object_size(at(secret, "data")), ARRAY_SIZE(variables));
	ck_assert_str_eq(text_at(secret, "data.TTYD_ACCESS_TOKEN"),
			 "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4");
	ck_assert_str_eq(text_at(secret, "data.EMPTY"), "");
	ck_assert_str_eq(text_at(last_of(objects),
				 "spec.template.spec.containers.0.envFrom.0.secretRef.name"),
			 text_at(secret, "metadata.name"));
	json_array_remove(objects, 0);
	CLEANUP(cleanup_free) char *rest = dump(objects);
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		if (variables[i].value[0] == '\0')
			continue;
		CLEANUP(cleanup_free)
		char *coded = base64_encode(variables[i].value, strlen(variables[i].value));
		ck_assert_ptr_null(strstr(rest, variables[i].value));
		ck_assert_ptr_null(strstr(rest, coded));
		ck_assert_ptr_null(strstr(rest, variables[i].name));
	}
}
END_TEST

START_TEST(a_changed_environment_or_a_restart_rolls_the_pod)
{
	struct manifest_variable changed[ARRAY_SIZE(variables)];
	struct manifest_sandbox s = sandbox();
	json_auto_t *before = objects_of_sandbox(&s, &settings);

	memcpy(changed, variables, sizeof(variables));
	changed[1].value = "hello";
	s.variables = changed;
	json_auto_t *after = objects_of_sandbox(&s, &settings);
	ck_assert(!json_equal(at(last_of(before), "spec.template"),
			      at(last_of(after), "spec.template")));

	s = sandbox();
	s.restarted = "1";
	json_auto_t *restarted = objects_of_sandbox(&s, &settings);
	ck_assert(!json_equal(at(last_of(before), "spec.template"),
			      at(last_of(restarted), "spec.template")));

	/* A different order is the same environment. */
	s = sandbox();
	changed[0] = variables[3];
	changed[1] = variables[1];
	changed[3] = variables[0];
	s.variables = changed;
	json_auto_t *reordered = objects_of_sandbox(&s, &settings);
	CLEANUP(cleanup_free) char *bytes = dump(before);
	CLEANUP(cleanup_free) char *same = dump(reordered);
	ck_assert_str_eq(bytes, same);
}
END_TEST

/* ---- security ---- */

/* https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted, rule by rule. */
static void check_container_is_restricted(json_t *c)
{
	ck_assert(json_is_false(at(c, "securityContext.allowPrivilegeEscalation")));
	ck_assert(true_at(c, "securityContext.readOnlyRootFilesystem"));
	ck_assert_str_eq(text_at(c, "securityContext.capabilities.drop.0"), "ALL");
	ck_assert_ptr_null(json_object_get(at(c, "securityContext.capabilities"), "add"));
	ck_assert_ptr_null(json_object_get(at(c, "securityContext"), "privileged"));
	ck_assert_ptr_null(json_object_get(at(c, "securityContext"), "procMount"));
	for (size_t i = 0; i < json_array_size(json_object_get(c, "ports")); i++)
		ck_assert_ptr_null(json_object_get(json_array_get(json_object_get(c, "ports"), i),
						   "hostPort"));
	/* Not part of the standard; without these, one sandbox could fill up a node. */
	ck_assert_ptr_nonnull(at(c, "resources.limits.ephemeral-storage"));
	ck_assert_ptr_nonnull(at(c, "resources.limits.memory"));
	ck_assert_ptr_nonnull(at(c, "resources.limits.cpu"));
}

START_TEST(the_pod_is_restricted)
{
	static const char *const forbidden[] = { "hostNetwork", "hostPID", "hostIPC",
						 "initContainers", "ephemeralContainers" };
	static const char *const volumes[] = { "configMap", "csi",       "downwardAPI",
					       "emptyDir",  "ephemeral", "persistentVolumeClaim",
					       "projected", "secret" };
	json_auto_t *objects = sandbox_objects();
	json_t *pod = at(last_of(objects), "spec.template.spec"), *item;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(forbidden); i++)
		ck_assert_ptr_null(json_object_get(pod, forbidden[i]));
	ck_assert(true_at(pod, "securityContext.runAsNonRoot"));
	ck_assert_int_gt(json_integer_value(at(pod, "securityContext.runAsUser")), 0);
	ck_assert_str_eq(text_at(pod, "securityContext.seccompProfile.type"), "RuntimeDefault");
	ck_assert_ptr_null(json_object_get(at(pod, "securityContext"), "sysctls"));
	ck_assert(json_is_false(at(pod, "automountServiceAccountToken")));
	json_array_foreach(at(pod, "volumes"), i, item)
	{
		bool allowed = false;
		for (size_t j = 0; j < ARRAY_SIZE(volumes); j++)
			allowed = allowed || json_object_get(item, volumes[j]) != NULL;
		ck_assert(allowed && json_object_size(item) == 2);
	}
	ck_assert_uint_gt(json_array_size(at(pod, "containers")), 0);
	json_array_foreach(at(pod, "containers"), i, item) check_container_is_restricted(item);
}
END_TEST

START_TEST(a_pod_of_another_image_is_restricted_too)
{
	struct manifest_sandbox s = sandbox();

	s.tools_image = "tools:1";
	s.run_as = NULL; /* the user that the image names, who must not be root */
	json_auto_t *objects = objects_of_sandbox(&s, &settings);
	json_t *pod = at(last_of(objects), "spec.template.spec");
	ck_assert(true_at(pod, "securityContext.runAsNonRoot"));
	ck_assert_ptr_null(json_object_get(at(pod, "securityContext"), "runAsUser"));
	check_container_is_restricted(at(pod, "initContainers.0"));
	check_container_is_restricted(at(pod, "containers.0"));
}
END_TEST

START_TEST(only_the_two_ports_are_exposed)
{
	static const int ports[] = { 3000, 7681 };
	json_auto_t *objects = sandbox_objects();
	json_t *service = json_array_get(objects, 1);
	json_t *policy = json_array_get(objects, 4);
	json_t *admitted = at(policy, "spec.ingress");

	ck_assert_str_eq(text_at(service, "kind"), "Service");
	ck_assert_str_eq(text_at(policy, "kind"), "NetworkPolicy");
	ck_assert_uint_eq(json_array_size(at(service, "spec.ports")), 2);
	ck_assert_uint_eq(json_array_size(admitted), 1);
	ck_assert_uint_eq(json_array_size(at(admitted, "0.ports")), 2);
	for (size_t i = 0; i < 2; i++) {
		json_t *served = json_array_get(at(service, "spec.ports"), i);
		json_t *open = json_array_get(at(admitted, "0.ports"), i);
		json_t *ingress = json_array_get(objects, 2 + i);
		ck_assert_int_eq(json_integer_value(at(served, "port")), ports[i]);
		ck_assert_int_eq(json_integer_value(at(open, "port")), ports[i]);
		ck_assert_int_eq(
			json_integer_value(at(ingress, "spec.rules.0.http.paths.0.backend.service."
						       "port.number")),
			ports[i]);
		ck_assert_str_eq(text_at(ingress, "spec.rules.0.http.paths.0.backend.service.name"),
				 text_at(service, "metadata.name"));
	}
	ck_assert_str_eq(text_at(service, "spec.selector.app"), sandbox().name);
	ck_assert_str_eq(text_at(policy, "spec.podSelector.matchLabels.app"), sandbox().name);
}
END_TEST

/* ---- what a sandbox can reach -- */

static bool contains(const json_t *network, const struct address *a)
{
	struct network n;

	ck_assert_msg(network_parse(json_string_value(network), &n), "%s",
		      json_string_value(network));
	return (n.bits >= ADDRESS_V4_BITS || !address_is_v4(a)) && network_contains(&n, a);
}

static bool block_allows(const json_t *block, const struct address *a)
{
	const json_t *except;
	size_t i;

	if (block == NULL || !contains(json_object_get(block, "cidr"), a))
		return false;
	json_array_foreach(json_object_get(block, "except"), i, except)
	{
		if (contains(except, a))
			return false;
	}
	return true;
}

/* Whether all ports of an address outside the cluster are allowed. */
static bool policy_allows(const json_t *policy, const struct address *a)
{
	const json_t *rule, *to;
	size_t i, j;

	json_array_foreach(at(policy, "spec.egress"), i, rule)
	{
		if (json_object_get(rule, "ports") != NULL)
			continue;
		json_array_foreach(json_object_get(rule, "to"), j, to)
		{
			if (block_allows(json_object_get(to, "ipBlock"), a))
				return true;
		}
	}
	return false;
}

static json_t *sandbox_policy(void)
{
	json_auto_t *objects = sandbox_objects();

	return json_incref(json_array_get(objects, 4));
}

static void check_as_table(const json_t *policy, const struct address *a, const char *row)
{
	const struct special_network *s = special_network_of(a);
	bool ordinary = s != NULL && s->what == NULL && s->embeds == 0;

	ck_assert_msg(policy_allows(policy, a) == ordinary, "at an end of %s", row);
}

/* Returns the first and last addresses of a network, and the two outside next to them. */
static void network_ends(const char *text, struct address ret_ends[4])
{
	struct network n;

	ck_assert(network_parse(text, &n));
	for (size_t i = 0; i < 4; i++)
		ret_ends[i] = n.address;
	for (unsigned bit = n.bits; bit < ADDRESS_BITS; bit++)
		ret_ends[1].bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	ret_ends[3] = ret_ends[1];
	for (int i = 15; i >= 0 && ret_ends[2].bytes[i]-- == 0; i--)
		;
	for (int i = 15; i >= 0 && ++ret_ends[3].bytes[i] == 0; i--)
		;
}

START_TEST(a_sandbox_reaches_what_the_table_of_special_networks_calls_ordinary)
{
	size_t count;
	const struct special_network *table = special_networks(&count);
	json_auto_t *policy = sandbox_policy();

	for (size_t i = 0; i < count; i++) {
		struct address ends[4];
		network_ends(table[i].network, ends);
		for (size_t j = 0; j < ARRAY_SIZE(ends); j++)
			check_as_table(policy, &ends[j], table[i].network);
	}
}
END_TEST

START_TEST(a_sandbox_reaches_no_metadata_service_and_no_private_network)
{
	static const struct {
		const char *address;
		bool reached;
	} rows[] = {
		{ "8.8.8.8", true },
		{ "1.1.1.1", true },
		{ "168.63.129.15", true },
		{ "2606:4700:4700::1111", true },
		{ "168.63.129.16", false },
		{ "169.254.169.254", false },
		{ "100.100.100.200", false },
		{ "192.0.0.192", false },
		{ "10.96.0.1", false },
		{ "172.31.255.255", false },
		{ "192.168.1.1", false },
		{ "127.0.0.1", false },
		{ "0.0.0.0", false },
		{ "224.0.0.1", false },
		{ "::1", false },
		{ "::ffff:10.0.0.1", false },
		{ "fd00:ec2::254", false },
		{ "fd20:ce::254", false },
		{ "fe80::1", false },
		{ "64:ff9b::a9fe:a9fe", false },
		{ "2002:a00:1::", false },
		{ "4000::1", false },
	};
	json_auto_t *policy = sandbox_policy();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct address a;
		ck_assert(address_parse(rows[i].address, &a));
		ck_assert_msg(policy_allows(policy, &a) == rows[i].reached, "%s", rows[i].address);
	}
}
END_TEST

START_TEST(a_sandbox_reaches_its_own_database)
{
	struct manifest_sandbox s = sandbox();
	json_auto_t *with = objects_of_sandbox(&s, &settings);
	s.database_name = NULL;
	json_auto_t *without = objects_of_sandbox(&s, &settings);

	json_t *rules = at(json_array_get(with, 4), "spec.egress");
	ck_assert_uint_eq(json_array_size(rules), 3);
	json_t *selector = at(rules, "2.to.0.podSelector.matchLabels");
	ck_assert_str_eq(json_string_value(json_object_get(selector, "app.kubernetes.io/instance")),
			 sandbox().database_name);
	ck_assert_uint_eq(json_array_size(at(json_array_get(without, 4), "spec.egress")), 2);
}
END_TEST

/* Returns the only label of a selector, as "label=value". */
static const char *selector_text(const json_t *selector, char ret_text[128])
{
	json_t *labels = json_object_get(selector, "matchLabels");
	const char *label = json_object_iter_key(json_object_iter(labels));

	ck_assert_uint_eq(json_object_size(labels), 1);
	(void)snprintf(ret_text, 128, "%s=%s", label,
		       json_string_value(json_object_get(labels, label)));
	return ret_text;
}

static void add_peer(char names[1024], const json_t *to)
{
	const json_t *namespace = json_object_get(to, "namespaceSelector");
	const json_t *pods = json_object_get(to, "podSelector");
	const json_t *block = json_object_get(to, "ipBlock");
	char text[128], *end = names + strlen(names);

	if (block != NULL)
		(void)snprintf(end, 256, "%s ", text_at(block, "cidr"));
	if (namespace != NULL)
		(void)snprintf(end, 256, "%s ", selector_text(namespace, text));
	if (pods != NULL)
		(void)snprintf(end + strlen(end), 256, "%s%s ", namespace != NULL ? "with " : "",
			       selector_text(pods, text));
}

static bool has_port(const json_t *rule, const char *protocol, int port)
{
	const json_t *ports = json_object_get(rule, "ports"), *p;
	size_t i;

	json_array_foreach(ports, i, p)
	{
		if (json_integer_value(json_object_get(p, "port")) == port &&
		    strcmp(text_at(p, "protocol"), protocol) == 0)
			return true;
	}
	return ports == NULL;
}

/* Checks the peers that a policy allows at a port, including those allowed at all ports. */
static void check_peers(const json_t *policy, const char *protocol, int port, const char *expected)
{
	char names[1024] = "";
	const json_t *rule, *to;
	size_t i, j;

	json_array_foreach(at(policy, "spec.egress"), i, rule)
	{
		if (!has_port(rule, protocol, port))
			continue;
		if (json_object_get(rule, "to") == NULL)
			(void)strcat(names, "everybody ");
		json_array_foreach(json_object_get(rule, "to"), j, to) add_peer(names, to);
	}
	ck_assert_msg(strcmp(names, expected) == 0, "%s %d: %s", protocol, port, names);
}

#define RESOLVERS                                                                                  \
	"kubernetes.io/metadata.name=kube-system with k8s-app=kube-dns "                           \
	"kubernetes.io/metadata.name=kube-system with k8s-app=node-local-dns 169.254.20.10/32 "
#define INTERNET "0.0.0.0/0 2000::/3 "

START_TEST(port_53_is_open_to_the_resolvers_of_the_cluster_and_no_other_private_address)
{
	json_auto_t *policy = sandbox_policy();

	check_peers(policy, "UDP", 53, RESOLVERS INTERNET);
	check_peers(policy, "TCP", 53, RESOLVERS INTERNET);
	check_peers(policy, "TCP", 443, INTERNET);
}
END_TEST

static json_t *database_policy(const struct manifest_settings *with)
{
	struct manifest_database d = database();
	json_auto_t *objects = objects_of_database(&d, with);
	json_t *policy = json_array_get(objects, 3);

	ck_assert_str_eq(text_at(policy, "kind"), "NetworkPolicy");
	ck_assert_str_eq(
		json_string_value(json_object_get(at(policy, "spec.podSelector.matchLabels"),
						  "app.kubernetes.io/instance")),
		d.name);
	ck_assert_uint_eq(json_array_size(at(policy, "spec.policyTypes")), 1);
	ck_assert_str_eq(text_at(policy, "spec.policyTypes.0"), "Egress");
	return json_incref(policy);
}

#define ITS_PODS "app.kubernetes.io/instance=shop-agentruntime-ghijkl "

START_TEST(a_database_reaches_its_pods_dns_and_the_api_server_and_nothing_else)
{
	json_auto_t *policy = database_policy(&settings);

	check_peers(policy, "TCP", 53, RESOLVERS ITS_PODS);
	check_peers(policy, "TCP", 5432, ITS_PODS);
	check_peers(policy, "TCP", 80, ITS_PODS);
	check_peers(policy, "UDP", 443, ITS_PODS);
	check_peers(policy, "TCP", 443, ITS_PODS "everybody ");
	check_peers(policy, "TCP", 6443, ITS_PODS "everybody ");
}
END_TEST

START_TEST(where_api_servers_and_backups_are_is_said_by_the_operator)
{
	struct manifest_settings with = settings;

	with.api_server_networks = "10.0.0.10 10.1.2.3/24 fd00::5";
	with.backup_pods = "minio storage/app=s3";
	with.backup_networks = "10.9.0.0/16";
	json_auto_t *policy = database_policy(&with);
	check_peers(policy, "TCP", 443,
		    ITS_PODS "10.0.0.10/32 10.1.2.0/24 fd00::5/128 "
			     "kubernetes.io/metadata.name=minio "
			     "kubernetes.io/metadata.name=storage with app=s3 10.9.0.0/16 ");
	check_peers(policy, "TCP", 9000,
		    ITS_PODS "kubernetes.io/metadata.name=minio "
			     "kubernetes.io/metadata.name=storage with app=s3 10.9.0.0/16 ");
	with.databases_open = true;
	json_auto_t *open = database_policy(&with);
	check_peers(open, "UDP", 7, "everybody ");
}
END_TEST

START_TEST(no_ingress_carries_a_snippet)
{
	json_auto_t *objects = sandbox_objects();
	CLEANUP(cleanup_free) char *text = dump(objects);

	ck_assert_ptr_null(strstr(text, "snippet"));
}
END_TEST

/* ---- the database ---- */

START_TEST(a_database_is_stopped_as_its_kubeblocks_wants_it)
{
	static const struct {
		enum database_form form;
		bool stopped;
		const char *replicas_and_stop;
	} rows[] = {
		{ FORM_KUBEBLOCKS_0_8, false, "1 -" },     { FORM_KUBEBLOCKS_0_8, true, "0 -" },
		{ FORM_KUBEBLOCKS_0_9, false, "1 false" }, { FORM_KUBEBLOCKS_0_9, true, "1 true" },
		{ FORM_KUBEBLOCKS_1_0, false, "1 false" }, { FORM_KUBEBLOCKS_1_0, true, "1 true" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct manifest_database d = database();
		d.stopped = rows[i].stopped;
		d.form = rows[i].form;
		json_auto_t *objects = objects_of_database(&d, &settings);
		json_t *component = at(last_of(objects), "spec.componentSpecs.0");
		json_t *stop = json_object_get(component, "stop");
		CLEANUP(cleanup_free)
		char *found = mem_printf(
			"%lld %s", (long long)json_integer_value(at(component, "replicas")),
			stop == NULL ? "-" : (json_is_true(stop) ? "true" : "false"));
		ck_assert_str_eq(found, rows[i].replicas_and_stop);
		/* The list is atomic: whatever is omitted is lost. */
		ck_assert_ptr_nonnull(at(component, "resources.limits.cpu"));
		ck_assert_ptr_nonnull(at(component, "volumeClaimTemplates.0.spec"));
		/* From 1.0 on, KubeBlocks makes it. */
		ck_assert_int_eq(json_object_get(component, "serviceAccountName") != NULL,
				 d.form != FORM_KUBEBLOCKS_1_0);
	}
}
END_TEST

START_TEST(a_plain_database_has_the_image_of_its_version)
{
	static const struct {
		const char *setting, *version, *image;
	} rows[] = {
		{ "docker.io/library/postgres", "postgresql-14.8.0",
		  "docker.io/library/postgres:14.8" },
		{ "postgres", "postgresql-16", "postgres:16" },
		{ "registry:5000/postgres", "15.7", "registry:5000/postgres:15.7" },
		{ "registry:5000/postgres:mine", "postgresql-14.8.0",
		  "registry:5000/postgres:mine" },
		{ "postgres@sha256:0123", "postgresql-14.8.0", "postgres@sha256:0123" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct manifest_database d = plain_database();
		struct manifest_settings with = settings;
		with.postgres_image = rows[i].setting;
		d.version = rows[i].version;
		json_auto_t *objects = objects_of_database(&d, &with);
		ck_assert_str_eq(text_at(last_of(objects), "spec.template.spec.containers.0.image"),
				 rows[i].image);
	}
}
END_TEST

START_TEST(a_plain_database_is_reached_by_its_projects_sandboxes_and_reaches_nothing)
{
	struct manifest_database d = plain_database();
	json_auto_t *objects = objects_of_database(&d, &settings);
	const json_t *policy = json_array_get(objects, 2);

	ck_assert_str_eq(text_at(policy, "kind"), "NetworkPolicy");
	ck_assert_uint_eq(json_array_size(at(policy, "spec.policyTypes")), 2);
	ck_assert_uint_eq(json_array_size(at(policy, "spec.ingress")), 1);
	ck_assert_str_eq(json_string_value(json_object_get(
				 at(policy, "spec.ingress.0.from.0.podSelector.matchLabels"),
				 MANIFEST_LABEL_PROJECT)),
			 d.project_name);
	ck_assert_int_eq(json_integer_value(at(policy, "spec.ingress.0.ports.0.port")), 5432);
	check_peers(policy, "TCP", 53, RESOLVERS);
	check_peers(policy, "TCP", 443, "");
	check_peers(policy, "TCP", 5432, "");
}
END_TEST

START_TEST(a_stopped_database_has_the_same_hash)
{
	struct manifest_database d = database();
	struct manifest_settings other = settings;
	json_auto_t *running = objects_of_database(&d, &settings);
	d.stopped = true;
	other.storage_class = "fast";
	json_auto_t *stopped = objects_of_database(&d, &other);
	d.storage_size = "4Gi";
	json_auto_t *larger = objects_of_database(&d, &other);

	ck_assert_str_eq(manifest_hash(last_of(running)), manifest_hash(last_of(stopped)));
	ck_assert_str_ne(manifest_hash(last_of(running)), manifest_hash(last_of(larger)));
	ck_assert_str_eq(manifest_hash(json_array_get(running, 0)), "");
}
END_TEST

START_TEST(a_database_url_is_escaped_and_complete)
{
	static const struct {
		const char *username, *password, *host, *database, *url;
	} rows[] = {
		{ "postgres", "pw", "db-postgresql", "postgres",
		  "postgresql://postgres:pw@db-postgresql.ns-ada.svc:5432/postgres?schema=public" },
		{ "postgres", "pw", "db-postgresql.ns-ada.svc", "postgres",
		  "postgresql://postgres:pw@db-postgresql.ns-ada.svc:5432/postgres?schema=public" },
		{ "a@b", "p/w?#:@ %&+\xc3\xbc", "db.x", "my db",
		  "postgresql://a%40b:p%2Fw%3F%23%3A%40%20%25%26%2B%C3%BC@db.x:5432/"
		  "my%20db?schema=public" },
		{ "u", "aZ09-._~", "evil.example@db.x", "d",
		  "postgresql://u:aZ09-._~@evil.example%40db.x:5432/d?schema=public" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(cleanup_free)
		char *url = manifest_database_url(rows[i].username, rows[i].password, rows[i].host,
						  5432, rows[i].database, "ns-ada");
		ck_assert_str_eq(url, rows[i].url);
	}
}
END_TEST

START_TEST(a_database_host_resolves_from_anywhere)
{
	CLEANUP(cleanup_free) char *bare = manifest_database_host("db-postgresql", "ns-ada");
	CLEANUP(cleanup_free) char *full = manifest_database_host("db.ns-b.svc", "ns-ada");

	ck_assert_str_eq(bare, "db-postgresql.ns-ada.svc");
	ck_assert_str_eq(full, "db.ns-b.svc");
}
END_TEST

/* ---- quantities ---- */

START_TEST(quantities_are_written_as_the_api_server_writes_them)
{
	static const char *const rows[][2] = {
		{ "1000m", "1" },       { "1", "1" },
		{ "0.5", "500m" },      { "200m", "200m" },
		{ "1024Mi", "1Gi" },    { "1.5Gi", "1536Mi" },
		{ "102Mi", "102Mi" },   { "1000", "1k" },
		{ "1000Mi", "1000Mi" }, { "0", "0" },
		{ "0Gi", "0" },         { "0.5Ki", "512" },
		{ "1536", "1536" },     { "1.5Ki", "1536" },
		{ "0.1", "100m" },      { ".5", "500m" },
		{ "5.", "5" },          { "1000000n", "1m" },
		{ "4096Mi", "4Gi" },    { "0.1Gi", "107374182400m" },
		{ "2000m", "2" },       { "0.0000000001", "1n" },
		{ "007", "7" },         { "1.953125Ki", "2000" },
	};
	char canonical[QUANTITY_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		ck_assert_msg(quantity_canonical(rows[i][0], canonical), "%s", rows[i][0]);
		ck_assert_str_eq(canonical, rows[i][1]);
		ck_assert(quantity_equal(rows[i][1], canonical));
	}
}
END_TEST

START_TEST(quantities_are_compared_by_value)
{
	static const char *const equal[][2] = {
		{ "1000m", "1" },  { "1Gi", "1024Mi" }, { "1e3", "1k" },  { "1E3", "1000" },
		{ "1E", "1000P" }, { "5e-1", "500m" },  { "0.50", ".5" }, { "1e+2", "100" },
	};
	static const char *const invalid[] = {
		"",   "Mi", "-1",   "+1",   "1 ",  "1gi", "1KiB", "1..2", ".",
		"1e", "e3", "1e99", "0x10", "1e-", "1,5", "16Ei", "1K",   "1234567890123456789"
	};

	for (size_t i = 0; i < ARRAY_SIZE(equal); i++) {
		ck_assert_msg(quantity_equal(equal[i][0], equal[i][1]), "%s %s", equal[i][0],
			      equal[i][1]);
		ck_assert_int_eq(quantity_compare(equal[i][0], equal[i][1]), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(invalid); i++) {
		ck_assert_msg(!quantity_is_valid(invalid[i]), "%s", invalid[i]);
		ck_assert(!quantity_equal(invalid[i], invalid[i]));
	}
	ck_assert(!quantity_equal("1G", "1Gi"));
	ck_assert_int_lt(quantity_compare("999m", "1"), 0);
	ck_assert_int_gt(quantity_compare("1Gi", "1G"), 0);
	ck_assert_uint_eq(quantity_gibibytes("1Gi"), 1);
	ck_assert_uint_eq(quantity_gibibytes("1025Mi"), 2);
	ck_assert_uint_eq(quantity_gibibytes("nonsense"), 0);
}
END_TEST

/* ---- live and desired ---- */

START_TEST(a_live_object_covers_what_is_desired_or_not)
{
	static const struct {
		const char *live, *desired;
		bool covers;
	} rows[] = {
		{ "{}", "{}", true },
		{ "{\"a\":1,\"b\":2}", "{\"a\":1}", true },
		{ "{\"a\":1}", "{\"a\":1,\"b\":2}", false },
		{ "{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"b\":1}}", true },
		{ "{\"a\":{\"b\":2}}", "{\"a\":{\"b\":1}}", false },
		/* Arrays are compared by position, and have the same length. */
		{ "{\"a\":[{\"b\":1,\"c\":2},3]}", "{\"a\":[{\"b\":1},3]}", true },
		{ "{\"a\":[1,2]}", "{\"a\":[1]}", false },
		{ "{\"a\":[1]}", "{\"a\":[1,2]}", false },
		{ "{\"a\":[2,1]}", "{\"a\":[1,2]}", false },
		/* Empty values may be absent; false and 0 may not. */
		{ "{}", "{\"a\":{},\"b\":[],\"c\":\"\",\"d\":null}", true },
		{ "{\"a\":null}", "{\"a\":{}}", true },
		{ "{}", "{\"a\":{\"b\":1}}", false },
		{ "{\"a\":\"x\"}", "{\"a\":\"\"}", false },
		{ "{\"a\":[1]}", "{\"a\":[]}", false },
		{ "{}", "{\"a\":false}", false },
		{ "{}", "{\"a\":0}", false },
		{ "{\"a\":true}", "{\"a\":false}", false },
		/* Types are distinguished. */
		{ "{\"a\":\"1\"}", "{\"a\":1}", false },
		{ "{\"a\":[]}", "{\"a\":{\"b\":1}}", false },
		/* Quantities, in members that are quantities. */
		{ "{\"cpu\":\"1\"}", "{\"cpu\":\"1000m\"}", true },
		{ "{\"a\":{\"memory\":\"1Gi\"}}", "{\"a\":{\"memory\":\"1024Mi\"}}", true },
		{ "{\"storage\":\"1Gi\"}", "{\"storage\":\"2Gi\"}", false },
		{ "{\"cpu\":\"much\"}", "{\"cpu\":\"more\"}", false },
		{ "{\"value\":\"1\"}", "{\"value\":\"1000m\"}", false },
		/* Items of a list have no kind; one inside an object is compared. */
		{ "{\"a\":1}", "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"a\":1}", true },
		{ "{\"a\":{}}", "{\"a\":{\"kind\":\"Role\"}}", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_auto_t *live = parse(rows[i].live);
		json_auto_t *desired = parse(rows[i].desired);
		ck_assert_msg(manifest_covers(live, desired) == rows[i].covers, "%s %s",
			      rows[i].live, rows[i].desired);
	}
}
END_TEST

/* Checks that a change of any leaf of any object is noticed. */
static void check_every_change_is_seen(json_t *whole, json_t *copy, json_t *part)
{
	const char *member;
	json_t *value, *saved;
	void *next;
	size_t i;

	if (json_is_array(part)) {
		json_array_foreach(part, i, value) check_every_change_is_seen(whole, copy, value);
		return;
	}
	json_object_foreach_safe(part, next, member, value)
	{
		if (part == copy && (!strcmp(member, "kind") || !strcmp(member, "apiVersion")))
			continue;
		if (json_is_object(value) ||
		    (json_is_array(value) && json_is_object(json_array_get(value, 0))))
			check_every_change_is_seen(whole, copy, value);
		if (json_is_string(value) && json_string_length(value) == 0)
			continue;
		if (json_is_object(value) && json_object_size(value) == 0)
			continue;
		saved = json_incref(value);
		json_object_set_new(part, member, json_string("changed"));
		ck_assert_msg(!manifest_covers(copy, whole), "%s", member);
		json_object_set_new(part, member, saved);
		ck_assert(manifest_covers(copy, whole));
	}
}

START_TEST(every_change_of_an_object_is_seen)
{
	json_t *(*const makers[])(void) = { sandbox_objects, database_objects };

	for (size_t m = 0; m < ARRAY_SIZE(makers); m++) {
		json_auto_t *objects = makers[m]();
		json_t *object;
		size_t i;
		json_array_foreach(objects, i, object)
		{
			json_auto_t *copy = json_deep_copy(object);
			ck_assert(manifest_covers(copy, object));
			check_every_change_is_seen(object, copy, copy);
		}
	}
}
END_TEST

START_TEST(what_cannot_be_changed_is_taken_from_what_is_there)
{
	struct manifest_sandbox s = sandbox();
	struct manifest_database d = database();
	struct manifest_settings other = settings;
	json_auto_t *live = sandbox_objects();
	json_auto_t *live_database = database_objects();

	s.home_size = "5Gi";
	s.image = "other:2";
	other.storage_class = "fast";
	json_auto_t *desired = objects_of_sandbox(&s, &other);
	manifest_keep_immutable(last_of(desired), last_of(live));
	ck_assert(json_equal(at(last_of(desired), "spec.volumeClaimTemplates"),
			     at(last_of(live), "spec.volumeClaimTemplates")));
	ck_assert_str_eq(text_at(last_of(desired), "spec.template.spec.containers.0.image"),
			 "other:2");

	/* Only the class of a Cluster's claims is kept: their size may grow. */
	d.storage_size = "4Gi";
	json_auto_t *desired_database = objects_of_database(&d, &other);
	json_t *claim =
		at(last_of(desired_database), "spec.componentSpecs.0.volumeClaimTemplates.0.spec");
	ck_assert_str_eq(text_at(claim, "storageClassName"), "fast");
	manifest_keep_immutable(last_of(desired_database), last_of(live_database));
	ck_assert_ptr_null(json_object_get(claim, "storageClassName"));
	ck_assert_str_eq(text_at(claim, "resources.requests.storage"), "4Gi");

	/* And vice versa. */
	json_auto_t *classed = objects_of_database(&d, &other);
	json_auto_t *plain = database_objects();
	manifest_keep_immutable(last_of(plain), last_of(classed));
	ck_assert_str_eq(text_at(last_of(plain), "spec.componentSpecs.0.volumeClaimTemplates.0."
						 "spec.storageClassName"),
			 "fast");
}
END_TEST

START_TEST(a_strange_live_object_changes_nothing)
{
	static const char *const strange[] = { "{}", "[]", "{\"spec\":[]}",
					       "{\"spec\":{\"componentSpecs\":{}}}",
					       "{\"metadata\":1,\"spec\":1}" };
	json_auto_t *usual = sandbox_objects();
	json_auto_t *usual_database = database_objects();

	for (size_t i = 0; i < ARRAY_SIZE(strange); i++) {
		json_auto_t *live = parse(strange[i]);
		json_auto_t *objects = sandbox_objects();
		json_auto_t *of_database = database_objects();
		manifest_keep_immutable(last_of(objects), live);
		manifest_keep_immutable(last_of(of_database), live);
		ck_assert(json_equal(objects, usual));
		ck_assert(json_equal(of_database, usual_database));
		ck_assert(!manifest_covers(live, last_of(objects)));
		ck_assert_str_eq(manifest_hash(live), "");
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("manifest");
	TCase *tc = tcase_create("manifest");

	crypto_init();
	tcase_add_test(tc, the_objects_are_those_of_the_golden_files);
	tcase_add_test(tc, everything_is_found_by_the_id_of_its_resource);
	tcase_add_test(tc, the_longest_names_fit);
	tcase_add_test(tc, a_string_that_is_not_utf8_makes_no_objects);
	tcase_add_test(tc, the_hash_changes_with_what_is_desired_and_not_with_a_stop);
	tcase_add_test(tc, an_open_port_changes_the_hash_and_not_the_pod);
	tcase_add_test(tc, an_open_port_has_an_address_beside_the_apps);
	tcase_add_test(tc, addresses_of_a_stopped_sandbox_lead_to_the_site_that_starts_it);
	tcase_add_test(tc, every_field_changes_the_hash);
	tcase_add_test(tc, every_setting_that_changes_an_object_changes_the_hash);
	tcase_add_test(tc, a_stop_changes_the_replicas_and_nothing_else);
	tcase_add_test(tc, the_environment_is_in_the_secret_only);
	tcase_add_test(tc, a_changed_environment_or_a_restart_rolls_the_pod);
	tcase_add_test(tc, the_pod_is_restricted);
	tcase_add_test(tc, a_pod_of_another_image_is_restricted_too);
	tcase_add_test(tc, only_the_two_ports_are_exposed);
	tcase_add_test(tc, a_sandbox_reaches_what_the_table_of_special_networks_calls_ordinary);
	tcase_add_test(tc, a_sandbox_reaches_no_metadata_service_and_no_private_network);
	tcase_add_test(tc, a_sandbox_reaches_its_own_database);
	tcase_add_test(
		tc, port_53_is_open_to_the_resolvers_of_the_cluster_and_no_other_private_address);
	tcase_add_test(tc, a_database_reaches_its_pods_dns_and_the_api_server_and_nothing_else);
	tcase_add_test(tc, where_api_servers_and_backups_are_is_said_by_the_operator);
	tcase_add_test(tc, no_ingress_carries_a_snippet);
	tcase_add_test(tc, a_database_is_stopped_as_its_kubeblocks_wants_it);
	tcase_add_test(tc, a_plain_database_has_the_image_of_its_version);
	tcase_add_test(tc,
		       a_plain_database_is_reached_by_its_projects_sandboxes_and_reaches_nothing);
	tcase_add_test(tc, a_stopped_database_has_the_same_hash);
	tcase_add_test(tc, a_database_url_is_escaped_and_complete);
	tcase_add_test(tc, a_database_host_resolves_from_anywhere);
	tcase_add_test(tc, quantities_are_written_as_the_api_server_writes_them);
	tcase_add_test(tc, quantities_are_compared_by_value);
	tcase_add_test(tc, a_live_object_covers_what_is_desired_or_not);
	tcase_add_test(tc, every_change_of_an_object_is_seen);
	tcase_add_test(tc, what_cannot_be_changed_is_taken_from_what_is_there);
	tcase_add_test(tc, a_strange_live_object_changes_nothing);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
