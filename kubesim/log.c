#include "log.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "map.h"
#include "object.h"

enum {
	KEPT = 65536, /* per run of a container */
	NAMES_MAX = 8192,
};

/* The logs of a container's latest run, and of the latest one that has ended. */
struct text {
	struct buf now, before;
	bool has_ended;
};

struct logs {
	struct map *texts; /* "uid/container" → struct text */
};

static void text_free(struct text *t)
{
	buf_release(&t->now);
	buf_release(&t->before);
	free(t);
}

struct logs *logs_new(void)
{
	struct logs *l = mem_calloc(1, sizeof(*l));

	l->texts = map_new();
	return l;
}

static void free_each(void *user, const char *key, void *value)
{
	(void)user, (void)key;
	text_free(value);
}

void logs_free(struct logs *l)
{
	map_visit(l->texts, free_each, NULL);
	map_free(l->texts);
	free(l);
}

bool log_is(const struct path *path)
{
	return path->kind != NULL && strcmp(path->plural, "pods") == 0 &&
	       path->namespace[0] != '\0' && strcmp(path->subresource, "log") == 0;
}

/* ---- choosing the container ------------------------------------------------------------------ */

static const char *parameter(const struct api_request *q, const char *name)
{
	const char *value = q->parameter(q->user, name);

	return value != NULL ? value : "";
}

static bool has_container(const json_t *containers, const char *name)
{
	const json_t *container;
	size_t i;

	json_array_foreach(containers, i, container)
	{
		if (strcmp(json_path_text(container, "name"), name) == 0)
			return true;
	}
	return false;
}

static int refuse_choice(const json_t *containers, const char *pod, struct refusal *r)
{
	CLEANUP(buf_release) struct buf names = BUF_INIT(NAMES_MAX);
	const json_t *container;
	size_t i;

	json_array_foreach(containers, i, container)
	{
		const char *name = json_path_text(container, "name");
		buf_append(&names, " ", i > 0 ? 1 : 0, NULL);
		buf_append(&names, name, strlen(name), NULL);
	}
	return refuse_bad_request(
		r, "a container name must be specified for pod %s, choose one of: [%s]", pod,
		names.data);
}

/* `*ret_key` is the key in `texts`; the caller frees it. */
static int find_container(const struct object *pod, const char *name, char **ret_key,
			  struct refusal *r)
{
	CLEANUP(json_decrefp) json_t *json = object_json(pod);
	const json_t *containers = json_path(json, "spec.containers");

	if (name[0] == '\0' && json_array_size(containers) > 1)
		return refuse_choice(containers, pod->name, r);
	if (name[0] == '\0')
		name = json_path_text(json_array_get(containers, 0), "name");
	else if (!has_container(containers, name) &&
		 !has_container(json_path(json, "spec.initContainers"), name))
		return refuse_bad_request(r, "container %s is not valid for pod %s", name,
					  pod->name);
	*ret_key = mem_printf("%s/%s", pod->uid, name);
	return 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* For messages of refusals. */
static const struct kind options = { .kind = "PodLogOptions", .kind_group = "PodLogOptions" };

/* Reads a number from the query; UINT64_MAX if it is missing. */
static int read_number(const struct api_request *q, const char *name, uint64_t least,
		       const struct object *pod, uint64_t *ret, struct refusal *r)
{
	const char *given = parameter(q, name);
	bool negative = given[0] == '-';

	*ret = UINT64_MAX;
	if (given[0] == '\0')
		return 0;
	if (!parse_u64(given + negative, 0, INT64_MAX, ret))
		return refuse_bad_request(r, "strconv.ParseInt: parsing \"%.100s\": invalid syntax",
					  given);
	if (!negative && *ret >= least)
		return 0;
	refuse_invalid_begin(r);
	refuse_invalid_field(r, "FieldValueInvalid", name, "%.100s: must be greater than %s", given,
			     least == 0 ? "or equal to 0" : "0");
	return refuse_invalid_end(r, &options, pod->name);
}

/* Returns where the last `lines` lines begin. */
static size_t tail_of(const struct buf *b, uint64_t lines)
{
	size_t at = b->length;

	if (lines == UINT64_MAX)
		return 0;
	if (at > 0 && b->data[at - 1] == '\n')
		at--;
	for (; at > 0; at--) {
		if (b->data[at - 1] == '\n' && --lines == 0)
			return at;
	}
	return lines == 0 ? b->length : 0;
}

static int write_log(const struct api_request *q, const struct object *pod, const struct buf *text,
		     struct api_answer *a, struct refusal *r)
{
	uint64_t lines, most;

