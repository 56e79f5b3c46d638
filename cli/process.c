#include "process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "process_call.h"

enum {
	ID_LENGTH = 16,
	INPUT_MAX = 65536,
	WAIT_S = 30,
	ENDING_S = 1, /* before it is killed */
	POLL_MS = 1000,
	RETRY_FIRST_MS = 100,
	RETRY_MAX_MS = 5000,
	AWAY_MAX_MS = 600 * 1000, /* how long a sandbox may be out of reach */
	AWAY_NOTICE_MS = 2000,    /* after which the user is informed */
	LEAVE_MS = 2000,          /* for input that was typed before they left */
	COLUMNS_MAX = 1000,       /* of a terminal, and rows */
	PASSED_ON = 4,            /* signals */
};

struct run;

/* A repeated request: for the next part of a stream, or with the next part of the input. */
struct flow {
	struct run *run;
	const char *name;
	struct exchange x;
	bool active, ended;
	bool cut_off; /* only the beginning of its last response arrived */
	uint64_t offset;
	uint64_t retry_at_ms, away_since_ms; /* time of the next try after a failure; 0: none */
	uint64_t retry_ms;
	int (*done)(struct flow *flow, struct err *e);
};

struct run {
	struct sandbox *sandbox;
	const struct process_options *options;
	CURLM *multi;
	char id[ID_LENGTH + 1];
	struct flow streams[PROCESS_STREAMS], input;
	char data[INPUT_MAX]; /* of standard input, from input.offset on */
	size_t length;
	bool input_ended; /* here */
	bool end_sent, hung_up, timed_out, told_away;
	uint64_t left_ms; /* when the user left; 0: not yet */
	uint64_t begun_ms;
	int signals;
	sigset_t blocked_before;
	struct sigaction before[PASSED_ON]; /* of the signals that are passed on */
};

/* ---- one request of a flow ------------------------------------------------------------------- */

static void begin(struct flow *f, const char *method, const char *query, const char *body,
		  size_t length)
{
	struct run *r = f->run;
	CLEANUP(cleanup_free)
	char *path = mem_printf("/v1/processes/%s/%s?offset=%llu&wait=%d%s", r->id, f->name,
				(unsigned long long)f->offset, WAIT_S, query);

	exchange_begin(&r->sandbox->server,
		       &(struct exchange_request) {
			       .method = method,
			       .path = path,
			       .type = body ? "application/octet-stream" : NULL,
			       .body = body,
			       .length = length,
		       },
		       &f->x);
	(void)curl_easy_setopt(f->x.curl, CURLOPT_PRIVATE, f);
	(void)curl_multi_add_handle(r->multi, f->x.curl);
	f->active = true;
}

static void tell_away(struct run *r, bool away)
{
	if (r->told_away == away)
		return;
	r->told_away = away;
	if (r->options->away != NULL)
		r->options->away(r->options->user, away);
}

static uint64_t away_max(const struct run *r)
{
	return r->options->away_max_ms > 0 ? r->options->away_max_ms : AWAY_MAX_MS;
}

/* Whether to try again: with another token, or later. */
static int failed(struct flow *f, struct err *e)
{
	uint64_t now = clock_ms();

	if (e->kind == ERR_UNAUTHENTICATED && f->away_since_ms == 0) {
		f->away_since_ms = now;
		return sandbox_renew(f->run->sandbox, e);
	}
	if (e->kind == ERR_NOT_FOUND && strcmp(e->code, "NOT_FOUND") == 0)
		return err_set(e, ERR_NOT_FOUND, "PROCESS_GONE",
			       "the sandbox was restarted, and the process ended with it");
	if (!site_is_away(e))
		return -1;
	if (f->away_since_ms == 0) {
		f->away_since_ms = now;
		f->retry_ms = RETRY_FIRST_MS;
	} else if (now - f->away_since_ms > away_max(f->run)) {
		return err_wrap(e, "the process may still be running");
	} else if (now - f->away_since_ms > AWAY_NOTICE_MS) {
		tell_away(f->run, true);
	}
	f->retry_at_ms = now + f->retry_ms;
	f->retry_ms = f->retry_ms * 2 < RETRY_MAX_MS ? f->retry_ms * 2 : RETRY_MAX_MS;
	return 0;
}

static int end(struct flow *f, CURLcode code, struct err *e)
{
	int status;

	f->active = false;
	status = exchange_end(&f->run->sandbox->server, &f->x, code, e);
	f->cut_off =
		status < 0 && f != &f->run->input && f->x.status == 200 && f->x.answer.length > 0;
	if (f->cut_off)
		status = 0; /* output up to the cut is valid */
	if (status == 0) {
		f->away_since_ms = f->retry_at_ms = 0;
		tell_away(f->run, false);
	}
	status = status == 0 ? f->done(f, e) : failed(f, e);
	(void)curl_multi_remove_handle(f->run->multi, f->x.curl);
	exchange_release(&f->x);
	return status;
}

