#include "admin.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "controllers.h"
#include "proxy.h"

enum { BODY_MAX = 1 << 20, TOKEN_LENGTH_TEXT = 48, DEFAULT_LIFETIME_S = 7 * 24 * 3600 };

struct admin {
	struct sim *sim;
	struct http *http;
	struct MHD_Daemon *daemon;
	char *path;
};

struct order {
	struct admin *admin;
	const char *item;   /* what follows the route in the path; may be "" */
	const json_t *body; /* NULL: none */
	uint64_t since;     /* the parameter `since` */
};

/* Returns the HTTP status, and in `ret_json` a new reference to the response. */
typedef int order_fn(const struct order *o, json_t **ret_json);

static int fail(int code, const char *message, json_t **ret_json)
{
	*ret_json = json_pack("{s:s}", "error", message);
	return code;
}

/* ---- people ---------------------------------------------------------------------------------- */

static bool read_role(const char *text, enum role *ret_role)
{
	static const char *const names[] = {
		[ROLE_DEVELOPER] = "developer",
		[ROLE_OWNER] = "owner",
		[ROLE_ADMIN] = "admin",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], text) == 0) {
			*ret_role = (enum role)i;
			return true;
		}
	}
	return false;
}

static int add_user(const struct order *o, json_t **ret_json)
{
	const char *name = json_path_text(o->body, "name");
	const char *namespace = json_path_text(o->body, "namespace");
	long long lifetime = json_path_number(o->body, "lifetimeSeconds", DEFAULT_LIFETIME_S);
	char token[TOKEN_LENGTH_TEXT + 1];
	enum role role;

	if (name[0] == '\0' || lifetime < 0 || !read_role(json_path_text(o->body, "role"), &role))
		return fail(400, "name, namespace and role (owner, developer or admin)", ret_json);
	rng_text(&o->admin->sim->rng, token, TOKEN_LENGTH_TEXT);
	users_grant(o->admin->sim->users, name, namespace, role, token, (uint64_t)lifetime * 1000);
	*ret_json = json_pack("{s:s}", "token", token);
	return 201;
}

static int revoke_user(const struct order *o, json_t **ret_json)
{
	if (!users_revoke(o->admin->sim->users, o->item))
		return fail(404, "no such user", ret_json);
	*ret_json = json_object();
	return 200;
}

/* ---- faults and effects ---------------------------------------------------------------------- */

/* Stale reads need earlier states, which are kept from the first such rule on. */
static void keep_snapshot(struct sim *sim)
{
	bool needed = faults_has_stale(sim->faults);

	if (needed && sim->snapshot == NULL) {
		sim->snapshot = snapshot_new(sim->store);
	} else if (!needed) {
		snapshot_free(sim->snapshot);
		sim->snapshot = NULL;
	}
}

static int answer_id(long long id, const char *error, json_t **ret_json)
{
	if (id == 0)
		return fail(400, error, ret_json);
	*ret_json = json_pack("{s:I}", "id", (json_int_t)id);
	return 201;
}

static int list_faults(const struct order *o, json_t **ret_json)
{
	*ret_json = json_pack("{s:o}", "faults", faults_list(o->admin->sim->faults));
	return 200;
}

static int add_fault(const struct order *o, json_t **ret_json)
{
	const char *error = "";
	long long id = faults_add(o->admin->sim->faults, o->body, &error);

	keep_snapshot(o->admin->sim);
	return answer_id(id, error, ret_json);
}

static long long item_id(const struct order *o)
{
	uint64_t id;

	if (o->item[0] == '\0')
		return 0;
	return parse_u64(o->item, 1, INT32_MAX, &id) ? (long long)id : -1;
}

static int remove_fault(const struct order *o, json_t **ret_json)
{
	bool removed = faults_remove(o->admin->sim->faults, item_id(o));

	keep_snapshot(o->admin->sim);
	*ret_json = json_object();
	return removed ? 200 : fail(404, "no such fault", ret_json);
}

static int list_effects(const struct order *o, json_t **ret_json)
{
	*ret_json = json_pack("{s:o}", "effects", effects_list(o->admin->sim->effects));
	return 200;
}

static int add_effect(const struct order *o, json_t **ret_json)
{
	const char *error = "";
	long long id = effects_add(o->admin->sim->effects, o->body, &error);

	controllers_wake(o->admin->sim);
	return answer_id(id, error, ret_json);
}

