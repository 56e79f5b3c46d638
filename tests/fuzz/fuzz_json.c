/* JSON bodies, and what a table of fields accepts. */
#include "fuzz.h"
#include "web/field.h"
#include "web/json.h"

static int check_word(const char *value, struct err *e)
{
	return strchr(value, ' ') == NULL ? 0 : err_set(e, ERR_INVALID, "NOT_A_WORD", "has blanks");
}

static const struct field members[] = {
	{ .name = "key", .type = FIELD_STRING, .required = true, .max = 8, .check = check_word },
	{ .name = "value", .type = FIELD_STRING, .nullable = true, .max = 8 },
	FIELDS_END,
};

static const struct field fields[] = {
	{ .name = "name", .type = FIELD_STRING, .required = true, .min = 1, .max = 16 },
	{ .name = "count", .type = FIELD_INTEGER, .min = -5, .max = 5 },
	{ .name = "bearer", .type = FIELD_BOOL },
	{ .name = "env", .type = FIELD_STRING_MAP, .max = 4, .check_key = check_word },
	{ .name = "items", .type = FIELD_OBJECTS, .min = 1, .max = 3, .members = members },
	FIELDS_END,
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static void check_fields(json_t *object)
{
	struct err e = { 0 };

	if (fields_check(fields, object, &e) < 0) {
		insist_told(&e, ERR_INVALID);
		return;
	}
	int64_t count = field_integer(object, "count", 0);
	json_t *items = json_object_get(object, "items");
	insist(strlen(field_string(object, "name")) <= 16);
	insist(count >= -5 && count <= 5);
	insist(json_object_size(json_object_get(object, "env")) <= 4);
	insist(items == NULL || (json_array_size(items) >= 1 && json_array_size(items) <= 3));
	for (size_t i = 0; i < json_array_size(items); i++)
		insist(strchr(field_string(json_array_get(items, i), "key"), ' ') == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(json_decrefp) json_t *object = NULL;
	CLEANUP(json_decrefp) json_t *again = NULL;
	CLEANUP(cleanup_free) char *text = NULL;
	struct err e = { 0 };

	if (json_read_object((const char *)data, size, &object, &e) < 0) {
		insist_told(&e, ERR_INVALID);
		insist(strcmp(e.code, "INVALID_JSON") == 0 && object == NULL);
		return 0;
	}
	insist(json_is_object(object));
	text = json_dumps(object, JSON_COMPACT);
	insist(text != NULL && json_read_object(text, strlen(text), &again, &e) == 0);
	check_fields(object);
	return 0;
}
