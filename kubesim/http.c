#include "http.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "api.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "certificate.h"

/* A connection that was suspended, by latency or forever. */
struct suspension {
	struct suspension *next, **link;   /* in the server's list until its time comes */
	struct MHD_Connection *connection; /* NULL: resumed already */
};

struct http {
	struct sim *sim;
	struct http_options options;
	struct MHD_Daemon *daemon;
	uint16_t port;
	struct suspension *suspended;
	LIST_HEAD(, exchange) watches;
	bool is_stopping;
	bool has_news; /* whether something was resumed since the last round */
};

/* One request. */
struct exchange {
	struct buf body;
	bool too_large, is_served;
	struct api_answer answer;
	/* A watch's connection, even while it is suspended because there is nothing to send. */
	struct MHD_Connection *watched, *connection;
	bool is_watch;
	struct http *http;
	LIST_ENTRY(exchange) link; /* among the server's watches */
};

struct http *http_new(struct sim *sim, const struct http_options *options)
{
	struct http *h = mem_calloc(1, sizeof(*h));

	h->sim = sim;
	h->options = *options;
	h->port = options->port;
	LIST_INIT(&h->watches);
	return h;
}

/* ---- suspension ------------------------------------------------------------------------------ */

static void resume(struct suspension *s)
{
	if (s->connection != NULL)
		MHD_resume_connection(s->connection);
	s->connection = NULL;
}

static void suspension_free(struct suspension *s)
{
	*s->link = s->next;
	if (s->next != NULL)
		s->next->link = s->link;
	free(s);
}

static void suspension_due(void *user)
{
	struct suspension *s = user;

	resume(s);
	suspension_free(s);
}

static void suspend(struct http *h, struct MHD_Connection *connection, uint64_t ms)
{
	struct suspension *s = mem_calloc(1, sizeof(*s));

	*s = (struct suspension) { h->suspended, &h->suspended, connection };
	if (s->next != NULL)
		s->next->link = &s->next;
	h->suspended = s;
	MHD_suspend_connection(connection);
	timers_add(h->sim->timers, clock_ms() + ms, suspension_due, s);
}

/* ---- the user of a request ------------------------------------------------------------------- */

static const char *header(struct MHD_Connection *connection, const char *name)
{
	const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);

	return value != NULL ? value : "";
}

static const char *parameter(void *user, const char *name)
{
	return MHD_lookup_connection_value(user, MHD_GET_ARGUMENT_KIND, name);
}

/* A certificate identifies its owner for the connection's lifetime. */
static const struct user *user_by_certificate(struct http *h, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *context =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	const union MHD_ConnectionInfo *tls =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	struct certificate_name name;

	if (context == NULL || tls == NULL || context->socket_context != h)
		return NULL;
	if (!certificate_read(tls->tls_session, &name))
		return NULL;
	return users_by_certificate(h->sim->users, name.common_name, name.organization);
}

static const struct user *find_user(struct http *h, struct MHD_Connection *connection)
{
	const char *authorization = header(connection, "Authorization");

	if (strncmp(authorization, "Bearer ", 7) == 0)
		return users_by_token(h->sim->users, authorization + 7);
	const struct user *user = user_by_certificate(h, connection);
	return user != NULL ? user : users_by_token(h->sim->users, NULL);
}

/* ---- answering ------------------------------------------------------------------------------- */

static struct MHD_Response *whole(struct api_answer *a)
{
	struct MHD_Response *response;

	if (a->body.data == NULL)
		return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	response = MHD_create_response_from_buffer(a->body.length, a->body.data,
						   MHD_RESPMEM_MUST_FREE);
	a->body = BUF_INIT(API_ANSWER_MAX);
	return response;
}

static struct MHD_Response *of_text(const char *text)
{
	return MHD_create_response_from_buffer(strlen(text), mem_strdup(text),
					       MHD_RESPMEM_MUST_FREE);
}

/* Sends half of the announced length, then ends the connection. */
static ssize_t read_half(void *user, uint64_t position, char *to, size_t max)
{
	const struct api_answer *a = user;
	size_t half = a->body.length / 2, left = half - (size_t)position;

	if (position >= half)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (left > max)
		left = max;
	memcpy(to, a->body.data + position, left);
	return (ssize_t)left;
}

