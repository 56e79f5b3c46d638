/*
 * What test_client.py needs of the Kubernetes client:
 *
 *	client_driver KUBECONFIG < requests
 *
 * A request is a line of JSON: {"apply": OBJECT}, {"get": [TYPE, NAME]}, {"delete": [TYPE, NAME,
 * UID or null]}, {"list": TYPE, "labels": …, "fields": …, "metadataOnly": …}, {"dryRun": OBJECT},
 * {"namespace": true} or {"review": true}. All lines up to an
 * empty one, or the end, are under way together; then their answers are printed in the same order,
 * {"ok", "kind", "code", "message", "status", "body"}, and {"sockets", "requests"}.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "crypto/token.h"
#include "kube/client.h"
#include "kube/kubeconfig.h"

enum { ANSWERS_MAX = 1000, LINE_MAX_BYTES = 1 << 20, DESCRIPTORS = 256 };

static struct kube_client *client;
static struct kube_target *target;
static json_t *answers[ANSWERS_MAX];

static void fail(const char *what, const char *why)
{
	(void)fprintf(stderr, "client_driver: %s: %s\n", what, why);
	exit(EXIT_FAILURE);
}

static void connect_to(const char *path)
{
	CLEANUP(buf_wipe) struct buf text = BUF_INIT(KUBECONFIG_MAX_BYTES);
	CLEANUP(kubeconfig_clear) struct kubeconfig config = { 0 };
	const struct kube_client_options options = { .connect_timeout_ms = 10000,
						     .request_timeout_ms = 30000,
						     .body_max = 8 << 20,
						     .allow_addresses = "127.0.0.0/8" };
	struct err e;

	if (buf_read_file(&text, path, &e) < 0 ||
	    kubeconfig_parse(text.data, text.length, &config, &e) < 0 ||
	    kube_client_new(&options, &client, &e) < 0 || kube_target_new(&config, &target, &e) < 0)
		fail(path, e.message);
}

static void record(void *user, const struct kube_answer *answer)
{
	json_t **slot = user;

	if (*slot != NULL)
		fail("an answer", "called back twice");
	*slot = json_pack("{s:b, s:s, s:s, s:s, s:i, s:O?}", "ok", answer->ok, "kind",
			  answer->ok ? "" : err_kind_name(answer->err.kind), "code",
			  answer->err.code, "message", answer->err.message, "status",
			  (int)answer->http_status, "body", answer->body);
}

static enum kube_resource resource_of(const json_t *plural)
{
	for (int i = 0; i < KUBE_RESOURCE_COUNT; i++) {
		if (json_is_string(plural) && strcmp(kube_resource_plural((enum kube_resource)i),
						     json_string_value(plural)) == 0)
			return (enum kube_resource)i;
	}
	fail("a request", "no such type");
	abort();
}

static void submit_list(const json_t *request, json_t **slot)
{
	const struct kube_list list = {
		.resource = resource_of(json_object_get(request, "list")),
		.label_selector = json_string_value(json_object_get(request, "labels")),
		.field_selector = json_string_value(json_object_get(request, "fields")),
		.metadata_only = json_is_true(json_object_get(request, "metadataOnly")),
	};

	kube_submit_list(client, target, &list, record, slot);
}

static void submit(const char *line, json_t **slot)
{
	json_auto_t *request = json_loads(line, 0, NULL);
	json_t *apply = json_object_get(request, "apply");
	json_t *get = json_object_get(request, "get");
	json_t *delete = json_object_get(request, "delete");
	json_t *dry_run = json_object_get(request, "dryRun");

	if (apply != NULL)
		kube_submit_apply(client, target, apply, record, slot);
	else if (get != NULL)
		kube_submit_get(client, target, resource_of(json_array_get(get, 0)),
				json_string_value(json_array_get(get, 1)), record, slot);
	else if (delete != NULL)
		kube_submit_delete(client, target, resource_of(json_array_get(delete, 0)),
				   json_string_value(json_array_get(delete, 1)),
				   json_string_value(json_array_get(delete, 2)), record, slot);
	else if (dry_run != NULL)
		kube_submit_dry_run(client, target, dry_run, record, slot);
	else if (json_object_get(request, "namespace") != NULL)
		kube_submit_namespace(client, target, record, slot);
	else if (json_object_get(request, "review") != NULL)
		kube_submit_rules_review(client, target, record, slot);
	else
		submit_list(request, slot);
}

/* Returns the number of open connections. */
static int count_sockets(void)
{
	struct sockaddr_in peer;
	int count = 0;

	for (int fd = 3; fd < DESCRIPTORS; fd++) {
		socklen_t length = sizeof(peer);
		count += getpeername(fd, (struct sockaddr *)&peer, &length) == 0 &&
			 peer.sin_family == AF_INET;
	}
	return count;
}

static void print(json_t *line)
{
	if (line == NULL || json_dumpf(line, stdout, JSON_COMPACT) < 0)
		fail("an answer", "none");
	json_decref(line);
	(void)putchar('\n');
}

static void finish(size_t count)
{
	while (kube_client_pending(client) > 0)
		kube_client_poll(client, 1000, -1);
	for (size_t i = 0; i < count; i++)
		print(STEAL(answers[i]));
	print(json_pack("{s:i, s:I}", "sockets", count_sockets(), "requests",
			(json_int_t)kube_client_requests(client)));
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	static char line[LINE_MAX_BYTES];
	size_t count = 0;

	if (argc != 2)
		fail("usage", "client_driver KUBECONFIG < requests");
	crypto_init();
	connect_to(argv[1]);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (line[0] != '\n' && count < ANSWERS_MAX) {
			submit(line, &answers[count++]);
			continue;
		}
		finish(count);
		count = 0;
	}
	finish(count);
	kube_client_free(client);
	kube_target_free(target);
	return EXIT_SUCCESS;
}
