#include "kube/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "http/client.h"
#include "kube/answer.h"
#include "kube/count.h"
#include "kube/lane.h"
#include "kube/resource.h"
#include "kube/target.h"

enum {
	PAGE_ITEMS = 500,
	PAGES_MAX = 200,
	NAME_MAX_LENGTH = 253,
	LARGE_BYTES = 65536, /* an answer that takes its time to read */
	COST_BYTES = 240,    /* of memory that one of KUBE_JSON_COST is, at most (jansson 2.14) */
};

enum verb { LIST, GET, APPLY, DELETE };

static const struct {
	const char *name; /* in messages */
	const char *method;
	const char *content_type; /* of the body, a header line */
	const char *query;        /* of what concerns one object */
} verbs[] = {
	[LIST] = { "list", "GET", NULL, NULL },
	[GET] = { "get", "GET", NULL, "" },
	[APPLY] = { "apply", "PATCH", "Content-Type: application/apply-patch+yaml",
		    "fieldManager=" KUBE_FIELD_MANAGER "&force=true&fieldValidation=Strict" },
	[DELETE] = { "delete", "DELETE", "Content-Type: application/json", "" },
};

#define METADATA      "PartialObjectMetadata" /* what objects are without spec and status */
#define METADATA_LIST METADATA "List"

static const char accept_json[] = "Accept: application/json";
static const char accept_metadata[] = "Accept: application/json;as=" METADATA ";g=meta.k8s.io;v=v1";
static const char accept_metadata_list[] =
	"Accept: application/json;as=" METADATA_LIST ";g=meta.k8s.io;v=v1";

/* One submitted request: one HTTP request, or for a list one a page. */
struct operation {
	TAILQ_ENTRY(operation) link;
	struct kube_client *client;
	struct kube_turn turn;
	struct kube_target *target;
	enum verb verb;
	const struct kube_resource_type *type;
	kube_done_fn *done;
	void *user;
	int64_t deadline_ms; /* once it is sent */
	uint64_t sent_us;
	char *name;
	char *body;
	struct err refused; /* of those that are not sent */
	/* lists */
	char *selection; /* the query without `continue` */
	char *wanted_kind;
	const char *accept; /* a header line */
	json_t *pages;      /* the first page, with the items of all */
	size_t received;
	size_t cost_left;
	struct buf large;          /* an answer's body that waits to be read, */
	struct http_answer answer; /* and the rest of it */
	size_t coming, kept; /* of the target's room: for the body under way, for what was read */
	unsigned page_count;
	bool restarted;
};

TAILQ_HEAD(operation_list, operation);

struct kube_client {
	struct http_client *http;
	uint64_t request_timeout_ms;
	size_t body_max;
	struct kube_lanes *lanes;
	struct operation_list flying;
	struct operation_list large;  /* whose answers wait to be read, one a poll */
	struct operation_list unsent; /* called back at the next poll */
	size_t pending;
};

/* ---- the life of an operation -------------------------------------------------------------- */

static void free_operation(struct operation *op)
{
	free(op->name);
	if (op->body != NULL)
		explicit_bzero(op->body, strlen(op->body)); /* may be a Secret */
	free(op->body);
	buf_wipe(&op->large);
	free(op->selection);
	free(op->wanted_kind);
	json_decref(op->pages);
	free(op);
}

static struct operation *new_operation(struct kube_client *client, struct kube_target *target,
				       enum verb verb, enum kube_resource resource,
				       kube_done_fn *done, void *user)
{
	struct operation *op = mem_calloc(1, sizeof(*op));

	op->client = client;
	op->target = target;
	op->verb = verb;
	op->type = kube_resource_type(resource);
	op->accept = accept_json;
	op->done = done;
	op->user = user;
	op->cost_left = KUBE_JSON_COST;
	op->turn = (struct kube_turn) { .asker = &target->whole->asker, .user = op };
	client->pending++;
	return op;
}

static void end_turn(struct operation *op);

static void give_back(struct operation *op, size_t *bytes)
{
	kube_room_give(&op->target->room, *bytes);
	*bytes = 0;
}

