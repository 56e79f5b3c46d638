#include "proxy.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "map.h"
#include "object.h"

struct proxies {
	struct map *answers; /* namespace → JSON */
};

struct proxies *proxies_new(void)
{
	struct proxies *p = mem_calloc(1, sizeof(*p));

	p->answers = map_new();
	return p;
}

static void free_each(void *user, const char *key, void *value)
{
	(void)user, (void)key;
	json_decref(value);
}

void proxies_free(struct proxies *p)
{
	map_visit(p->answers, free_each, NULL);
	map_free(p->answers);
	free(p);
}

void proxies_set(struct proxies *p, const char *namespace, json_t *answer)
{
	json_decref(map_remove(p->answers, namespace));
	if (answer != NULL)
		(void)map_set(p->answers, namespace, json_incref(answer));
}

bool proxy_is(const struct path *path)
{
	return path->kind != NULL && strcmp(path->plural, "pods") == 0 &&
	       path->namespace[0] != '\0' && strcmp(path->subresource, "proxy") == 0;
}

static int check_rights(const struct api_request *q, const struct path *p, struct refusal *r)
{
	if (strcmp(q->method, "GET") != 0)
		return refuse_unserved(r, 405, "MethodNotAllowed",
				       "the server does not allow this method on the requested "
				       "resource");
	if (user_may(q->who, "get", p->namespace))
		return 0;
	return refuse_forbidden(
		r, p->kind, p->name,
		"User \"%s\" cannot get resource \"pods/proxy\" in API group \"\" in "
		"the namespace \"%s\"",
		user_name(q->who), p->namespace);
}

/* The name may have a port: "web:7681". */
static const struct object *find_pod(const struct sim *sim, const struct path *p, char **ret_name)
{
	*ret_name = mem_strndup(p->name, strcspn(p->name, ":"));
	return store_get(sim->store, p->kind->id, p->namespace, *ret_name);
}

static int answer(const struct sim *sim, const struct path *p, const char *address,
		  struct api_answer *a, struct refusal *r)
{
	const json_t *body = map_get(sim->proxies->answers, p->namespace);
	const char *port = strchr(p->name, ':');

	if (body == NULL)
		return refuse(r, 503, "ServiceUnavailable",
			      "error trying to reach service: dial tcp %s:%s: connect: connection "
			      "refused",
			      address, port != NULL ? port + 1 : "80");
	CLEANUP(cleanup_free) char *text = json_dumps(body, JSON_COMPACT);
	a->code = 200;
	a->content_type = "application/json";
	buf_append(&a->body, text, strlen(text), NULL);
	return 0;
}

int proxy_serve(struct sim *sim, const struct api_request *q, const struct path *p,
		struct api_answer *a, struct refusal *r)
{
	CLEANUP(cleanup_free) char *name = NULL;

	if (check_rights(q, p, r) < 0)
		return -1;
	const struct object *pod = find_pod(sim, p, &name);
	if (pod == NULL)
		return refuse_not_found(r, p->kind, name);
	CLEANUP(json_decrefp) json_t *json = object_json(pod);
	const char *address = json_path_text(json, "status.podIP");
	if (address[0] == '\0')
		return refuse_bad_request(r, "address not allowed");
	return answer(sim, p, address, a, r);
}