/* Sends the beginning of an object, then blanks. */
static ssize_t read_blanks(void *user, uint64_t position, char *to, size_t max)
{
	(void)user;
	memset(to, ' ', max);
	if (position == 0)
		to[0] = '{';
	return (ssize_t)max;
}

/* ---- watches --------------------------------------------------------------------------------- */

/* As it does not read, it would not notice the end either. */
static void cut_off(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (info != NULL)
		(void)shutdown(info->connect_fd, SHUT_RDWR);
}

static void wake_watch(void *user)
{
	struct exchange *x = user;

	if (watch_is_cut_off(x->answer.watch))
		cut_off(x->watched);
	if (x->connection == NULL)
		return;
	MHD_resume_connection(x->connection);
	x->connection = NULL;
	x->http->has_news = true;
}

static ssize_t read_watch(void *user, uint64_t position, char *to, size_t max)
{
	struct exchange *x = user;
	struct watch *w = x->answer.watch;

	(void)position;
	if (watch_is_cut_off(w) || x->http->is_stopping)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	size_t length = watch_read(w, to, max);
	if (length > 0)
		return (ssize_t)length;
	if (watch_is_over(w))
		return MHD_CONTENT_READER_END_OF_STREAM;
	x->connection = x->watched;
	MHD_suspend_connection(x->connection);
	return 0;
}

static struct MHD_Response *stream(struct exchange *x)
{
	LIST_INSERT_HEAD(&x->http->watches, x, link);
	x->is_watch = true;
	watch_on_news(x->answer.watch, wake_watch, x);
	return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, read_watch, x, NULL);
}

static struct MHD_Response *make_response(struct exchange *x)
{
	struct api_answer *a = &x->answer;

	if (a->watch != NULL && (!a->has_fault || a->fault.action == FAULT_LATENCY ||
				 a->fault.action == FAULT_CONTENT_TYPE))
		return stream(x);
	if (!a->has_fault)
		return whole(a);
	switch (a->fault.action) {
	case FAULT_TRUNCATE:
		return MHD_create_response_from_callback(a->body.length, 4096, read_half, a, NULL);
	case FAULT_OVERSIZE:
		return MHD_create_response_from_callback(a->fault.bytes, 65536, read_blanks, a,
							 NULL);
	case FAULT_NOT_JSON:
		return of_text("<html><body>502 Bad Gateway</body></html>\n");
	case FAULT_BAD_JSON:
		return of_text("[1, \"not an object\"]");
	default:
		return whole(a);
	}
}

static enum MHD_Result answer(struct MHD_Connection *connection, struct exchange *x)
{
	struct api_answer *a = &x->answer;
	struct MHD_Response *response = make_response(x);
	bool wrong_type = a->has_fault && a->fault.action == FAULT_CONTENT_TYPE;
	CLEANUP(cleanup_free) char *retry = mem_printf("%u", a->retry_after_s);

	MHD_add_response_header(response, "Content-Type",
				wrong_type ? "text/html" : a->content_type);
	if (a->retry_after_s > 0)
		MHD_add_response_header(response, "Retry-After", retry);
	enum MHD_Result result = MHD_queue_response(connection, (unsigned)a->code, response);
	MHD_destroy_response(response);
	return result;
}

