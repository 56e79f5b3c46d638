#include "base/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { LINE_MAX_BYTES = 2048 };

struct line {
	char text[LINE_MAX_BYTES];
	size_t length;
};

static enum log_level threshold = LOG_LEVEL_INFO;

/* systemd reads the "<N>" prefix as syslog(3) priority; key=value readers see `level`. Info is
 * "notice" there: so a unit can keep it and drop what systemd itself tells of each start
 * (LogLevelMax=). */
static const struct {
	const char *name;
	const char *prefix;
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", "<3>" },
	[LOG_LEVEL_WARNING] = { "warning", "<4>" },
	[LOG_LEVEL_INFO] = { "info", "<5>" },
	[LOG_LEVEL_DEBUG] = { "debug", "<7>" },
};

static void put(struct line *l, const char *text)
{
	size_t room = sizeof(l->text) - 1 - l->length;
	size_t length = strnlen(text, room);

	memcpy(l->text + l->length, text, length);
	l->length += length;
}

static bool needs_quotes(const char *value)
{
	for (const char *p = value; *p != '\0'; p++) {
		if ((unsigned char)*p <= ' ' || *p == '"' || *p == '=' || *p == '\\' || *p == 0x7f)
			return true;
	}
	return value[0] == '\0';
}

static void put_value(struct line *l, const char *value)
{
	if (!needs_quotes(value)) {
		put(l, value);
		return;
	}
	put(l, "\"");
	for (const char *p = value; *p != '\0'; p++) {
		char escaped[8];
		if (*p == '"' || *p == '\\')
			(void)snprintf(escaped, sizeof(escaped), "\\%c", *p);
		else if ((unsigned char)*p < 0x20 || *p == 0x7f)
			(void)snprintf(escaped, sizeof(escaped), "\\x%02x", (unsigned char)*p);
		else
			(void)snprintf(escaped, sizeof(escaped), "%c", *p);
		put(l, escaped);
	}
	put(l, "\"");
}

void log_fields(enum log_level level, const char *message, const struct log_field *fields,
		size_t count)
{
	struct line l = { .length = 0 };

	if (level > threshold)
		return;
	if (getenv("JOURNAL_STREAM") != NULL)
		put(&l, levels[level].prefix);
	put(&l, "level=");
	put(&l, levels[level].name);
	put(&l, " msg=");
	put_value(&l, message);
	for (size_t i = 0; i < count; i++) {
		char number[24];
		put(&l, " ");
		put(&l, fields[i].key);
		put(&l, "=");
		if (fields[i].string == NULL)
			(void)snprintf(number, sizeof(number), "%lld", fields[i].number);
		put_value(&l, fields[i].string ? fields[i].string : number);
	}
	l.text[l.length++] = '\n';
	ssize_t written = write(STDERR_FILENO, l.text, l.length);
	(void)written; /* nowhere left to say so */
}

void log_err(enum log_level level, const char *message, const struct err *e)
{
	log_line(level, message, LOG_STR("kind", err_kind_name(e->kind)), LOG_STR("code", e->code),
		 LOG_STR("error", e->message));
}

void log_set_level(enum log_level level)
{
	threshold = level;
}

void log_set_level_name(const char *name)
{
	for (size_t level = 0; level < ARRAY_SIZE(levels); level++) {
		if (strcmp(levels[level].name, name) == 0)
			log_set_level((enum log_level)level);
	}
}
