#include "web/json.h"

#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"

/* Looked at before parsing: the parser recurses once a level. Brackets in strings do not count;
 * text that is no JSON may be measured wrongly and is refused by the parser. */
static bool too_deep(const char *text, size_t length)
{
	unsigned depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < length; i++) {
		if (in_string) {
			if (text[i] == '\\')
				i++;
			else if (text[i] == '"')
				in_string = false;
		} else if (text[i] == '"') {
			in_string = true;
		} else if (text[i] == '{' || text[i] == '[') {
			if (++depth > JSON_DEPTH_MAX)
				return true;
		} else if ((text[i] == '}' || text[i] == ']') && depth > 0) {
			depth--;
		}
	}
	return false;
}

/* The parser quotes what it stumbled over, "… near 'hunter2'": not for an error message. */
static int without_quotation(const char *text)
{
	const char *quotation = strstr(text, " near ");

	return (int)(quotation ? (size_t)(quotation - text) : strlen(text));
}

int json_read_object(const char *text, size_t length, json_t **ret_object, struct err *e)
{
	CLEANUP(json_decrefp) json_t *read = NULL;
	json_error_t error;

	if (too_deep(text, length))
		return err_set(e, ERR_INVALID, "INVALID_JSON",
			       "the JSON is nested more than %d deep", JSON_DEPTH_MAX);
	read = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	if (read == NULL)
		return err_set(e, ERR_INVALID, "INVALID_JSON",
			       "the body is not JSON: %.*s (line %d, column %d)",
			       without_quotation(error.text), error.text, error.line, error.column);
	if (!json_is_object(read))
		return err_set(e, ERR_INVALID, "INVALID_JSON", "the body is not a JSON object");
	*ret_object = STEAL(read);
	return 0;
}
