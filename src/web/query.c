#include "web/query.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The decoded form is never longer than the escaped one. */
static int decode(const char *text, size_t length, bool plus_is_blank, char **ret_text,
		  struct err *e)
{
	CLEANUP(cleanup_free) char *decoded = mem_calloc(length + 1, 1);
	size_t at = 0;

	for (size_t i = 0; i < length; i++) {
		char c = text[i];
		if (c == '+' && plus_is_blank) {
			c = ' ';
		} else if (c == '%') {
			int high = length - i > 2 ? hex_digit(text[i + 1]) : -1;
			int low = length - i > 2 ? hex_digit(text[i + 2]) : -1;
			if (high < 0 || low < 0)
				return err_set(e, ERR_INVALID, "INVALID_URL",
					       "the URL has a '%%' without two hex digits");
			c = (char)(high * 16 + low);
			i += 2;
		}
		decoded[at++] = c;
	}
	if (!parse_is_utf8(decoded, at))
		return err_set(e, ERR_INVALID, "INVALID_URL",
			       "the URL has NUL or something that is not UTF-8 in it");
	*ret_text = STEAL(decoded);
	return 0;
}

static bool has_name(const struct query *q, const char *name)
{
	for (size_t i = 0; i < q->count; i++) {
		if (strcmp(q->pairs[i].name, name) == 0)
			return true;
	}
	return false;
}

static int add_pair(struct query *q, const char *text, size_t length, struct err *e)
{
	CLEANUP(cleanup_free) char *name = NULL;
	CLEANUP(cleanup_free) char *value = NULL;
	const char *equals = memchr(text, '=', length);
	size_t name_length = equals ? (size_t)(equals - text) : length;
	size_t value_at = equals ? name_length + 1 : length;

	if (decode(text, name_length, true, &name, e) < 0 ||
	    decode(text + value_at, length - value_at, true, &value, e) < 0)
		return -1;
	if (has_name(q, name))
		return err_set(e, ERR_INVALID, "DUPLICATE_FIELD", "given twice: %s", name);
	if (q->count == QUERY_PAIRS_MAX)
		return err_set(e, ERR_INVALID, "INVALID_URL", "more than %d query parameters",
			       QUERY_PAIRS_MAX);
	q->pairs[q->count].name = STEAL(name);
	q->pairs[q->count].value = STEAL(value);
	q->count++;
	return 0;
}

int query_parse(const char *text, struct query *q, struct err *e)
{
	size_t length = strlen(text);

	if (length > QUERY_BYTES_MAX)
		return err_set(e, ERR_INVALID, "INVALID_URL", "a query of more than %d bytes",
			       QUERY_BYTES_MAX);
	for (size_t at = 0; at < length;) {
		size_t part = strcspn(text + at, "&");
		if (part > 0 && add_pair(q, text + at, part, e) < 0)
			return -1;
		at += part + 1;
	}
	return 0;
}

void query_clear(struct query *q)
{
	for (size_t i = 0; i < q->count; i++) {
		free(q->pairs[i].name);
		free(q->pairs[i].value);
	}
	q->count = 0;
}

int path_decode(const char *text, size_t length, char **ret_path, struct err *e)
{
	for (size_t i = 0; i + 2 < length; i++) {
		if (strncasecmp(text + i, "%2f", 3) == 0)
			return err_set(e, ERR_INVALID, "INVALID_URL",
				       "the path has an escaped '/' in it");
	}
	return decode(text, length, false, ret_path, e);
}

char *query_escape(const char *text)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					 "0123456789-._~";
	static const char hex[] = "0123456789ABCDEF";
	char *escaped = mem_calloc(3 * strlen(text) + 1, 1);
	char *at = escaped;

	for (const char *p = text; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;
		if (strchr(unreserved, c) != NULL) {
			*at++ = *p;
			continue;
		}
		*at++ = '%';
		*at++ = hex[c >> 4];
		*at++ = hex[c & 15];
	}
	return escaped;
}
