#include "base/log.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/metric.h"
#include "base/parse.h"

enum { LINE_MAX_BYTES = 2048 };

struct line {
	char text[LINE_MAX_BYTES];
	size_t length;
	bool full;
};

static enum log_level threshold = LOG_LEVEL_INFO;
static struct log_last *last_error;

/* systemd reads the prefix "<N>" as a syslog(3) priority; readers of key=value use `level`. Info
 * and debug messages are "notice", so that a unit can drop systemd's own messages about each start
 * (LogLevelMax=) and keep these: log_level alone decides what is written. */
static const struct {
	const char *name;
	const char *prefix;
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", "<3>" },
	[LOG_LEVEL_WARNING] = { "warning", "<4>" },
	[LOG_LEVEL_INFO] = { "info", "<5>" },
	[LOG_LEVEL_DEBUG] = { "debug", "<5>" },
};

/* Text that does not fit is omitted as a whole, never half a character or half an escape. There is
 * always room for a closing quote and the end of the line. */
static void put(struct line *l, const char *text)
{
	size_t length = strlen(text);

	l->full = l->full || l->length + length > sizeof(l->text) - 2;
	if (l->full)
		return;
	memcpy(l->text + l->length, text, length);
	l->length += length;
}

static bool needs_quotes(const char *value)
{
	for (const char *p = value; *p != '\0'; p++) {
		if (*p == '"' || *p == '=' || *p == '\\' || (unsigned char)*p <= ' ' ||
		    (unsigned char)*p >= 0x7f)
			return true;
	}
	return value[0] == '\0';
}

/* Returns the length of the character at `p`, in valid UTF-8. */
static size_t character_length(const char *p)
{
	size_t length = 1;

	while (((unsigned char)p[length] & 0xc0) == 0x80)
		length++;
	return length;
}

/* Whether it is a control character, C0 or C1: terminals would obey them (ISO 6429; U+0080 to
 * U+009F are two bytes in UTF-8). They are escaped as in JSON, which readers of logfmt
 * understand. */
static bool is_control(const char *p)
{
	return (unsigned char)*p < ' ' || *p == 0x7f ||
	       (*p == '\xc2' && (unsigned char)p[1] < 0xa0);
}

static void put_quoted(struct line *l, const char *value)
{
	bool is_utf8 = parse_is_utf8(value, strlen(value));

	for (const char *p = value; *p != '\0' && !l->full;) {
		size_t length = is_utf8 ? character_length(p) : 1;
		char text[8] = "\\";
		if (*p == '"' || *p == '\\')
			text[1] = *p;
		else if (!is_utf8 && (unsigned char)*p >= 0x80)
			strcpy(text, "\\ufffd");
		else if (is_control(p))
			(void)snprintf(text, sizeof(text), "\\u%04x", (unsigned char)p[length - 1]);
		else
			memcpy(text, p, length);
		put(l, text);
		p += length;
	}
}

static void put_value(struct line *l, const char *value)
{
	if (!needs_quotes(value)) {
		put(l, value);
		return;
	}
	put(l, "\"");
	if (l->full)
		return;
	put_quoted(l, value);
	l->text[l->length++] = '"'; /* put() has reserved room */
}

/* Several processes share it: if another one is writing, its error is kept instead. */
static void keep(const char *text)
{
	if (last_error == NULL || atomic_flag_test_and_set(&last_error->busy))
		return;
	(void)snprintf(last_error->text, sizeof(last_error->text), "%s", text);
	/* Truncation may have split a character. */
	while (!parse_is_utf8(last_error->text, strlen(last_error->text)))
		last_error->text[strlen(last_error->text) - 1] = '\0';
	last_error->at = time(NULL);
	atomic_flag_clear(&last_error->busy);
}

void log_fields(enum log_level level, const char *message, const struct log_field *fields,
		size_t count)
{
	struct line l = { .length = 0 };

	if (level > threshold)
		return;
	metric_add(METRIC_LOG_LINES, 1, METRIC_LABELS(levels[level].name));
	if (getenv("JOURNAL_STREAM") != NULL)
		put(&l, levels[level].prefix);
	put(&l, "level=");
	put(&l, levels[level].name);
	put(&l, " msg=");
	put_value(&l, message);
	for (size_t i = 0; i < count && !l.full; i++) {
		char key[64];
		char number[24];
		(void)snprintf(key, sizeof(key), " %s=", fields[i].key);
		put(&l, key);
		if (fields[i].string == NULL)
			(void)snprintf(number, sizeof(number), "%lld", fields[i].number);
		put_value(&l, fields[i].string ? fields[i].string : number);
	}
	l.text[l.length++] = '\n';
	ssize_t written = write(STDERR_FILENO, l.text, l.length);
	(void)written; /* a failure could be reported nowhere */
	l.text[l.length - 1] = '\0';
	if (level == LOG_LEVEL_ERROR)
		keep(strstr(l.text, "msg="));
}

void log_err(enum log_level level, const char *message, const struct err *e)
{
	log_line(level, message, LOG_STR("kind", err_kind_name(e->kind)), LOG_STR("code", e->code),
		 LOG_STR("error", e->message));
}

void log_keep_last_error(struct log_last *last)
{
	last_error = last;
}

void log_set_level_name(const char *name)
{
	for (size_t level = 0; level < ARRAY_SIZE(levels); level++) {
		if (strcmp(levels[level].name, name) == 0)
			threshold = (enum log_level)level;
	}
}
