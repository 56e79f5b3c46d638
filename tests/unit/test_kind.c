/* Tests the table of kinds: what holds for every row. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>
#include <jansson.h>

#include "base/cleanup.h"
#include "base/json_at.h"
#include "base/mem.h"
#include "crypto/token.h"
#include "reconcile/kind.h"
#include "store/contexts.h"

#define ID "11111111-1111-4111-8111-111111111111"

/* ---- the inputs of a row's desired state ----------------------------------------------------- */

static char directory[] = "/tmp/fsa-kind-XXXXXX";
static struct desired_context context;
static struct buf terminal_secret = BUF_INIT(1000), password = BUF_INIT(1000);

static void set_up(void)
{
	CLEANUP(cleanup_free) char *public_path = NULL;
	CLEANUP(cleanup_free) char *private_path = NULL;
	CLEANUP(cleanup_free) char *secret_context = mem_printf(CONTEXT_TERMINAL, ID);
	CLEANUP(cleanup_free) char *password_context = mem_printf(CONTEXT_DATABASE, ID);
	char id[17], secret[TERMINAL_TOKEN_LENGTH + 1];
	struct err e = { 0 };

	ck_assert_ptr_nonnull(mkdtemp(directory));
	public_path = mem_printf("%s/owner.pub", directory);
	private_path = mem_printf("%s/owner.key", directory);
	ck_assert_msg(keyring_add(public_path, private_path, id, &e) == 0, "%s", e.message);
	ck_assert_int_eq(keyring_load_private(private_path, &context.owner_private, &e), 0);
	token_alphanumeric(secret, TERMINAL_TOKEN_LENGTH);
	ck_assert_int_eq(seal_own(context.owner_private, secret_context, secret, strlen(secret),
				  &terminal_secret, &e),
			 0);
	ck_assert_int_eq(
		seal_own(context.owner_private, password_context, "secret", 6, &password, &e), 0);
	context.operator_environment = json_object();
	context.settings = (struct manifest_settings) {
		.ingress_class = "nginx",
		.ingress_domain = "example.com",
		.ingress_tls_secret = "wildcard",
		.postgres_image = "postgres",
		.dns_pods = "kube-system",
	};
	manifest_settings_fingerprint(&context.settings);
	ck_assert_int_eq(unlink(public_path), 0);
	ck_assert_int_eq(unlink(private_path), 0);
	ck_assert_int_eq(rmdir(directory), 0);
}

static void tear_down(void)
{
	desired_context_clear(&context);
	buf_release(&terminal_secret);
	buf_release(&password);
}

/* A row of each kind, as they are in kind_all, with all that any of them asks for. */
static const struct {
	enum resource_kind kind;
	enum database_form form;
} members[] = {
	{ RESOURCE_SANDBOX, FORM_UNDECIDED },
	{ RESOURCE_DATABASE, FORM_KUBEBLOCKS_0_8 },
	{ RESOURCE_DATABASE, FORM_KUBEBLOCKS_1_0 },
	{ RESOURCE_DATABASE, FORM_PLAIN },
};

static struct queue_row row_of(int member)
{
	return (struct queue_row) {
		.id = ID,
		.project_id = ID,
		.user_id = ID,
		.kind = members[member].kind,
		.form = members[member].form,
		.project_kube_name = "shop",
		.name = "shop-agentruntime-abcdef",
		.namespace = "ns-ada",
		.app_host = "app.example.com",
		.ttyd_host = "app-ttyd.example.com",
		.image = "image",
		.home_size = "1Gi",
		.storage_limit = "1Gi",
		.terminal_token_sealed = terminal_secret.data,
		.terminal_token_sealed_length = terminal_secret.length,
		.version = "postgresql-14.8.0",
		.storage_size = "3Gi",
		.cpu_request = "1",
		.cpu_limit = "1",
		.memory_request = "1Gi",
		.memory_limit = "1Gi",
		.connection = { .password_sealed = password.data,
				.password_sealed_length = password.length },
	};
}

static void cleanup_desired(struct desired_state **d)
{
	desired_state_free(*d);
}

static struct desired_state *load(const struct queue_row *row)
{
	static const struct queue_variables none = { 0 };
	struct desired_state *d = desired_state_new(&context, kind_of_row(row), row, &none);
	struct err e = { 0 };

