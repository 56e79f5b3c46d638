#include "kube/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/heartbeat.h"
#include "base/mem.h"
#include "http/client.h"
#include "kube/answer.h"
#include "kube/count.h"
#include "kube/limiter.h"
#include "kube/operation.h"
#include "kube/resource.h"
#include "kube/target.h"

enum {
	PAGES_MAX = 200,
	HANDSHAKES_MAX = 8,  /* per list: handshakes cost more than pages */
	LARGE_BYTES = 65536, /* a response from this size on takes long to parse */
	/* of memory that one unit of KUBE_JSON_COST takes at most (jansson 2.14) */
	COST_BYTES = 240,
};

#define APPLY_QUERY "fieldManager=" KUBE_FIELD_MANAGER "&force=true&fieldValidation=Strict"

static const struct {
	const char *name; /* in messages */
	const char *method;
	const char *content_type; /* of the body, as a header line */
	const char *query;        /* of requests about one object */
} verbs[] = {
	[KUBE_LIST] = { "list", "GET", NULL, NULL },
	[KUBE_GET] = { "get", "GET", NULL, "" },
	[KUBE_LOG] = { "log", "GET", NULL, NULL },
	[KUBE_APPLY] = { "apply", "PATCH", "Content-Type: application/apply-patch+yaml",
			 APPLY_QUERY },
	[KUBE_DRY_RUN] = { "dry-run", "PATCH", "Content-Type: application/apply-patch+yaml",
			   APPLY_QUERY "&dryRun=All" },
	[KUBE_REVIEW] = { "review", "POST", "Content-Type: application/json", "" },
	[KUBE_TYPES] = { "discover", "GET", NULL, "" },
	[KUBE_DELETE] = { "delete", "DELETE", "Content-Type: application/json", "" },
};

TAILQ_HEAD(kube_operation_list, kube_operation);

struct kube_client {
	struct http_client *http;
	uint64_t request_timeout_ms;
	size_t body_max;
	struct kube_limiters *limiters;
	struct kube_operation_list flying;
	struct kube_operation_list large;  /* whose responses wait to be parsed, one per poll */
	struct kube_operation_list unsent; /* called back at the next poll */
	size_t pending;
};

/* ---- the life of an operation -------------------------------------------------------------- */

static void free_operation(struct kube_operation *op)
{
	free(op->name);
	if (op->body != NULL)
		explicit_bzero(op->body, strlen(op->body)); /* may be a Secret */
	free(op->body);
	buf_wipe(&op->large);
	free(op->selection);
	if (op->header != NULL)
		explicit_bzero(op->header, strlen(op->header)); /* has a token */
	free(op->header);
	free(op->expected_kind);
	json_decref(op->pages);
	free(op);
}

struct kube_operation *kube_operation_new(struct kube_client *client, struct kube_target *target,
					  enum kube_verb verb, enum kube_resource resource,
					  kube_done_fn *done, void *user)
{
	struct kube_operation *op = mem_calloc(1, sizeof(*op));

	op->client = client;
	op->target = target;
	op->verb = verb;
	op->type = kube_resource_type(resource);
	op->members.unread = op->type->unread;
	op->accept = KUBE_ACCEPT_JSON;
	op->done = done;
	op->user = user;
	op->cost_left = KUBE_JSON_COST;
	op->slot = (struct kube_slot) { .tenant = &target->whole->tenant, .user = op };
	client->pending++;
	return op;
}

static void free_slot(struct kube_operation *op);

static void release_bytes(struct kube_operation *op, size_t *bytes)
{
	kube_budget_release(&op->target->budget, *bytes);
	*bytes = 0;
}

/* `op` is in no list any more. If the response is not what was expected, none of it is kept. */
static void finish(struct kube_operation *op, const struct kube_answer *answer)
{
	free_slot(op);
	if (!answer->ok ||
	    (op->verb != KUBE_LIST && op->verb != KUBE_GET && op->verb != KUBE_TYPES))
		release_bytes(op, &op->kept);
	op->client->pending--;
	op->done(op->user, answer);
	free_operation(op);
}

/* For requests that are not sent because of the caller's mistake, which is reported at the next
 * poll. */
void kube_operation_refuse(struct kube_operation *op, const char *code, const char *why)
{
	err_set(&op->refused, ERR_INTERNAL, code, "%s %s: %s", verbs[op->verb].name,
		op->type->plural, why);
	TAILQ_INSERT_TAIL(&op->client->unsent, op, link);
}

