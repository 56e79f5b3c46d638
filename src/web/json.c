#include "web/json.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"

/* ---- reading --------------------------------------------------------------------------------- */

/* Called before parsing, because the parser recurses once per level. Brackets in strings do not
 * count; the depth of text that is not JSON may be wrong, but the parser refuses that. */
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

/* Replaces the parser's messages, which quote the input, possibly a secret, and name its
 * options. */
static const char *what_is_wrong(const json_error_t *error)
{
	switch (json_error_code(error)) {
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return "it has the character U+0000 in it, which no text here may have";
	case json_error_duplicate_key:
		return "a member is there twice";
	case json_error_premature_end_of_input:
		return "it ends too early";
	case json_error_end_of_input_expected:
		return "something comes after its end";
	case json_error_invalid_utf8:
		return "it is not UTF-8";
	case json_error_numeric_overflow:
		return "a number is too large";
	default:
		return "there is a mistake";
	}
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
			       "the body is not JSON that is taken here: %s (line %d, column %d)",
			       what_is_wrong(&error), error.line, error.column);
	if (!json_is_object(read))
		return err_set(e, ERR_INVALID, "INVALID_JSON", "the body is not a JSON object");
	*ret_object = STEAL(read);
	return 0;
}
