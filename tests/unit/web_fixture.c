#include "web_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "base/mem.h"

static ssize_t read_body(void *user, void *buffer, size_t length)
{
	struct exchange *x = user;
	size_t left = x->body_length - x->body_read;
	size_t given = length < left ? length : left;

	if (given > 3)
		given = 3; /* in small pieces, as from a socket */
	if (given > 0)
		memcpy(buffer, x->body + x->body_read, given);
	x->body_read += given;
	return (ssize_t)given;
}

static int write_answer(void *user, const void *data, size_t length)
{
	struct exchange *x = user;

	ck_assert_uint_lt(x->answer_length + length, EXCHANGE_ANSWER_MAX);
	if (length > 0)
		memcpy(x->answer + x->answer_length, data, length);
	x->answer_length += length;
	x->answer[x->answer_length] = '\0';
	return 0;
}

void exchange_set(struct exchange *x, const char *name, const char *value)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < x->variable_count; i++) {
		if (strncmp(x->variables[i], name, length) == 0 && x->variables[i][length] == '=') {
			free(x->variables[i]);
			x->variables[i] = mem_printf("%s=%s", name, value);
			return;
		}
	}
	ck_assert_uint_lt(x->variable_count, EXCHANGE_VARIABLES_MAX);
	x->variables[x->variable_count++] = mem_printf("%s=%s", name, value);
}

void exchange_begin(struct exchange *x, const char *method, const char *url, const char *body)
{
	char length[24];
	const char *query = strchr(url, '?');

	memset(x, 0, sizeof(*x));
	x->io = (struct web_io) {
		.user = x, .environment = x->variables, .read = read_body, .write = write_answer
	};
	exchange_set(x, "REQUEST_METHOD", method);
	exchange_set(x, "REQUEST_URI", url);
	exchange_set(x, "QUERY_STRING", query ? query + 1 : "");
	exchange_set(x, "REMOTE_ADDR", "192.0.2.7");
	if (body == NULL)
		return;
	x->body = body;
	x->body_length = strlen(body);
	(void)snprintf(length, sizeof(length), "%zu", x->body_length);
	exchange_set(x, "CONTENT_LENGTH", length);
	exchange_set(x, "CONTENT_TYPE", "application/json");
}

void exchange_end(struct exchange *x)
{
	for (size_t i = 0; i < x->variable_count; i++)
		free(x->variables[i]);
	x->variable_count = 0;
}

int exchange_status(const struct exchange *x)
{
	return atoi(exchange_header(x, "Status"));
}

const char *exchange_header(const struct exchange *x, const char *name)
{
	static char value[512];
	size_t length = strlen(name);
	const char *end = strstr(x->answer, "\r\n\r\n");

	for (const char *line = x->answer; end != NULL && line < end + 2;
	     line = strstr(line, "\r\n") + 2) {
		if (strncmp(line, name, length) != 0 || strncmp(line + length, ": ", 2) != 0)
			continue;
		(void)snprintf(value, sizeof(value), "%.*s", (int)strcspn(line + length + 2, "\r"),
			       line + length + 2);
		return value;
	}
	return "";
}

const char *exchange_body(const struct exchange *x)
{
	const char *end = strstr(x->answer, "\r\n\r\n");

	return end ? end + 4 : "";
}