static struct kube_expected expected_of(const struct kube_operation *op, size_t *cost_left)
{
	return (struct kube_expected) { .verb = verbs[op->verb].name,
					.plural = op->type->plural,
					.name = op->name,
					.kind = op->expected_kind,
					.foreign = op->foreign,
					.is_text = op->verb == KUBE_LOG,
					.secret = op->target->token,
					.members = op->members,
					.cost_left = cost_left };
}

/* ---- sending ------------------------------------------------------------------------------- */

static char *url_of(const struct kube_operation *op, const char *query)
{
	CLEANUP(cleanup_free)
	char *within = mem_printf("namespaces/%s/", op->target->namespace);

	if (op->verb == KUBE_TYPES)
		return mem_printf("%s/%s", op->target->server, op->type->prefix);
	return mem_printf("%s/%s/%s%s%s%s%s%s%s", op->target->server, op->type->prefix,
			  kube_resource_is_namespaced(op->type) ? within : "", op->type->plural,
			  op->name ? "/" : "", op->name ? op->name : "",
			  op->verb == KUBE_LOG ? "/log" : "", query[0] != '\0' ? "?" : "", query);
}

static void take_answer(void *user, const struct http_answer *http);

/* Twice the size: a buffer grows by doubling. */
static bool reserve_bytes(void *user, size_t bytes)
{
	struct kube_operation *op = user;

	if (!kube_budget_take(&op->target->budget, 2 * bytes))
		return false;
	op->coming += 2 * bytes;
	return true;
}

static void send_request(struct kube_operation *op, const char *query)
{
	CLEANUP(cleanup_free) char *url = url_of(op, query);
	int64_t left = op->deadline_ms - (int64_t)clock_ms();
	struct http_request request = {
		.method = verbs[op->verb].method,
		.url = url,
		.owner = op->target->owner,
		.headers = { op->accept },
		.body = op->body,
		.trust = &op->target->trust,
		.timeout_ms = left > 0 ? (uint64_t)left : 1,
		.body_max = op->client->body_max - op->received,
		.reserve_bytes = reserve_bytes,
	};
	size_t count = 1;

	if (op->target->authorization != NULL)
		request.headers[count++] = op->target->authorization;
	if (op->header != NULL)
		request.headers[count++] = op->header;
	if (op->body != NULL)
		request.headers[count++] = verbs[op->verb].content_type;
	TAILQ_INSERT_TAIL(&op->client->flying, op, link);
	op->sent_us = clock_us();
	http_client_submit(op->client->http, &request, take_answer, op);
}

/* Requests the page after the one that returned `token`; NULL: the first. */
static void send_page(struct kube_operation *op, const char *token)
{
	CLEANUP(cleanup_free) char *escaped = http_escape(token != NULL ? token : "");
	CLEANUP(cleanup_free)
	char *query =
		mem_printf("%s%s%s", op->selection, token != NULL ? "&continue=" : "", escaped);

	send_request(op, query);
}

/* ---- lists --------------------------------------------------------------------------------- */

static const char *continue_token(const json_t *page)
{
	const char *token =
		json_string_value(json_object_get(json_object_get(page, "metadata"), "continue"));

	return token != NULL && token[0] != '\0' ? token : NULL;
}

/* Checks whether another page may be requested. */
static int check_connections(const struct kube_operation *op, struct err *e)
{
	const struct kube_expected expected = expected_of(op, NULL);

	if (op->handshakes <= HANDSHAKES_MAX)
		return 0;
	err_set(e, ERR_KUBE_PROTOCOL, "TOO_MANY_CONNECTIONS",
		"the server closes the connection after each page of a long list");
	return kube_answer_wrap(&expected, e);
}

/* Appends a page to the previous ones. */
static int add_page(struct kube_operation *op, json_t *page, struct err *e)
{
	json_t *items = json_object_get(page, "items");

	if (items == NULL || json_is_null(items))
		(void)json_object_set_new(page, "items", items = json_array());
	if (!json_is_array(items) || ++op->page_count > PAGES_MAX) {
		const struct kube_expected expected = expected_of(op, NULL);
		err_set(e, ERR_KUBE_PROTOCOL, "NOT_A_LIST", "not a list, or one without end");
		return kube_answer_wrap(&expected, e);
	}
	if (op->pages == NULL) {
		op->pages = json_incref(page);
		return 0;
	}
	(void)json_array_extend(json_object_get(op->pages, "items"), items);
	return json_object_set(op->pages, "metadata", json_object_get(page, "metadata"));
}