static bool is_due(const struct flow *f)
{
	return !f->active && !f->ended && clock_ms() >= f->retry_at_ms;
}

/* ---- output ---------------------------------------------------------------------------------- */

static int stream_done(struct flow *f, struct err *e)
{
	struct run *r = f->run;
	uint64_t from = exchange_number(&f->x, "Output-Offset");
	enum process_stream stream =
		f == &r->streams[PROCESS_STDOUT] ? PROCESS_STDOUT : PROCESS_STDERR;

	if (from != f->offset)
		return err_set(e, ERR_INTERNAL, "OUTPUT_LOST", "%llu bytes of %s are lost",
			       (unsigned long long)(from - f->offset), f->name);
	if (f->x.answer.length > 0 && !r->hung_up &&
	    !r->options->write(r->options->user, stream, f->x.answer.data, f->x.answer.length)) {
		r->hung_up = true;
		if (process_signal(r->sandbox, r->id, "HUP", e) < 0)
			return -1;
	}
	f->offset += f->x.answer.length;
	f->ended = !f->cut_off && exchange_is(&f->x, "Output-End", "true");
	return 0;
}

/* ---- input ----------------------------------------------------------------------------------- */

static int input_done(struct flow *f, struct err *e)
{
	struct run *r = f->run;
	json_error_t where;
	CLEANUP(json_decrefp)
	json_t *process = json_loadb(f->x.answer.data, f->x.answer.length, 0, &where);
	json_int_t at = json_integer_value(json_object_get(process, "stdinOffset"));
	uint64_t taken = (uint64_t)at - f->offset;

	if (at < 0 || taken > r->length)
		return err_set(e, ERR_INTERNAL, "INPUT_LOST", "the sandbox miscounts its input");
	memmove(r->data, r->data + taken, r->length - taken);
	r->length -= taken;
	f->offset += taken;
	f->ended = r->end_sent && r->length == 0;
	return 0;
}

/* It is no failure if the process has closed its input, or has ended. */
static int input_ended(struct flow *f, CURLcode code, struct err *e)
{
	if (end(f, code, e) == 0)
		return 0;
	if (e->kind != ERR_CONFLICT && e->kind != ERR_NOT_FOUND)
		return -1;
	f->ended = true;
	return 0;
}

/* Input that is read during a request is appended to what the request carries. */
static void take_input(struct run *r)
{
	ssize_t got = read(r->options->input, r->data + r->length, sizeof(r->data) - r->length);
	size_t length = got > 0 ? (size_t)got : 0;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	r->input_ended = got <= 0;
	if (length > 0 && r->options->typed != NULL)
		r->left_ms = r->options->typed(r->options->user, r->data + r->length, &length)
				     ? 0
				     : clock_ms();
	r->length += length;
}

/* ---- signals --------------------------------------------------------------------------------- */

static const struct {
	int number;
	const char *name;
} passed_on[PASSED_ON] = {
	{ SIGINT, "INT" }, { SIGTERM, "TERM" }, { SIGHUP, "HUP" }, { SIGQUIT, "QUIT" }
};

/* Signals that arrive while the process is starting. */
static atomic_bool caught;
static volatile sig_atomic_t caught_number;

static void catch (int number)
{
	caught_number = number;
	atomic_store(&caught, true);
}

/* Whether the signal was ignored at the start, for example by nohup: then it stays ignored. */
static bool is_ignored(const struct sigaction *action)
{
	return action->sa_handler == SIG_IGN;
}

static void catch_signals(struct run *r)
{
	const struct sigaction catching = { .sa_handler = catch };

	atomic_store(&caught, false);
	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++) {
		(void)sigaction(passed_on[i].number, NULL, &r->before[i]);
		if (!is_ignored(&r->before[i]))
			(void)sigaction(passed_on[i].number, &catching, NULL);
	}
}

static void restore_handlers(const struct run *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++)
		(void)sigaction(passed_on[i].number, &r->before[i], NULL);
}

static void open_signals(struct run *r)
{
	sigset_t set;

	(void)sigemptyset(&set);
	if (r->options->terminal)
		(void)sigaddset(&set, SIGWINCH);
	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++) {
		if (!is_ignored(&r->before[i]))
			(void)sigaddset(&set, passed_on[i].number);
	}
	(void)sigprocmask(SIG_BLOCK, &set, &r->blocked_before);
	r->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void close_signals(struct run *r)
{
	(void)close(r->signals);
	(void)sigprocmask(SIG_SETMASK, &r->blocked_before, NULL);
}