static int remove_effect(const struct order *o, json_t **ret_json)
{
	bool removed = effects_remove(o->admin->sim->effects, item_id(o));

	controllers_wake(o->admin->sim);
	*ret_json = json_object();
	return removed ? 200 : fail(404, "no such effect", ret_json);
}

/* ---- the server ------------------------------------------------------------------------------ */

static int read_counters(const struct order *o, json_t **ret_json)
{
	*ret_json = counters_json(o->admin->sim->counters);
	return 200;
}

static int reset_counters(const struct order *o, json_t **ret_json)
{
	counters_reset(o->admin->sim->counters);
	*ret_json = json_object();
	return 200;
}

static int read_writes(const struct order *o, json_t **ret_json)
{
	*ret_json = counters_writes(o->admin->sim->counters, o->since);
	return 200;
}

static int read_state(const struct order *o, json_t **ret_json)
{
	const struct sim *sim = o->admin->sim;

	*ret_json = json_pack("{s:I, s:I, s:I, s:I, s:I, s:b}", "port",
			      (json_int_t)http_port(o->admin->http), "seed", (json_int_t)sim->seed,
			      "objects", (json_int_t)store_count(sim->store), "watches",
			      (json_int_t)watches_count(sim->watches), "version",
			      (json_int_t)store_version(sim->store), "serving",
			      http_epoll_fd(o->admin->http) >= 0);
	return 200;
}

static int begin_outage(const struct order *o, json_t **ret_json)
{
	http_stop(o->admin->http);
	*ret_json = json_object();
	return 200;
}

static int end_outage(const struct order *o, json_t **ret_json)
{
	struct err e;

	*ret_json = json_object();
	if (http_epoll_fd(o->admin->http) < 0 && http_start(o->admin->http, &e) < 0)
		return fail(503, e.message, ret_json);
	return 200;
}

static int change_settings(const struct order *o, json_t **ret_json)
{
	struct settings *s = &o->admin->sim->settings;
	const struct {
		const char *name;
		uint64_t *value;
	} rows[] = {
		{ "readyAfter", &s->ready_after_ms }, { "goneAfter", &s->gone_after_ms },
		{ "backoff", &s->backoff_ms },        { "reactAfter", &s->react_after_ms },
		{ "creating", &s->creating_ms },      { "updating", &s->updating_ms },
		{ "stopping", &s->stopping_ms },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		*rows[i].value = (uint64_t)json_path_number(o->body, rows[i].name,
							    (long long)*rows[i].value);
	*ret_json = json_object();
	return 200;
}

static int compact(const struct order *o, json_t **ret_json)
{
	struct sim *sim = o->admin->sim;

	watches_compact(sim->watches, store_version(sim->store));
	*ret_json = json_object();
	return 200;
}

static int set_answer(const struct order *o, json_t **ret_json)
{
	const char *namespace = json_string_value(json_object_get(o->body, "namespace"));
	json_t *answer = json_object_get(o->body, "answer");

	if (namespace == NULL || (!json_is_object(answer) && !json_is_null(answer)))
		return fail(400, "namespace must be a text, answer an object or null", ret_json);
	proxies_set(o->admin->sim->proxies, namespace, json_is_object(answer) ? answer : NULL);
	*ret_json = json_object();
	return 200;
}

struct route {
	const char *method, *path;
	bool has_item, has_body;
	order_fn *serve;
};

static const struct route routes[] = {
	{ "GET", "/state", false, false, read_state },
	{ "POST", "/users", false, true, add_user },
	{ "DELETE", "/users", true, false, revoke_user },
	{ "GET", "/faults", false, false, list_faults },
	{ "POST", "/faults", false, true, add_fault },
	{ "DELETE", "/faults", true, false, remove_fault },
	{ "GET", "/effects", false, false, list_effects },
	{ "POST", "/effects", false, true, add_effect },
	{ "DELETE", "/effects", true, false, remove_effect },
	{ "GET", "/counters", false, false, read_counters },
	{ "DELETE", "/counters", false, false, reset_counters },
	{ "GET", "/writes", false, false, read_writes },
	{ "POST", "/outage", false, false, begin_outage },
	{ "DELETE", "/outage", false, false, end_outage },
	{ "POST", "/compaction", false, false, compact },
	{ "POST", "/answers", false, true, set_answer },
	{ "POST", "/settings", false, true, change_settings },
};

static const struct route *find_route(const char *method, const char *url, const char **ret_item)
{
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		size_t length = strlen(routes[i].path);
		if (strcmp(routes[i].method, method) != 0 ||
		    strncmp(url, routes[i].path, length) != 0)
			continue;
		*ret_item = url[length] == '/' ? url + length + 1 : "";
		if (url[length] == '\0' || (url[length] == '/' && routes[i].has_item))
			return &routes[i];
	}
	return NULL;
}