/* A list that outlives its `continue` token begins again, once. */
static bool restart(struct kube_operation *op, const struct err *error)
{
	if (op->pages == NULL || op->restarted || strcmp(error->code, "EXPIRED") != 0)
		return false;
	json_decref(STEAL(op->pages));
	release_bytes(op, &op->kept);
	op->received = 0;
	op->cost_left = KUBE_JSON_COST;
	op->page_count = 0;
	op->restarted = true;
	send_page(op, NULL);
	return true;
}

/* Returns whether the list continues, with another request under way. */
static bool continue_list(struct kube_operation *op, size_t length, json_t *page,
			  struct kube_answer *answer)
{
	if (!answer->ok)
		return restart(op, &answer->err);
	op->received += length;
	answer->ok = add_page(op, page, &answer->err) == 0;
	if (!answer->ok)
		return false;
	answer->body = op->pages;
	if (continue_token(page) == NULL)
		return false;
	answer->ok = check_connections(op, &answer->err) == 0;
	if (!answer->ok)
		return false;
	send_page(op, continue_token(page));
	return true;
}

/* Builds no more JSON than the budget has memory for: its text, and a fixed amount for each
 * value. */
static int read_answer(struct kube_operation *op, const struct http_answer *http, json_t **ret_body,
		       struct err *e)
{
	size_t bytes_left = kube_budget_left(&op->target->budget);
	size_t affordable =
		bytes_left > http->length ? (bytes_left - http->length) / COST_BYTES : 0;
	size_t cost = affordable < op->cost_left ? affordable : op->cost_left;
	size_t left = cost;
	const struct kube_expected expected = expected_of(op, &left);
	int result = kube_answer_read(http, &expected, ret_body, e);

	op->cost_left -= cost - left;
	if (*ret_body != NULL) {
		size_t bytes = http->length + (cost - left) * COST_BYTES;
		(void)kube_budget_take(&op->target->budget, bytes);
		op->kept += bytes;
	}
	release_bytes(op, &op->coming); /* the body is freed when we return */
	return result;
}

static void use_answer(struct kube_operation *op, const struct http_answer *http)
{
	json_auto_t *body = NULL;
	struct kube_answer answer = { .http_status = http->status, .date = http->date };

	heartbeat_owner(op->target->owner);
	answer.ok = read_answer(op, http, &body, &answer.err) == 0;
	answer.body = body;
	if (op->verb == KUBE_LIST && continue_list(op, http->length, body, &answer))
		return;
	finish(op, &answer);
}

/* Parsing a large response takes a while, during which others must not wait for many like it. */
static void set_aside(struct kube_operation *op, const struct http_answer *http)
{
	op->large = BUF_INIT(http->length);
	(void)buf_append(&op->large, http->body, http->length, NULL);
	op->answer = (struct http_answer) { .message = "",
					    .status = http->status,
					    .retry_after_s = http->retry_after_s,
					    .date = http->date };
	TAILQ_INSERT_TAIL(&op->client->large, op, link);
}

static void take_answer(void *user, const struct http_answer *http)
{
	struct kube_operation *op = user;

	TAILQ_REMOVE(&op->client->flying, op, link);
	op->handshakes += http->handshakes;
	kube_count_request(op->target->server, verbs[op->verb].name, http,
			   clock_us() - op->sent_us);
	if (http->failure == HTTP_OK && http->length > LARGE_BYTES)
		set_aside(op, http);
	else
		use_answer(op, http);
}

static void use_large(struct kube_client *client)
{
	struct kube_operation *op = TAILQ_FIRST(&client->large);

	if (op == NULL)
		return;
	CLEANUP(buf_wipe) struct buf body = STEAL_STRUCT(op->large);
	struct http_answer http = op->answer;
	http.body = body.data;
	http.length = body.length;
	if (op->deadline_ms <= (int64_t)clock_ms()) {
		http.failure = HTTP_TIMEOUT;
		http.message = "there was no time left to read so large an answer";
	}
	TAILQ_REMOVE(&client->large, op, link);
	use_answer(op, &http);
}

/* ---- the limit of requests in flight -------------------------------------------------------- */