static json_t *terminal_size(void)
{
	struct winsize size = { 0 };

	(void)ioctl(STDIN_FILENO, TIOCGWINSZ, &size);
	int columns = size.ws_col == 0 ? 80 : size.ws_col,
	    rows = size.ws_row == 0 ? 24 : size.ws_row;
	return json_pack("{s:i, s:i}", "columns", columns < COLUMNS_MAX ? columns : COLUMNS_MAX,
			 "rows", rows < COLUMNS_MAX ? rows : COLUMNS_MAX);
}

/* Errors are ignored: the next change of the size, or the end, reports them. */
static int send_size(struct run *r)
{
	CLEANUP(json_decrefp) json_t *size = terminal_size();
	struct err ignored;

	(void)process_call(r->sandbox, r->id, "POST", "/size", size, NULL, &ignored);
	return 0;
}

static int pass_signal(struct run *r, int number, struct err *e)
{
	if (number == SIGWINCH)
		return send_size(r);
	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++) {
		if (passed_on[i].number == number)
			return process_signal(r->sandbox, r->id, passed_on[i].name, e);
	}
	return 0;
}

/* Passes signals on, and enforces the time limit, while the process runs. */
static int attend(struct run *r, struct err *e)
{
	uint64_t max = r->options->max_ms;
	struct signalfd_siginfo info;

	if (site_is_cancelled(&r->sandbox->server, e))
		return -1;
	while (r->signals >= 0 && read(r->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (pass_signal(r, (int)info.ssi_signo, e) < 0)
			return -1;
	}
	if (max == 0 || r->timed_out || clock_ms() - r->begun_ms <= max)
		return 0;
	r->timed_out = true;
	return process_signal(r->sandbox, r->id, "KILL", e);
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void begin_flows(struct run *r)
{
	bool has_input = r->length > 0 || r->input_ended;

	for (size_t i = 0; i < PROCESS_STREAMS; i++) {
		if (is_due(&r->streams[i]))
			begin(&r->streams[i], "GET", "", NULL, 0);
	}
	if (has_input && is_due(&r->input)) {
		r->end_sent = r->input_ended;
		begin(&r->input, "POST", r->input_ended ? "&end=true" : "", r->data, r->length);
	}
}

static int end_flows(struct run *r, struct err *e)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(r->multi, &left)) != NULL) {
		char *private = NULL;
		CURLcode code = message->data.result;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
		struct flow *f = (struct flow *)(void *)private;
		if ((f == &r->input ? input_ended(f, code, e) : end(f, code, e)) < 0)
			return -1;
	}
	return 0;
}

static void wait_for_more(struct run *r)
{
	struct curl_waitfd fds[2];
	unsigned count = 0;
	bool reads = !r->input.ended && !r->input_ended && r->left_ms == 0 &&
		     r->length < sizeof(r->data);
	int ready, timeout = r->streams[0].retry_at_ms + r->streams[1].retry_at_ms +
						     r->input.retry_at_ms + r->left_ms >
					     0
				     ? RETRY_FIRST_MS
				     : POLL_MS;

	if (reads)
		fds[count++] = (struct curl_waitfd) { .fd = r->options->input,
						      .events = CURL_WAIT_POLLIN };
	if (r->signals >= 0)
		fds[count++] =
			(struct curl_waitfd) { .fd = r->signals, .events = CURL_WAIT_POLLIN };
	(void)curl_multi_poll(r->multi, fds, count, timeout, &ready);
	if (reads && fds[0].revents != 0)
		take_input(r);
}

/* Whether the user has left, and all input typed before was sent or is refused by the process. */
static bool has_left(const struct run *r)
{
	return r->left_ms != 0 &&
	       (r->length == 0 || r->told_away || clock_ms() - r->left_ms > LEAVE_MS);
}

