/* run: a command in a project's sandbox, as if it ran here. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "command.h"
#include "process.h"
#include "project.h"
#include "run.h"

enum { SIGNALLED = 128 };

bool run_write_through(void *user, enum process_stream stream, const void *data, size_t length)
{
	const char *at = data;

	(void)user;
	while (length > 0) {
		ssize_t wrote =
			write(stream == PROCESS_STDOUT ? STDOUT_FILENO : STDERR_FILENO, at, length);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return false;
		at += wrote;
		length -= (size_t)wrote;
	}
	return true;
}

/* ---- collected ------------------------------------------------------------------------------- */

void collected_init(struct collected *c, size_t max)
{
	*c = (struct collected) { .text = { BUF_INIT(max), BUF_INIT(max) } };
}

void collected_release(struct collected *c)
{
	buf_release(&c->text[PROCESS_STDOUT]);
	buf_release(&c->text[PROCESS_STDERR]);
}

/* Keeps the beginning; the process may print any amount. */
bool collected_add(void *user, enum process_stream stream, const void *data, size_t length)
{
	struct collected *c = user;
	struct buf *text = &c->text[stream];
	size_t fits = text->max - text->length < length ? text->max - text->length : length;
	struct err never;

	if (fits > 0)
		(void)buf_append(text, data, fits, &never);
	c->dropped[stream] += length - fits;
	return true;
}

json_t *run_text(struct buf *b)
{
	if (b->data == NULL)
		return json_string("");
	for (size_t i = 0; i < b->length; i++) {
		if (b->data[i] == '\0')
			b->data[i] = '?'; /* NUL */
	}
	parse_make_utf8(b->data);
	return json_string(b->data);
}

json_t *collected_json(struct collected *c, const json_t *process)
{
	json_t *shown = json_pack(
		"{s:O, s:O, s:o, s:o}", "exitCode", json_object_get(process, "exitCode"), "signal",
		json_object_get(process, "signal"), "stdout", run_text(&c->text[PROCESS_STDOUT]),
		"stderr", run_text(&c->text[PROCESS_STDERR]));
	size_t dropped = c->dropped[PROCESS_STDOUT] + c->dropped[PROCESS_STDERR];

	if (dropped > 0)
		(void)json_object_set_new(shown, "bytesNotShown",
					  json_integer((json_int_t)dropped));
	if (json_is_true(json_object_get(process, "timedOut")))
		(void)json_object_set_new(shown, "timedOut", json_true());
	return shown;
}

/* ---- the command ----------------------------------------------------------------------------- */

int run_exit_code(const json_t *process)
{
	static const struct {
		const char *name;
		int number;
	} signals[] = {
		{ "HUP", SIGHUP },   { "INT", SIGINT },   { "QUIT", SIGQUIT }, { "ILL", SIGILL },
		{ "ABRT", SIGABRT }, { "BUS", SIGBUS },   { "FPE", SIGFPE },   { "KILL", SIGKILL },
		{ "SEGV", SIGSEGV }, { "PIPE", SIGPIPE }, { "TERM", SIGTERM },
	};
	const char *name = json_string_value(json_object_get(process, "signal"));

	for (size_t i = 0; name != NULL && i < ARRAY_SIZE(signals); i++) {
		if (strcmp(signals[i].name, name) == 0)
			return SIGNALLED + signals[i].number;
	}
	return name != NULL ? SIGNALLED
			    : (int)json_integer_value(json_object_get(process, "exitCode"));
}

static int read_words(const struct call *call, json_t *words, struct err *e)
{
	int first = call->argument_count > 1 && strcmp(call->arguments[1], "--") == 0 ? 2 : 1;

	for (int i = first; i < call->argument_count; i++) {
		if (json_array_append_new(words, json_string(call->arguments[i])) < 0)
			return err_set(e, ERR_INVALID, NULL,
				       "word %d of the command is not text (UTF-8)", i - first + 1);
	}
	if (json_array_size(words) == 0)
		return err_set(e, ERR_INVALID, "USAGE",
			       "no command given: fsa run PROJECT -- COMMAND");
	return 0;
}

int run_process(const struct call *call, struct sandbox *sandbox, struct process_options options,
		const char *session, struct err *e)
{
	CLEANUP(json_decrefp) json_t *process = NULL;
	CLEANUP(collected_release) struct collected collected;
	bool json = call->options[OPTION_JSON] != NULL;

	collected_init(&collected, COLLECTED_MAX);
	(void)signal(SIGPIPE, SIG_IGN);
	options.signals = true;
	options.write = json ? collected_add : run_write_through;
	options.user = &collected;
	if (process_run(sandbox, &options, &process, e) < 0)
		return -1;
	if (json) {
		CLEANUP(json_decrefp) json_t *outcome = collected_json(&collected, process);
		if (session != NULL)
			(void)json_object_set_new(outcome, "session", json_string(session));
		(void)call_json(call, outcome);
	}
	return run_exit_code(process);
}

static int run(const struct call *call, struct sandbox *sandbox, struct err *e)
{
	CLEANUP(json_decrefp) json_t *command = json_array();

	if (read_words(call, command, e) < 0)
		return -1;
	const struct process_options options = {
		.command = command,
		.input = call->options[OPTION_NO_INPUT] != NULL ? -1 : STDIN_FILENO,
	};
	return run_process(call, sandbox, options, NULL, e);
}

int command_run(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL;
	CLEANUP(sandbox_close) struct sandbox sandbox = { 0 };

	if (call_site(call, &site, e) < 0 ||
	    project_find(&site, call->arguments[0], &project, e) < 0 ||
	    sandbox_open(&site, project, "exec", &sandbox, e) < 0)
		return -1;
	return run(call, &sandbox, e);
}