static void launch(struct kube_operation *op)
{
	op->deadline_ms = (int64_t)clock_ms() + (int64_t)op->client->request_timeout_ms;
	if (op->verb == KUBE_LIST)
		send_page(op, NULL);
	else
		send_request(op, op->selection != NULL ? op->selection : verbs[op->verb].query);
}

/* Sends it, or queues it for a slot. */
void kube_operation_submit(struct kube_operation *op)
{
	op->slot.until_ms = (int64_t)clock_ms() + (int64_t)op->client->request_timeout_ms;
	if (kube_limiter_enter(op->client->limiters, op->target->server, &op->slot))
		launch(op);
}

/* It has waited too long, which is reported at the next poll. */
static void drop(struct kube_operation *op)
{
	err_set(&op->refused, ERR_KUBE_TIMEOUT, KUBE_NOT_SENT,
		"%s %s: not sent, because the server is busy with other requests",
		verbs[op->verb].name, op->type->plural);
	TAILQ_INSERT_TAIL(&op->client->unsent, op, link);
}

/* The operation is over: the next one gets its slot. */
static void free_slot(struct kube_operation *op)
{
	struct kube_slot *slot;

	if (op->slot.limiter == NULL)
		return;
	while ((slot = kube_limiter_expire(op->slot.limiter, (int64_t)clock_ms())) != NULL)
		drop(slot->user);
	slot = kube_limiter_leave(&op->slot);
	if (slot != NULL)
		launch(slot->user);
}

/* ---- the client ---------------------------------------------------------------------------- */

static size_t finish_unsent(struct kube_client *client)
{
	struct kube_operation_list batch = TAILQ_HEAD_INITIALIZER(batch);
	size_t count = 0;

	TAILQ_CONCAT(&batch, &client->unsent, link); /* callbacks may submit */
	for (struct kube_operation *op; (op = TAILQ_FIRST(&batch)) != NULL; count++) {
		/* The analyzer does not see that TAILQ_REMOVE changes the head.
		 * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		const struct kube_answer answer = { .err = op->refused };
		TAILQ_REMOVE(&batch, op, link);
		finish(op, &answer);
	}
	return count;
}

void kube_client_poll(struct kube_client *client, int timeout_ms, int wake_fd)
{
	struct kube_slot *late;

	while ((late = kube_limiters_expire(client->limiters, (int64_t)clock_ms())) != NULL)
		drop(late->user);
	size_t done = finish_unsent(client);

	if (done > 0 || !TAILQ_EMPTY(&client->large))
		timeout_ms = 0;
	(void)http_client_poll(client->http, timeout_ms, wake_fd);
	use_large(client);
}

size_t kube_client_pending(const struct kube_client *client)
{
	return client->pending;
}

struct http_client *kube_client_http(struct kube_client *client)
{
	return client->http;
}

uint64_t kube_client_requests(const struct kube_client *client)
{
	return http_client_submitted(client->http);
}

int kube_client_new(const struct kube_client_options *options, struct kube_client **ret_client,
		    struct err *e)
{
	const struct http_client_options http_options = {
		.connect_timeout_ms = options->connect_timeout_ms,
		.allow_addresses = options->allow_addresses,
		.ca_file = options->ca_file,
		.refused = options->refused,
	};
	struct http_client *http;

	if (http_client_new(&http_options, &http, e) < 0)
		return -1;
	struct kube_client *client = mem_calloc(1, sizeof(*client));
	client->http = http;
	client->request_timeout_ms = options->request_timeout_ms;
	client->body_max = options->body_max;
	client->limiters = kube_limiters_new();
	TAILQ_INIT(&client->flying);
	TAILQ_INIT(&client->large);
	TAILQ_INIT(&client->unsent);
	*ret_client = client;
	return 0;
}

static void free_all(struct kube_operation_list *list)
{
	for (struct kube_operation *op; (op = TAILQ_FIRST(list)) != NULL;) {
		TAILQ_REMOVE(list, op, link);
		if (op->slot.limiter != NULL)
			(void)kube_limiter_leave(&op->slot); /* nobody is waiting any more */
		free_operation(op);
	}
}

void kube_client_free(struct kube_client *client)
{
	if (client == NULL)
		return;
	struct kube_slot *slot;
	while ((slot = kube_limiters_expire(client->limiters, INT64_MAX)) != NULL)
		free_operation(slot->user);
	http_client_free(client->http);
	free_all(&client->flying);
	free_all(&client->large);
	free_all(&client->unsent);
	kube_limiters_free(client->limiters);
	free(client);
}
