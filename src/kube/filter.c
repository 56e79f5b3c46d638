#include "kube/filter.h"

#include <string.h>

/* The list itself is read as a whole: its kind, its `metadata`, its `items`. */
enum { LIST_DEPTH = 2 };

struct filter {
	const struct kube_members *members;
	size_t depth;
	size_t whole; /* the depth at which a member is read with everything in it; 0: none */
	size_t cost, cost_max;
};

/* Returns what follows the string that begins at `at`. */
static size_t string_end(const char *text, size_t length, size_t at)
{
	for (at++; at < length; at++) {
		if (text[at] == '\\')
			at++;
		else if (text[at] == '"')
			return at + 1;
	}
	return length;
}

/* Returns what follows the array or object at `at`. */
static size_t bracket_end(const char *text, size_t length, size_t at)
{
	size_t depth = 0;

	while (at < length) {
		if (text[at] == '"') {
			at = string_end(text, length, at);
			continue;
		}
		if (text[at] == '[' || text[at] == '{')
			depth++;
		else if ((text[at] == ']' || text[at] == '}') && --depth == 0)
			return at + 1;
		at++;
	}
	return length;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t skip_blanks(const char *text, size_t length, size_t at)
{
	while (at < length && is_blank(text[at]))
		at++;
	return at;
}

/* Returns what follows the value at `at`, and the blanks behind it. */
static size_t value_end(const char *text, size_t length, size_t at)
{
	at = skip_blanks(text, length, at);
	if (at < length && text[at] == '"')
		at = string_end(text, length, at);
	else if (at < length && (text[at] == '[' || text[at] == '{'))
		at = bracket_end(text, length, at);
	while (at < length && strchr(",]}", text[at]) == NULL)
		at++;
	return at;
}

/* Returns what follows `name` where it is among `names`: nothing, or a '*'. NULL: it is not. */
static const char *find(const char *const *names, const char *name, size_t length)
{
	for (; *names != NULL; names++) {
		if ((*names)[0] != name[0] || strncmp(*names, name, length) != 0)
			continue;
		const char *rest = *names + strnlen(*names, length);
		if (*rest == '\0' || *rest == '*')
			return rest;
	}
	return NULL;
}

static bool is_read(struct filter *f, const char *name, size_t length)
{
	const struct kube_members *members = f->members;

	if (members->read == NULL)
		return members->unread == NULL || find(members->unread, name, length) == NULL;
	if (f->depth <= LIST_DEPTH || f->whole > 0)
		return true;
	const char *rest = find(members->read, name, length);
	if (rest != NULL && *rest == '*')
		f->whole = f->depth;
	return rest != NULL;
}

/* Returns false if the depth or the cost exceeds the limits. */
static bool count(struct filter *f, char c)
{
	bool opens = c == '[' || c == '{', closes = c == ']' || c == '}';

	f->cost += c == ',' ? 1 : opens ? 5 : 0; /* with its first value */
	if (opens)
		f->depth++;
	else if (closes && f->depth > 0)
		f->depth--;
	if ((c == ',' || closes) && f->depth <= f->whole)
		f->whole = 0;
	return f->depth <= KUBE_JSON_DEPTH && f->cost <= f->cost_max;
}

/* The last member of an object was left out: removes the comma before it. */
static void remove_comma(struct buf *text)
{
	size_t length = text->length;

	while (length > 0 && is_blank(text->data[length - 1]))
		length--;
	if (length > 0 && text->data[length - 1] == ',')
		text->data[text->length = length - 1] = '\0';
}

static bool copy(struct filter *f, const char *text, size_t length, struct buf *ret_text)
{
	size_t from = 0, at = 0;

	while (at < length) {
		if (text[at] != '"') {
			if (!count(f, text[at++]))
				return false;
			continue;
		}
		size_t end = string_end(text, length, at);
		size_t colon = skip_blanks(text, length, end);
		bool is_name = colon < length && text[colon] == ':';
		if (!is_name || is_read(f, text + at + 1, end - at - 2)) {
			at = end;
			continue;
		}
		(void)buf_append(ret_text, text + from, at - from, NULL);
		at = value_end(text, length, colon + 1);
		if (at < length && text[at] == ',')
			at++;
		else
			remove_comma(ret_text);
		from = at;
	}
	(void)buf_append(ret_text, text + from, length - from, NULL);
	return true;
}

bool kube_filter(const struct kube_members *members, const char *text, size_t length, size_t *cost,
		 struct buf *ret_text)
{
	struct filter f = { .members = members, .cost = 1, .cost_max = *cost };

	if (!copy(&f, text, length, ret_text))
		return false;
	*cost -= f.cost;
	return true;
}