static int serve(struct admin *a, struct MHD_Connection *connection, const char *method,
		 const char *url, const struct buf *body, json_t **ret_json)
{
	struct order o = { .admin = a };
	const struct route *route = find_route(method, url, &o.item);
	const char *since = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "since");
	CLEANUP(json_decrefp)
	json_t *json = body->data != NULL ? json_loadb(body->data, body->length, 0, NULL) : NULL;

	if (route == NULL)
		return fail(404, "no such route", ret_json);
	if (route->has_body && !json_is_object(json))
		return fail(400, "the body must be a JSON object", ret_json);
	if (since != NULL && !parse_u64(since, 0, UINT64_MAX, &o.since))
		return fail(400, "since must be a number", ret_json);
	o.body = json;
	return route->serve(&o, ret_json);
}

/* ---- HTTP ------------------------------------------------------------------------------------ */

static enum MHD_Result handle(void *user, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *data,
			      size_t *length, void **context)
{
	struct buf *body = *context;
	CLEANUP(json_decrefp) json_t *json = NULL;

	(void)version;
	if (body == NULL) {
		body = mem_calloc(1, sizeof(*body));
		*body = BUF_INIT(BODY_MAX);
		*context = body;
		return MHD_YES;
	}
	if (*length > 0) {
		if (buf_append(body, data, *length, NULL) < 0)
			return MHD_NO;
		*length = 0;
		return MHD_YES;
	}
	int code = serve(user, connection, method, url, body, &json);
	char *text = json_dumps(json, JSON_COMPACT);
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
	MHD_add_response_header(response, "Content-Type", "application/json");
	enum MHD_Result result = MHD_queue_response(connection, (unsigned)code, response);
	MHD_destroy_response(response);
	return result;
}

static void completed(void *user, struct MHD_Connection *connection, void **context,
		      enum MHD_RequestTerminationCode code)
{
	struct buf *body = *context;

	(void)user;
	(void)connection;
	(void)code;
	if (body != NULL)
		buf_release(body);
	free(body);
}

static int listen_on(const char *path, struct err *e)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	CLEANUP(cleanup_close)
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(e, ERR_INVALID, NULL, "%s is too long for a socket's path", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	unlink(path);
	mode_t before = umask(077);
	int bound = bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(before);
	if (fd < 0 || bound < 0 || listen(fd, 64) < 0)
		return err_set(e, ERR_UNAVAILABLE, NULL, "cannot listen on %s", path);
	int listening = fd;
	fd = -1;
	return listening;
}

int admin_new(struct sim *sim, struct http *http, const char *path, struct admin **ret_admin,
	      struct err *e)
{
	int fd = listen_on(path, e);

	if (fd < 0)
		return -1;
	struct admin *a = mem_calloc(1, sizeof(*a));
	a->sim = sim;
	a->http = http;
	a->path = mem_strdup(path);
	a->daemon =
		MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, handle, a, MHD_OPTION_LISTEN_SOCKET,
				 fd, MHD_OPTION_NOTIFY_COMPLETED, completed, a, MHD_OPTION_END);
	if (a->daemon == NULL) {
		close(fd);
		admin_free(a);
		return err_set(e, ERR_UNAVAILABLE, NULL, "cannot serve on %s", path);
	}
	*ret_admin = a;
	return 0;
}

void admin_free(struct admin *a)
{
	if (a == NULL)
		return;
	if (a->daemon != NULL)
		MHD_stop_daemon(a->daemon);
	unlink(a->path);
	free(a->path);
	free(a);
}

int admin_epoll_fd(const struct admin *a)
{
	return MHD_get_daemon_info(a->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int admin_wait_ms(const struct admin *a)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (MHD_get_timeout(a->daemon, &ms) != MHD_YES)
		return -1;
	return ms > 60000 ? 60000 : (int)ms;
}

void admin_run(struct admin *a)
{
	MHD_run(a->daemon);
}
