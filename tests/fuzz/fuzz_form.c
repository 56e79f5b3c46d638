/* Forms and queries: decoding, escaping and decoding again gives the same result. */
#include "fuzz.h"
#include "web/field.h"
#include "web/json.h"
#include "web/query.h"

static const struct field fields[] = {
	{ .name = "name", .type = FIELD_STRING, .min = 1, .max = 16 },
	{ .name = "limit", .type = FIELD_INTEGER, .min = 1, .max = 200 },
	{ .name = "all", .type = FIELD_BOOL },
	FIELDS_END,
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static char *escape(const struct query *q)
{
	char *text = mem_strdup("");

	for (size_t i = 0; i < q->count; i++) {
		CLEANUP(cleanup_free) char *before = text;
		CLEANUP(cleanup_free) char *name = query_escape(q->pairs[i].name);
		CLEANUP(cleanup_free) char *value = query_escape(q->pairs[i].value);
		text = mem_printf("%s&%s=%s", before, name, value);
	}
	return text;
}

static void check_again(const struct query *q)
{
	CLEANUP(cleanup_free) char *escaped = escape(q);
	CLEANUP(query_clear) struct query again = { .count = 0 };
	struct err e = { 0 };

	if (strlen(escaped) > QUERY_BYTES_MAX)
		return;
	insist(query_parse(escaped, &again, &e) == 0 && again.count == q->count);
	for (size_t i = 0; i < q->count; i++) {
		insist(strcmp(again.pairs[i].name, q->pairs[i].name) == 0);
		insist(strcmp(again.pairs[i].value, q->pairs[i].value) == 0);
	}
}

static void check_fields(const struct query *q)
{
	CLEANUP(json_decrefp) json_t *object = NULL;
	struct err e = { 0 };

	if (fields_from_query(fields, q, false, &object, &e) < 0) {
		insist_told(&e, ERR_INVALID);
		return;
	}
	int64_t limit = field_integer(object, "limit", 1);
	const char *name = field_string(object, "name");
	insist(limit >= 1 && limit <= 200);
	insist(name == NULL || (strlen(name) >= 1 && strlen(name) <= 16));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(cleanup_free) char *text = text_of(data, size);
	CLEANUP(cleanup_free) char *path = NULL;
	CLEANUP(query_clear) struct query q = { .count = 0 };
	struct err e = { 0 };

	if (path_decode(text, strlen(text), &path, &e) < 0)
		insist_told(&e, ERR_INVALID);
	else
		insist(parse_is_utf8(path, strlen(path)));
	if (query_parse(text, &q, &e) < 0) {
		insist_told(&e, ERR_INVALID);
		return 0;
	}
	check_again(&q);
	check_fields(&q);
	return 0;
}