	ck_assert_msg(desired_state_load(d, &e) == 0, "%s", e.message);
	return d;
}

/* ---- the table ------------------------------------------------------------------------------- */

START_TEST(every_kind_has_every_member)
{
	const struct kind *k = kind_all[_i];

	ck_assert_ptr_nonnull(k);
	ck_assert_uint_gt(k->object_count, 0);
	ck_assert_ptr_nonnull(k->make_inputs);
	ck_assert_ptr_nonnull(k->free_inputs);
	ck_assert_ptr_nonnull(k->hash);
	ck_assert_ptr_nonnull(k->companions);
	ck_assert_ptr_nonnull(k->anchor);
	ck_assert_ptr_nonnull(k->assess);
	ck_assert_ptr_nonnull(k->lacks_dependency);
	ck_assert_ptr_nonnull(k->awaits_dependency);
	ck_assert_ptr_nonnull(k->would_end_pod);
	ck_assert_ptr_nonnull(k->prepare);
	ck_assert_ptr_nonnull(k->describe_absence);
	/* The anchor shows whether it is as desired; other objects show its progress. */
	ck_assert(k->creation & OBSERVE(kind_anchor(k)));
	ck_assert(k->rollout & OBSERVE(kind_anchor(k)));
	ck_assert(k->rollout & OBSERVE(k->shown));
	/* Objects listed by our label are ours to delete, so they must be among those owned. */
	ck_assert_uint_eq(k->rollout & ~kind_owned(k) & ~OBSERVE_INSTANCE_CLAIMS, 0);
}
END_TEST

START_TEST(each_form_of_a_database_has_its_kind)
{
	ck_assert_uint_eq(kind_count, ARRAY_SIZE(members));
	for (size_t i = 0; i < kind_count; i++)
		ck_assert_ptr_eq(kind_of(members[i].kind, members[i].form), kind_all[i]);
	for (int form = 0; form < FORM_COUNT; form++)
		ck_assert_ptr_nonnull(kind_of(RESOURCE_DATABASE, (enum database_form)form));
	/* An upgrade of KubeBlocks takes the Cluster along. */
	ck_assert_ptr_eq(kind_of(RESOURCE_DATABASE, FORM_KUBEBLOCKS_0_9),
			 kind_of(RESOURCE_DATABASE, FORM_KUBEBLOCKS_0_8));
}
END_TEST

START_TEST(the_volumes_of_every_kind_are_guarded)
{
	const struct kind *k = kind_all[_i];
	bool going = false, gone = false;

	ck_assert_uint_ne(k->claims, 0);
	ck_assert_uint_eq(k->rollout & k->claims, k->claims);
	for (size_t i = 0; i < k->judge_count; i++) {
		ck_assert_ptr_nonnull(k->judges[i].holds);
		/* It is judged when a stable row is observed. */
		ck_assert_uint_eq(k->judges[i].needs & ~(kind_owned(k) | k->rollout), 0);
		going = going || k->judges[i].warning == k->volume_going;
		gone = gone || k->judges[i].warning == k->volume_gone;
	}
	ck_assert(going && gone);
}
END_TEST

START_TEST(a_kind_is_made_of_the_objects_that_its_row_names)
{
	const struct queue_row row = row_of(_i);
	const struct kind *k = kind_all[_i];
	CLEANUP(cleanup_desired) struct desired_state *d = load(&row);
	const json_t *objects = desired_state_objects(d, NULL);
	size_t i, at = 0;
	json_t *object;

	json_array_foreach(objects, i, object)
	{
		enum kube_resource type;
		ck_assert(kube_resource_find(json_text_at(object, "apiVersion"),
					     json_text_at(object, "kind"), &type));
		/* In this order; there may be several of a type. */
		if (i > 0 && type != k->objects[at])
			at++;
		ck_assert_msg(at < k->object_count && type == k->objects[at], "object %zu: %s", i,
			      json_text_at(object, "kind"));
		/* By this label it is found and deleted. */
		ck_assert_str_eq(json_text(json_object_get(json_at(object, "metadata.labels"),
							   MANIFEST_LABEL_RESOURCE)),
				 ID);
	}
	ck_assert_uint_eq(at, k->object_count - 1);
}
END_TEST

