/* A FastCGI program to test the server itself: it shows which worker serves, and how workers
 * end. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "web/program.h"

static const struct field echo_fields[] = {
	{ .name = "text", .type = FIELD_STRING, .required = true, .max = 1000000 },
	FIELDS_END,
};
static const struct field slow_query[] = {
	{ .name = "ms", .type = FIELD_INTEGER, .required = true, .max = 60000 },
	FIELDS_END,
};

static int show_pid(struct call *c, struct err *e)
{
	(void)e;
	response_json(c->response, 200, json_pack("{s:i}", "pid", (int)getpid()));
	return 0;
}

static int echo(struct call *c, struct err *e)
{
	(void)e;
	response_json(c->response, 200, json_pack("{s:s}", "text", field_string(c->body, "text")));
	return 0;
}

static int sleep_first(struct call *c, struct err *e)
{
	int64_t ms = field_integer(c->query, "ms", 0);
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	log_line(LOG_LEVEL_INFO, "asleep", LOG_INT("ms", ms));
	while (nanosleep(&left, &left) < 0)
		;
	return show_pid(c, e);
}

static int crash(struct call *c, struct err *e)
{
	(void)c, (void)e;
	_exit(3);
}

/* Hangs, with a shorter limit for a request: without any limit, it responds. */
static int hang(struct call *c, struct err *e)
{
	if (alarm(1) == 0)
		return show_pid(c, e);
	for (;;)
		(void)pause();
}

static const struct route routes[] = {
	{ .method = METHOD_GET, .pattern = "/pid", .handler = show_pid },
	{ .method = METHOD_GET, .pattern = "/slow", .handler = sleep_first, .query = slow_query },
	{ .method = METHOD_GET, .pattern = "/crash", .handler = crash },
	{ .method = METHOD_GET, .pattern = "/hang", .handler = hang },
	{ .method = METHOD_POST,
	  .pattern = "/echo",
	  .handler = echo,
	  .body = echo_fields,
	  .body_max = 1048576 },
	ROUTES_END,
};

int main(int argc, char **argv)
{
	static const struct program program = { .name = "echo.fcgi",
						.role = "nobody",
						.routes = routes };

	return program_main(&program, argc, argv);
}
