#include "dotenv.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"

struct reader {
	const char *at, *end;
	unsigned line;
};

static int wrong(unsigned line, const char *what, struct err *e)
{
	return err_set(e, ERR_INVALID, "INVALID_ENV_FILE", "line %u: %s", line, what);
}

static bool is_name(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(struct reader *r)
{
	while (r->at < r->end && is_blank(*r->at))
		r->at++;
}

static void skip_line(struct reader *r)
{
	while (r->at < r->end && *r->at++ != '\n')
		;
	r->line++;
}

static bool at_line_end(const struct reader *r)
{
	return r->at == r->end || *r->at == '\n';
}

static char unescape(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return c;
	}
}

/* Escapes in double quotes; an unknown one stays as it is. */
static void add_escaped(struct reader *r, struct buf *value)
{
	struct err never;

	if (strchr("nrt\\\"$", *r->at) == NULL)
		(void)buf_append(value, "\\", 1, &never);
	char c = unescape(*r->at);
	(void)buf_append(value, &c, 1, &never);
}

static int read_quoted(struct reader *r, struct buf *value, struct err *e)
{
	char quote = *r->at++;
	unsigned begun = r->line;
	struct err never; /* the value is no longer than the text it is read from */

	for (; r->at < r->end && *r->at != quote; r->at++) {
		if (*r->at == '\n')
			r->line++;
		if (quote == '"' && *r->at == '\\' && r->at + 1 < r->end && r->at[1] != '\n') {
			r->at++;
			add_escaped(r, value);
		} else {
			(void)buf_append(value, r->at, 1, &never);
		}
	}
	if (r->at == r->end)
		return wrong(begun, "its opening quotation mark is never closed", e);
	r->at++;
	skip_blanks(r);
	if (!at_line_end(r) && *r->at != '#')
		return wrong(r->line, "there is text after the closing quotation mark", e);
	return 0;
}

static void read_bare(struct reader *r, struct buf *value)
{
	const char *from = r->at, *last = r->at;
	struct err never;

	for (; !at_line_end(r); r->at++) {
		if (*r->at == '#' && (r->at == from || is_blank(r->at[-1])))
			break;
		if (!is_blank(*r->at))
			last = r->at + 1;
	}
	(void)buf_append(value, from, (size_t)(last - from), &never);
}

static int read_name(struct reader *r, char **ret_name, struct err *e)
{
	static const char prefix[] = "export";
	size_t skip = sizeof(prefix) - 1;

	if ((size_t)(r->end - r->at) > skip && strncmp(r->at, prefix, skip) == 0 &&
	    is_blank(r->at[skip])) {
		r->at += skip;
		skip_blanks(r);
	}
	const char *from = r->at;
	while (r->at < r->end && is_name(*r->at))
		r->at++;
	size_t length = (size_t)(r->at - from);
	skip_blanks(r);
	if (length == 0 || (*from >= '0' && *from <= '9') || r->at == r->end || *r->at != '=')
		return wrong(r->line, "is not NAME=VALUE", e);
	r->at++;
	skip_blanks(r);
	*ret_name = mem_strndup(from, length);
	return 0;
}

static int read_variable(struct reader *r, json_t *variables, struct err *e)
{
	CLEANUP(cleanup_free) char *name = NULL;
	CLEANUP(buf_wipe) struct buf value = BUF_INIT((size_t)(r->end - r->at));
	unsigned line = r->line;

	if (read_name(r, &name, e) < 0)
		return -1;
	if (!at_line_end(r) && strchr("\"'`", *r->at) != NULL) {
		if (read_quoted(r, &value, e) < 0)
			return -1;
	} else {
		read_bare(r, &value);
	}
	json_t *text = json_stringn(value.data ? value.data : "", value.length);
	if (text == NULL || memchr(value.data ? value.data : "", '\0', value.length) != NULL) {
		json_decref(text);
		return wrong(line, "the value is not text (UTF-8)", e);
	}
	(void)json_object_set_new(variables, name, text);
	return 0;
}

int dotenv_read(const char *text, size_t length, json_t **ret_variables, struct err *e)
{
	static const char mark[] = "\xef\xbb\xbf"; /* written by Windows editors */
	struct reader r = { .at = text, .end = text + length, .line = 1 };
	CLEANUP(json_decrefp) json_t *variables = json_object();

	if (length >= 3 && memcmp(text, mark, 3) == 0)
		r.at += 3;
	while (r.at < r.end) {
		skip_blanks(&r);
		if (!at_line_end(&r) && *r.at != '#' && read_variable(&r, variables, e) < 0)
			return -1;
		skip_line(&r);
	}
	*ret_variables = STEAL(variables);
	return 0;
}