	if (read_number(q, "tailLines", 0, pod, &lines, r) < 0 ||
	    read_number(q, "limitBytes", 1, pod, &most, r) < 0)
		return -1;
	a->code = 200;
	a->content_type = "text/plain";
	if (text == NULL || text->length == 0)
		return 0;
	size_t from = lines == 0 ? text->length : tail_of(text, lines);
	size_t length = text->length - from;
	buf_append(&a->body, text->data + from, length < most ? length : (size_t)most, NULL);
	return 0;
}

static int read_log(const struct sim *sim, const struct api_request *q, const struct object *pod,
		    const char *key, struct api_answer *a, struct refusal *r)
{
	const struct text *t = map_get(sim->logs->texts, key);
	bool previous = strcmp(parameter(q, "previous"), "true") == 0;

	if (previous && (t == NULL || !t->has_ended))
		return refuse_bad_request(
			r, "previous terminated container \"%s\" in pod \"%s\" not found",
			strchr(key, '/') + 1, pod->name);
	return write_log(q, pod, t == NULL ? NULL : previous ? &t->before : &t->now, a, r);
}

/* ---- logs from the node ---------------------------------------------------------------------- */

struct gone {
	const struct store *store;
	char *key; /* key of a container whose pod is gone; NULL if there is none */
};

static void find_gone(void *user, const char *key, void *value)
{
	struct gone *g = user;
	CLEANUP(cleanup_free) char *uid = mem_strndup(key, strcspn(key, "/"));

	(void)value;
	if (g->key == NULL && store_by_uid(g->store, uid) == NULL)
		g->key = mem_strdup(key);
}

/* Removes logs that nobody can request any more. */
static void forget_gone(const struct sim *sim)
{
	struct gone g = { .store = sim->store };

	map_visit(sim->logs->texts, find_gone, &g);
	if (g.key != NULL)
		text_free(map_remove(sim->logs->texts, g.key));
	free(g.key);
}

static void keep(struct buf *b, const char *text, size_t length)
{
	buf_reset(b);
	buf_append(b, text, length, NULL);
}

static struct text *find_or_make(const struct sim *sim, const char *key)
{
	struct text *t = map_get(sim->logs->texts, key);

	if (t != NULL)
		return t;
	forget_gone(sim);
	t = mem_calloc(1, sizeof(*t));
	*t = (struct text) { .now = BUF_INIT(KEPT), .before = BUF_INIT(KEPT) };
	(void)map_set(sim->logs->texts, key, t);
	return t;
}

/* A container that waits for its next run shows the log of the last one, with "previous" too. */
static int keep_log(const struct sim *sim, const struct api_request *q, const char *key,
		    struct api_answer *a, struct refusal *r)
{
	if (q->body_length > KEPT)
		return refuse_bad_request(r, "at most %d bytes of its end", KEPT);
	struct text *t = find_or_make(sim, key);
	keep(&t->now, q->body, q->body_length);
	if (strcmp(parameter(q, "ended"), "true") == 0) {
		keep(&t->before, q->body, q->body_length);
		t->has_ended = true;
	}
	a->code = 200;
	a->content_type = "text/plain";
	return 0;
}

/* ---- the request ----------------------------------------------------------------------------- */

static int check_rights(const struct api_request *q, const struct path *p, struct refusal *r)
{
	bool reads = strcmp(q->method, "GET") == 0;

	if (!reads && (strcmp(q->method, "PUT") != 0 || !user_is_admin(q->who)))
		return refuse_unserved(r, 405, "MethodNotAllowed",
				       "the server does not allow this method on the requested "
				       "resource");
	if (!reads || user_may(q->who, "get", p->namespace))
		return 0;
	return refuse_forbidden(r, p->kind, p->name,
				"User \"%s\" cannot get resource \"pods/log\" in API group \"\" in "
				"the namespace \"%s\"",
				user_name(q->who), p->namespace);
}

int log_serve(struct sim *sim, const struct api_request *q, const struct path *p,
	      struct api_answer *a, struct refusal *r)
{
	CLEANUP(cleanup_free) char *key = NULL;

	if (check_rights(q, p, r) < 0)
		return -1;
	const struct object *pod = store_get(sim->store, p->kind->id, p->namespace, p->name);
	if (pod == NULL)
		return refuse_not_found(r, p->kind, p->name);
	if (find_container(pod, parameter(q, "container"), &key, r) < 0)
		return -1;
	return strcmp(q->method, "GET") == 0 ? read_log(sim, q, pod, key, a, r)
					     : keep_log(sim, q, key, a, r);
}