START_TEST(the_anchor_is_last_and_carries_the_hash_of_all)
{
	struct queue_row row = row_of(_i);
	CLEANUP(cleanup_desired) struct desired_state *d = load(&row);
	const json_t *objects = desired_state_objects(d, NULL);
	const json_t *anchor = desired_state_anchor(d, NULL);

	ck_assert_ptr_eq(json_array_get(objects, json_array_size(objects) - 1), anchor);
	ck_assert_str_eq(json_text_at(anchor, "metadata.name"), row.name);
	ck_assert_uint_eq(strlen(desired_state_hash(d)), MANIFEST_HASH_SIZE - 1);
	ck_assert_str_eq(manifest_hash(anchor), desired_state_hash(d));
	ck_assert_str_eq(manifest_hash(json_array_get(objects, 0)), "");

	row.memory_limit = "2Gi";
	CLEANUP(cleanup_desired) struct desired_state *larger = load(&row);
	ck_assert_str_ne(desired_state_hash(larger), desired_state_hash(d));

	row.desired = DESIRED_STOPPED;
	CLEANUP(cleanup_desired) struct desired_state *stopped = load(&row);
	ck_assert_str_eq(desired_state_hash(stopped), desired_state_hash(larger));
	ck_assert(!json_equal(desired_state_anchor(stopped, NULL),
			      desired_state_anchor(larger, NULL)));
}
END_TEST

START_TEST(the_desired_state_of_a_row_is_made_once)
{
	const struct queue_row row = row_of(_i);
	CLEANUP(cleanup_desired) struct desired_state *d = load(&row);
	const json_t *objects = desired_state_objects(d, NULL);
	const json_t *anchor = desired_state_anchor(d, NULL);
	struct err e;

	ck_assert_int_eq(desired_state_load(d, &e), 0);
	ck_assert_ptr_eq(desired_state_objects(d, NULL), objects);
	desired_state_shrink(d);
	ck_assert_ptr_eq(desired_state_anchor(d, NULL), anchor);
	ck_assert_str_eq(manifest_hash(anchor), desired_state_hash(d));
}
END_TEST

START_TEST(whatever_a_kind_owns_is_listed_when_it_is_to_go)
{
	struct queue_row row = row_of(_i);
	const struct kind *k = kind_all[_i];

	row.desired = DESIRED_GONE;
	ck_assert_uint_eq(assess_lists(k, &row), kind_owned(k));
	for (size_t i = 0; i < k->object_count; i++)
		ck_assert(kind_owned(k) & OBSERVE(k->objects[i]));
}
END_TEST

START_TEST(a_secret_that_cannot_be_opened_is_named)
{
	struct queue_row row = row_of(0);
	static const struct queue_variables none = { 0 };
	struct err e;

	row.id = "22222222-2222-4222-8222-222222222222"; /* it was sealed for another row */
	CLEANUP(cleanup_desired)
	struct desired_state *d = desired_state_new(&context, &kind_sandbox, &row, &none);
	ck_assert_int_eq(desired_state_load(d, &e), -1);
	ck_assert_int_eq(e.kind, ERR_INTERNAL);
	ck_assert_ptr_nonnull(strstr(e.message, "terminal:"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kind");
	TCase *tc = tcase_create("kind");

	tcase_add_unchecked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, every_kind_has_every_member, 0, ARRAY_SIZE(members));
	tcase_add_loop_test(tc, the_volumes_of_every_kind_are_guarded, 0, ARRAY_SIZE(members));
	tcase_add_loop_test(tc, a_kind_is_made_of_the_objects_that_its_row_names, 0,
			    ARRAY_SIZE(members));
	tcase_add_loop_test(tc, the_anchor_is_last_and_carries_the_hash_of_all, 0,
			    ARRAY_SIZE(members));
	tcase_add_loop_test(tc, the_desired_state_of_a_row_is_made_once, 0, ARRAY_SIZE(members));
	tcase_add_loop_test(tc, whatever_a_kind_owns_is_listed_when_it_is_to_go, 0,
			    ARRAY_SIZE(members));
	tcase_add_test(tc, each_form_of_a_database_has_its_kind);
	tcase_add_test(tc, a_secret_that_cannot_be_opened_is_named);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