/* `op` is in no list any more. Of an answer that is not what was to be read nothing is kept. */
static void finish(struct operation *op, const struct kube_answer *answer)
{
	end_turn(op);
	if (!answer->ok || op->verb == APPLY || op->verb == DELETE)
		give_back(op, &op->kept);
	op->client->pending--;
	op->done(op->user, answer);
	free_operation(op);
}

/* For what is not sent: our caller's mistake, told at the next poll. */
static void refuse(struct operation *op, const char *code, const char *why)
{
	err_set(&op->refused, ERR_INTERNAL, code, "%s %s: %s", verbs[op->verb].name,
		op->type->plural, why);
	TAILQ_INSERT_TAIL(&op->client->unsent, op, link);
}

static struct kube_expected expected_of(const struct operation *op, size_t *cost_left)
{
	return (struct kube_expected) { .verb = verbs[op->verb].name,
					.plural = op->type->plural,
					.name = op->name,
					.kind = op->wanted_kind,
					.secret = op->target->token,
					.unread = op->type->unread,
					.cost_left = cost_left };
}

/* ---- sending ------------------------------------------------------------------------------- */

static char *url_of(const struct operation *op, const char *query)
{
	return mem_printf("%s/%s/namespaces/%s/%s%s%s%s%s", op->target->server, op->type->prefix,
			  op->target->namespace, op->type->plural, op->name ? "/" : "",
			  op->name ? op->name : "", query[0] != '\0' ? "?" : "", query);
}

static void take_answer(void *user, const struct http_answer *http);

/* Twice: a buffer grows by doubling. */
static bool make_room(void *user, size_t bytes)
{
	struct operation *op = user;

	if (!kube_room_take(&op->target->room, 2 * bytes))
		return false;
	op->coming += 2 * bytes;
	return true;
}

static void send_request(struct operation *op, const char *query)
{
	CLEANUP(cleanup_free) char *url = url_of(op, query);
	int64_t left = op->deadline_ms - (int64_t)clock_ms();
	struct http_request request = {
		.method = verbs[op->verb].method,
		.url = url,
		.headers = { op->accept },
		.body = op->body,
		.trust = &op->target->trust,
		.timeout_ms = left > 0 ? (uint64_t)left : 1,
		.body_max = op->client->body_max - op->received,
		.make_room = make_room,
	};
	size_t count = 1;

	if (op->target->authorization != NULL)
		request.headers[count++] = op->target->authorization;
	if (op->body != NULL)
		request.headers[count++] = verbs[op->verb].content_type;
	TAILQ_INSERT_TAIL(&op->client->flying, op, link);
	op->sent_us = clock_us();
	http_client_submit(op->client->http, &request, take_answer, op);
}

/* The page after the one that gave `token`; NULL: the first. */
static void send_page(struct operation *op, const char *token)
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

/* Adds a page to what came before. */
static int add_page(struct operation *op, json_t *page, struct err *e)
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

/* A list that outlived its `continue` token begins again, once. */
static bool restart(struct operation *op, const struct err *error)
{
	if (op->pages == NULL || op->restarted || strcmp(error->code, "EXPIRED") != 0)
		return false;
	json_decref(STEAL(op->pages));
	give_back(op, &op->kept);
	op->received = 0;
	op->cost_left = KUBE_JSON_COST;
	op->page_count = 0;
	op->restarted = true;
	send_page(op, NULL);
	return true;
}

/* Whether the list goes on, with another request under way. */
static bool continue_list(struct operation *op, size_t length, json_t *page,
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
	send_page(op, continue_token(page));
	return true;
}

/* Builds no more JSON than there is room for: its texts, and so much for each of its values. */
static int read_answer(struct operation *op, const struct http_answer *http, json_t **ret_body,
		       struct err *e)
{
	size_t room = kube_room_left(&op->target->room);
	size_t affordable = room > http->length ? (room - http->length) / COST_BYTES : 0;
	size_t cost = affordable < op->cost_left ? affordable : op->cost_left;
	size_t left = cost;
	const struct kube_expected expected = expected_of(op, &left);
	int result = kube_answer_read(http, &expected, ret_body, e);

