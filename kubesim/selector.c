#include "selector.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

enum { VALUES_MAX = 32, REQUIREMENTS_MAX = 32 };

enum op { OP_EXISTS, OP_ABSENT, OP_IN, OP_NOT_IN };

struct requirement {
	enum op op;
	char *key;
	char *values[VALUES_MAX];
	size_t value_count;
};

struct selector {
	bool is_fields;
	struct requirement requirements[REQUIREMENTS_MAX];
	size_t count;
};

/* ---- reading --------------------------------------------------------------------------------- */

struct reader {
	const char *at;
};

static void skip_blanks(struct reader *r)
{
	while (isspace((unsigned char)*r->at))
		r->at++;
}

static bool take(struct reader *r, const char *token)
{
	skip_blanks(r);
	size_t length = strlen(token);
	if (strncmp(r->at, token, length) != 0)
		return false;
	r->at += length;
	return true;
}

/* Returns the next word, "" if there is none here. The caller frees. */
static char *take_word(struct reader *r)
{
	skip_blanks(r);
	const char *start = r->at;
	while (*r->at != '\0' && strchr(",=!()", *r->at) == NULL && !isspace((unsigned char)*r->at))
		r->at++;
	return mem_strndup(start, (size_t)(r->at - start));
}

static bool read_set(struct reader *r, struct requirement *q)
{
	if (!take(r, "("))
		return false;
	do {
		if (q->value_count == VALUES_MAX)
			return false;
		q->values[q->value_count++] = take_word(r);
	} while (take(r, ","));
	return take(r, ")");
}

static bool read_operator(struct reader *r, struct requirement *q)
{
	skip_blanks(r);
	if (*r->at == '\0' || *r->at == ',') {
		q->op = OP_EXISTS;
		return true;
	}
	if (take(r, "!=")) {
		q->op = OP_NOT_IN;
	} else if (take(r, "==") || take(r, "=")) {
		q->op = OP_IN;
	} else {
		CLEANUP(cleanup_free) char *word = take_word(r);
		q->op = strcmp(word, "in") == 0 ? OP_IN : OP_NOT_IN;
		return (q->op == OP_IN || strcmp(word, "notin") == 0) && read_set(r, q);
	}
	q->values[q->value_count++] = take_word(r);
	return true;
}

static bool read_requirement(struct reader *r, struct requirement *q)
{
	skip_blanks(r);
	bool absent = r->at[0] == '!' && r->at[1] != '=' && take(r, "!");
	q->key = take_word(r);
	if (q->key[0] == '\0')
		return false;
	if (absent) {
		q->op = OP_ABSENT;
		return true;
	}
	return read_operator(r, q);
}

/* Returns NULL, or the part that cannot be parsed. */
static const char *read_all(const char *text, struct selector *s)
{
	struct reader r = { text };

	do {
		if (s->count == REQUIREMENTS_MAX ||
		    !read_requirement(&r, &s->requirements[s->count++]))
			return r.at;
	} while (take(&r, ","));
	skip_blanks(&r);
	return *r.at == '\0' ? NULL : r.at;
}

int selector_new_labels(const char *text, struct selector **ret_selector, struct refusal *r)
{
	struct selector *s = mem_calloc(1, sizeof(*s));
	const char *unread = text != NULL && text[0] != '\0' ? read_all(text, s) : NULL;

	if (unread != NULL) {
		selector_free(s);
		return refuse_bad_request(
			r, "found '%.100s', expected: !, identifier, or 'end of string'", unread);
	}
	*ret_selector = s;
	return 0;
}

static bool offers(const struct kind *kind, const char *field)
{
	if (strcmp(field, "metadata.name") == 0 || strcmp(field, "metadata.namespace") == 0)
		return true;
	for (size_t i = 0; i < SELECTABLE_MAX && kind->selectable[i] != NULL; i++) {
		if (strcmp(kind->selectable[i], field) == 0)
			return true;
	}
	return false;
}

static int check_fields(const struct selector *s, const char *text, const struct kind *kind,
			struct refusal *r)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct requirement *q = &s->requirements[i];
		if (q->value_count != 1)
			return refuse_bad_request(r,
						  "invalid selector: '%.200s'; can't understand "
						  "'%.100s'",
						  text, q->key);
		if (!offers(kind, q->key) && kind->selectable[0] == NULL)
			return refuse_bad_request(r,
						  "\"%.100s\" is not a known field selector: only "
						  "\"metadata.name\", \"metadata.namespace\"",
						  q->key);
		if (!offers(kind, q->key))
			return refuse_bad_request(r, "field label not supported: %.100s", q->key);
	}
	return 0;
}

int selector_new_fields(const char *text, const struct kind *kind, struct selector **ret_selector,
			struct refusal *r)
{
	if (selector_new_labels(text, ret_selector, r) < 0)
		return -1;
	(*ret_selector)->is_fields = true;
	if (check_fields(*ret_selector, text, kind, r) == 0)
		return 0;
	selector_free(*ret_selector);
	*ret_selector = NULL;
	return -1;
}

void selector_free(struct selector *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->count; i++) {
		for (size_t j = 0; j < s->requirements[i].value_count; j++)
			free(s->requirements[i].values[j]);
		free(s->requirements[i].key);
	}
	free(s);
}

/* ---- matching -------------------------------------------------------------------------------- */

static bool has_value(const struct requirement *q, const char *value)
{
	for (size_t i = 0; i < q->value_count; i++) {
		if (strcmp(q->values[i], value) == 0)
			return true;
	}
	return false;
}

/* Objects without the label are in no set, and so match every `notin` and `!=`. */
static bool meets(const struct requirement *q, const char *value)
{
	switch (q->op) {
	case OP_EXISTS:
		return value != NULL;
	case OP_ABSENT:
		return value == NULL;
	case OP_IN:
		return value != NULL && has_value(q, value);
	case OP_NOT_IN:
		return value == NULL || !has_value(q, value);
	}
	return false;
}

bool selector_matches(const struct selector *s, const struct object *o)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct requirement *q = &s->requirements[i];
		const char *value =
			s->is_fields ? object_field(o, q->key) : object_label(o, q->key);
		if (!meets(q, value))
			return false;
	}
	return true;
}

bool selector_required(const struct selector *s, const char *key, const char **ret_value)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct requirement *q = &s->requirements[i];
		if (q->op == OP_IN && q->value_count == 1 && strcmp(q->key, key) == 0) {
			*ret_value = q->values[0];
			return true;
		}
	}
	return false;
}