/* With linger time 0, close() sends a reset. */
static enum MHD_Result reset(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	if (info != NULL)
		setsockopt(info->connect_fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	return MHD_NO;
}

/* ---- requests -------------------------------------------------------------------------------- */

static void serve(struct http *h, struct MHD_Connection *connection, struct exchange *x,
		  const char *method, const char *url)
{
	struct api_request q = {
		.method = method,
		.path = url,
		.content_type = header(connection, "Content-Type"),
		.accept = header(connection, "Accept"),
		.user_agent = header(connection, "User-Agent"),
		.parameter = parameter,
		.user = connection,
		.who = find_user(h, connection),
		.body = x->body.data != NULL ? x->body.data : "",
		.body_length = x->body.length,
		.too_large = x->too_large,
	};

	api_serve(h->sim, &q, &x->answer);
	x->is_served = true;
}

static enum MHD_Result begin_answer(struct http *h, struct MHD_Connection *connection,
				    struct exchange *x)
{
	const struct fault *f = &x->answer.fault;

	if (!x->answer.has_fault)
		return answer(connection, x);
	if (f->action == FAULT_RESET)
		return reset(connection);
	if (f->action == FAULT_LATENCY || f->action == FAULT_HANG) {
		suspend(h, connection, f->ms);
		return MHD_YES;
	}
	return answer(connection, x);
}

/* After a suspension: sends the response, or after a hang ends the connection. */
static enum MHD_Result resume_answer(struct MHD_Connection *connection, struct exchange *x)
{
	if (x->answer.fault.action == FAULT_HANG)
		return reset(connection);
	return answer(connection, x);
}

static void take_body(struct exchange *x, const char *data, size_t length)
{
	if (buf_append(&x->body, data, length, NULL) < 0)
		x->too_large = true;
}

static enum MHD_Result handle(void *user, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *data,
			      size_t *length, void **context)
{
	struct http *h = user;
	struct exchange *x = *context;

	(void)version;
	if (x == NULL) {
		x = mem_calloc(1, sizeof(*x));
		x->body = BUF_INIT(API_BODY_MAX);
		x->http = h;
		x->watched = connection;
		*context = x;
		return MHD_YES;
	}
	if (*length > 0) {
		take_body(x, data, *length);
		*length = 0;
		return MHD_YES;
	}
	if (x->is_served)
		return resume_answer(connection, x);
	serve(h, connection, x, method, url);
	return begin_answer(h, connection, x);
}

static void completed(void *user, struct MHD_Connection *connection, void **context,
		      enum MHD_RequestTerminationCode code)
{
	struct exchange *x = *context;

	(void)user;
	(void)connection;
	(void)code;
	if (x == NULL)
		return;
	buf_release(&x->body);
	buf_release(&x->answer.body);
	if (x->is_watch)
		LIST_REMOVE(x, link);
	watch_free(x->answer.watch);
	free(x);
}

static void connected(void *user, struct MHD_Connection *connection, void **context,
		      enum MHD_ConnectionNotificationCode code)
{
	(void)connection;
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		*context = user;
}

/* ---- starting and stopping ------------------------------------------------------------------- */

int http_start(struct http *h, struct err *e)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(h->port) };
	const union MHD_DaemonInfo *info;

	if (inet_pton(AF_INET, h->options.address, &address.sin_addr) != 1)
		return err_set(e, ERR_INVALID, NULL, "%s is no IPv4 address", h->options.address);
	h->daemon = MHD_start_daemon(
		MHD_USE_TLS | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, h->port, NULL, NULL, handle,
		h, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address, MHD_OPTION_HTTPS_MEM_CERT,
		h->options.certificate, MHD_OPTION_HTTPS_MEM_KEY, h->options.key,
		MHD_OPTION_HTTPS_MEM_TRUST, h->options.authority, MHD_OPTION_NOTIFY_COMPLETED,
		completed, h, MHD_OPTION_NOTIFY_CONNECTION, connected, h,
		MHD_OPTION_CONNECTION_LIMIT, 4000U, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)65536, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U, MHD_OPTION_END);
	if (h->daemon == NULL)
		return err_set(e, ERR_UNAVAILABLE, NULL, "cannot listen on %s:%u",
			       h->options.address, h->port);
	info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT);
	h->port = info->port;
	return 0;
}

void http_stop(struct http *h)
{
	if (h->daemon == NULL)
		return;
	struct exchange *x;

	h->is_stopping = true;
	for (struct suspension *s = h->suspended; s != NULL; s = s->next)
		resume(s);
	LIST_FOREACH(x, &h->watches, link)
	{
		wake_watch(x);
	}
	MHD_run(h->daemon);
	MHD_stop_daemon(h->daemon);
	h->daemon = NULL;
	h->is_stopping = false;
}

void http_free(struct http *h)
{
	if (h == NULL)
		return;
	http_stop(h);
	while (h->suspended != NULL)
		suspension_free(h->suspended);
	free(h);
}

uint16_t http_port(const struct http *h)
{
	return h->port;
}

int http_epoll_fd(const struct http *h)
{
	if (h->daemon == NULL)
		return -1;
	return MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int http_wait_ms(const struct http *h)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (h->daemon != NULL && h->has_news)
		return 0;
	if (h->daemon == NULL || MHD_get_timeout(h->daemon, &ms) != MHD_YES)
		return -1;
	return ms > 60000 ? 60000 : (int)ms;
}

void http_run(struct http *h)
{
	h->has_news = false;
	if (h->daemon != NULL)
		MHD_run(h->daemon);
}