	op->cost_left -= cost - left;
	if (*ret_body != NULL) {
		size_t bytes = http->length + (cost - left) * COST_BYTES;
		(void)kube_room_take(&op->target->room, bytes);
		op->kept += bytes;
	}
	give_back(op, &op->coming); /* the body goes when we return */
	return result;
}

static void use_answer(struct operation *op, const struct http_answer *http)
{
	json_auto_t *body = NULL;
	struct kube_answer answer = { .http_status = http->status, .date = http->date };

	answer.ok = read_answer(op, http, &body, &answer.err) == 0;
	answer.body = body;
	if (op->verb == LIST && continue_list(op, http->length, body, &answer))
		return;
	finish(op, &answer);
}

/* Its JSON takes its time. Others' answers are not to wait for that of many like it. */
static void set_aside(struct operation *op, const struct http_answer *http)
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
	struct operation *op = user;

	TAILQ_REMOVE(&op->client->flying, op, link);
	kube_count_request(op->target->server, verbs[op->verb].name, http,
			   clock_us() - op->sent_us);
	if (http->failure == HTTP_OK && http->length > LARGE_BYTES)
		set_aside(op, http);
	else
		use_answer(op, http);
}

static void use_large(struct kube_client *client)
{
	struct operation *op = TAILQ_FIRST(&client->large);

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

/* ---- one server's share --------------------------------------------------------------------- */

static void launch(struct operation *op)
{
	op->deadline_ms = (int64_t)clock_ms() + (int64_t)op->client->request_timeout_ms;
	if (op->verb == LIST)
		send_page(op, NULL);
	else
		send_request(op, verbs[op->verb].query);
}

/* Sends it, or lets it wait for its turn. */
static void submit(struct operation *op)
{
	op->turn.until_ms = (int64_t)clock_ms() + (int64_t)op->client->request_timeout_ms;
	if (kube_lane_enter(op->client->lanes, op->target->server, &op->turn))
		launch(op);
}

/* It has waited too long, and is told so at the next poll. */
static void drop(struct operation *op)
{
	err_set(&op->refused, ERR_KUBE_TIMEOUT, KUBE_NOT_SENT,
		"%s %s: not sent, because the server is busy with other requests",
		verbs[op->verb].name, op->type->plural);
	TAILQ_INSERT_TAIL(&op->client->unsent, op, link);
}

/* An operation is over: it is the next one's turn. */
static void end_turn(struct operation *op)
{
	struct kube_turn *turn;

	if (op->turn.lane == NULL)
		return;
	while ((turn = kube_lane_late(op->turn.lane, (int64_t)clock_ms())) != NULL)
		drop(turn->user);
	turn = kube_lane_leave(&op->turn);
	if (turn != NULL)
		launch(turn->user);
}

/* ---- submitting ---------------------------------------------------------------------------- */

/* Adds "&name=value" to a query. */
static void add_parameter(char **query, const char *name, const char *value)
{
	if (value == NULL)
		return;
	CLEANUP(cleanup_free) char *before = *query;
	CLEANUP(cleanup_free) char *escaped = http_escape(value);
	*query = mem_printf("%s&%s=%s", before, name, escaped);
}

void kube_submit_list(struct kube_client *client, struct kube_target *target,
		      const struct kube_list *list, kube_done_fn *done, void *user)
{
	struct operation *op = new_operation(client, target, LIST, list->resource, done, user);

	if (list->metadata_only)
		op->accept = accept_metadata_list;
	op->wanted_kind = list->metadata_only ? mem_strdup(METADATA_LIST)
					      : mem_printf("%sList", op->type->kind);
	op->selection = mem_printf("limit=%d", PAGE_ITEMS);
	add_parameter(&op->selection, "labelSelector", list->label_selector);
	add_parameter(&op->selection, "fieldSelector", list->field_selector);
	submit(op);
}

/* Names go into paths: "" would mean the whole collection, ".." another one. */
static bool is_name(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.");

	return name[length] == '\0' && length > 0 && length <= NAME_MAX_LENGTH && name[0] != '.' &&
	       name[0] != '-';
}

/* What concerns one object. */
static void submit_named(struct operation *op, const char *name)
{
	op->name = mem_strdup(name);
	if (is_name(name))
		submit(op);
	else
		refuse(op, "BAD_NAME", "not a name of an object");
}

void kube_submit_get(struct kube_client *client, struct kube_target *target,
		     enum kube_resource resource, const char *name, kube_done_fn *done, void *user)
{
	struct operation *op = new_operation(client, target, GET, resource, done, user);

	op->wanted_kind = mem_strdup(op->type->kind);
	submit_named(op, name);
}

void kube_submit_delete(struct kube_client *client, struct kube_target *target,
			enum kube_resource resource, const char *name, const char *uid,
			kube_done_fn *done, void *user)
{
	struct operation *op = new_operation(client, target, DELETE, resource, done, user);
	json_auto_t *options = json_pack("{s:s, s:s, s:s}", "kind", "DeleteOptions", "apiVersion",
					 "v1", "propagationPolicy", "Background");

	/* Fails if `uid` is not UTF-8; without the precondition it must not go. */
	if (uid != NULL &&
	    json_object_set_new(options, "preconditions", json_pack("{s:s}", "uid", uid)) < 0) {
		refuse(op, "BAD_UID", "not a UID of an object");
		return;
	}
	op->body = json_dumps(options, JSON_COMPACT);
	submit_named(op, name);
}

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text != NULL ? text : "";
}