static int follow(struct run *r, struct err *e)
{
	int active;

	while (!has_left(r) &&
	       (!r->streams[PROCESS_STDOUT].ended || !r->streams[PROCESS_STDERR].ended)) {
		begin_flows(r);
		(void)curl_multi_perform(r->multi, &active);
		if (end_flows(r, e) < 0)
			return -1;
		begin_flows(r);
		wait_for_more(r);
		if (attend(r, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- from the start to the end --------------------------------------------------------------- */

static json_t *start_body(const struct process_options *options)
{
	json_t *body = json_pack("{s:O, s:b, s:O*, s:o*}", "command", options->command, "stdin",
				 options->input >= 0, "environment", options->environment,
				 "terminal", options->terminal ? terminal_size() : NULL);

	if (options->drop)
		(void)json_object_set_new(body, "overflow", json_string("drop"));
	if (options->unattended_s > 0)
		(void)json_object_set_new(body, "unattended", json_integer(options->unattended_s));
	return body;
}

/* An older sandboxd, without `unattended`, refuses it. */
static int request_start(struct run *r, json_t **ret_process, struct err *e)
{
	CLEANUP(json_decrefp) json_t *body = start_body(r->options);
	struct site *server = &r->sandbox->server;

	if (site_call(server, "POST", "/v1/processes", body, ret_process, e) == 0)
		return 0;
	if (e->kind != ERR_INVALID || json_object_del(body, "unattended") < 0)
		return -1;
	return site_call(server, "POST", "/v1/processes", body, ret_process, e);
}

static int start(struct run *r, struct err *e)
{
	CLEANUP(json_decrefp) json_t *process = NULL;

	if (request_start(r, &process, e) < 0)
		return -1;
	const char *id = json_string_value(json_object_get(process, "id"));
	if (id == NULL || strlen(id) != ID_LENGTH ||
	    strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789") != ID_LENGTH)
		return err_set(e, ERR_INTERNAL, "NOT_A_SANDBOX",
			       "the sandbox's response names no process");
	memcpy(r->id, id, sizeof(r->id));
	return 0;
}

/* A signal that comes before the request is sent acts on this program, as nothing runs yet; later
 * ones are passed to the process. */
static int start_with_signals(struct run *r, struct err *e)
{
	struct site *server = &r->sandbox->server;
	int status;

	server->cancelled = &caught;
	catch_signals(r);
	status = start(r, e);
	open_signals(r);
	restore_handlers(r);
	server->cancelled = NULL;
	if (atomic_load(&caught) && (status == 0 || strcmp(e->code, "INTERRUPTED") == 0))
		(void)raise(caught_number);
	if (status < 0)
		close_signals(r);
	return status;
}

/* The process may have closed its output and still run. */
static int await_end(struct run *r, json_t **ret_process, struct err *e)
{
	struct flow asking = { .run = r };

	while (r->left_ms == 0 && attend(r, e) == 0) {
		CLEANUP(json_decrefp) json_t *process = NULL;
		if (process_call(r->sandbox, r->id, "GET", "?wait=1", NULL, &process, e) == 0)
			asking.away_since_ms = 0;
		else if (failed(&asking, e) < 0)
			return -1;
		else
			(void)curl_multi_poll(r->multi, NULL, 0, (int)asking.retry_ms, NULL);
		const char *status = json_string_value(json_object_get(process, "status"));
		if (json_is_true(json_object_get(process, "unattended")))
			return err_set(e, ERR_NOT_FOUND, "PROCESS_GONE",
				       "nobody was there for long, and the sandbox hung up");
		if (status != NULL && strcmp(status, "ended") == 0) {
			*ret_process = STEAL(process);
			return 0;
		}
	}
	return r->left_ms != 0 ? 0 : -1;
}

static void stop(struct run *r)
{
	struct flow *flows[] = { &r->streams[0], &r->streams[1], &r->input };

	for (size_t i = 0; i < ARRAY_SIZE(flows); i++) {
		if (!flows[i]->active)
			continue;
		(void)curl_multi_remove_handle(r->multi, flows[i]->x.curl);
		exchange_release(&flows[i]->x);
	}
	(void)curl_multi_cleanup(r->multi);
}

int process_run(struct sandbox *sandbox, const struct process_options *options,
		json_t **ret_process, struct err *e)
{
	CLEANUP(cleanup_free) struct run *r = mem_calloc(1, sizeof(*r));
	int status;

	*r = (struct run) {
		.sandbox = sandbox, .options = options, .begun_ms = clock_ms(), .signals = -1
	};
	r->streams[PROCESS_STDOUT] =
		(struct flow) { .run = r, .name = "stdout", .done = stream_done };
	r->streams[PROCESS_STDERR] =
		(struct flow) { .run = r, .name = "stderr", .done = stream_done };
	r->input = (struct flow) {
		.run = r, .name = "stdin", .done = input_done, .ended = options->input < 0
	};
	if (options->first != NULL) {
		r->length = strnlen(options->first, sizeof(r->data));
		memcpy(r->data, options->first, r->length);
	}
	if ((options->signals ? start_with_signals(r, e) : start(r, e)) < 0)
		return -1;
	r->multi = curl_multi_init();
	if (r->multi == NULL)
		abort(); /* out of memory */
	status = follow(r, e);
	if (status == 0)
		status = await_end(r, ret_process, e);
	if (status == 0 && r->timed_out)
		(void)json_object_set_new(*ret_process, "timedOut", json_true());
	if (r->left_ms != 0 && !r->told_away)
		(void)process_signal(r->sandbox, r->id, "HUP", &(struct err) { 0 });
	stop(r);
	if (status < 0 && site_is_cancelled(&sandbox->server, e))
		process_end(r->sandbox, r->id, ENDING_S, e);
	if (options->signals)
		close_signals(r);
	return status;
}