void kube_submit_apply(struct kube_client *client, struct kube_target *target, json_t *object,
		       kube_done_fn *done, void *user)
{
	const json_t *metadata = json_object_get(object, "metadata");
	const char *namespace = text_of(metadata, "namespace");
	enum kube_resource resource = KUBE_RESOURCE_COUNT;
	bool known = kube_resource_find(text_of(object, "apiVersion"), text_of(object, "kind"),
					&resource);
	struct operation *op = new_operation(client, target, APPLY, resource, done, user);

	if (!known) {
		refuse(op, "BAD_TYPE", "its apiVersion and kind are none of ours");
		return;
	}
	if (namespace[0] != '\0' && strcmp(namespace, target->namespace) != 0) {
		refuse(op, "BAD_NAMESPACE", "the object is for another namespace");
		return;
	}
	op->accept = resource == KUBE_SECRETS ? accept_metadata : accept_json;
	op->wanted_kind = mem_strdup(resource == KUBE_SECRETS ? METADATA : op->type->kind);
	op->body = json_dumps(object, JSON_COMPACT);
	submit_named(op, text_of(metadata, "name"));
}

/* ---- the client ---------------------------------------------------------------------------- */

static size_t finish_unsent(struct kube_client *client)
{
	struct operation_list batch = TAILQ_HEAD_INITIALIZER(batch);
	size_t count = 0;

	TAILQ_CONCAT(&batch, &client->unsent, link); /* callbacks may submit */
	for (struct operation *op; (op = TAILQ_FIRST(&batch)) != NULL; count++) {
		/* The analyzer does not see that TAILQ_REMOVE moves the head on.
		 * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		const struct kube_answer answer = { .err = op->refused };
		TAILQ_REMOVE(&batch, op, link);
		finish(op, &answer);
	}
	return count;
}

void kube_client_poll(struct kube_client *client, int timeout_ms, int wake_fd)
{
	struct kube_turn *late;

	while ((late = kube_lanes_late(client->lanes, (int64_t)clock_ms())) != NULL)
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
	client->lanes = kube_lanes_new();
	TAILQ_INIT(&client->flying);
	TAILQ_INIT(&client->large);
	TAILQ_INIT(&client->unsent);
	*ret_client = client;
	return 0;
}

static void free_all(struct operation_list *list)
{
	for (struct operation *op; (op = TAILQ_FIRST(list)) != NULL;) {
		TAILQ_REMOVE(list, op, link);
		if (op->turn.lane != NULL)
			(void)kube_lane_leave(&op->turn); /* nobody waits any more */
		free_operation(op);
	}
}

void kube_client_free(struct kube_client *client)
{
	if (client == NULL)
		return;
	struct kube_turn *turn;
	while ((turn = kube_lanes_late(client->lanes, INT64_MAX)) != NULL)
		free_operation(turn->user);
	http_client_free(client->http);
	free_all(&client->flying);
	free_all(&client->large);
	free_all(&client->unsent);
	kube_lanes_free(client->lanes);
	free(client);
}
