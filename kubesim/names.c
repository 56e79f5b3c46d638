#include "names.h"

#include <stddef.h>
#include <string.h>

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static const char too_long_253[] = "must be no more than 253 bytes";
static const char too_long_63[] = "must be no more than 63 bytes";
static const char not_subdomain[] =
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
	"'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex "
	"used for validation is "
	"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
static const char not_label[] =
	"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
	"must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "
	"used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
static const char not_label_1035[] =
	"a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
	"alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "
	"'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
static const char not_config_key[] =
	"a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
	"'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
	"'[-._a-zA-Z0-9]+')";
static const char not_label_value[] =
	"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
	"'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or "
	"'my_value',  or '12345', regex used for validation is "
	"'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
static const char not_qualified[] =
	"name part must consist of alphanumeric characters, '-', '_' or '.', and must start and "
	"end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex "
	"used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

/* Whether the text consists of these characters only, with one of `ends` at both ends. */
static bool consists_of(const char *text, size_t length, const char *characters, const char *ends)
{
	if (length == 0 || strchr(ends, text[0]) == NULL || strchr(ends, text[length - 1]) == NULL)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (strchr(characters, text[i]) == NULL)
			return false;
	}
	return true;
}

static bool is_label(const char *text, size_t length)
{
	return consists_of(text, length, LOWER DIGITS "-", LOWER DIGITS);
}

static bool is_subdomain(const char *text)
{
	for (;;) {
		size_t length = strcspn(text, ".");
		if (!is_label(text, length))
			return false;
		if (text[length] == '\0')
			return true;
		text += length + 1;
	}
}

static bool is_label_text(const char *text)
{
	return consists_of(text, strlen(text), LOWER UPPER DIGITS "-_.", LOWER UPPER DIGITS);
}

static const char *check_segment(const char *name)
{
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return "may not be '.' or '..'";
	if (strpbrk(name, "/%") != NULL)
		return "may not contain '/' or '%'";
	return NULL;
}

static const char *check_qualified(const char *name)
{
	const char *slash = strchr(name, '/');
	const char *last = slash != NULL ? slash + 1 : name;

	if (strlen(last) > 63)
		return "name part must be no more than 63 bytes";
	return is_label_text(last) ? NULL : not_qualified;
}

const char *name_check(enum name_form form, const char *name)
{
	size_t length = strlen(name);

	switch (form) {
	case NAME_SUBDOMAIN:
		if (length > 253)
			return too_long_253;
		return is_subdomain(name) ? NULL : not_subdomain;
	case NAME_LABEL:
		if (length > 63)
			return too_long_63;
		return is_label(name, length) ? NULL : not_label;
	case NAME_LABEL_1035:
		if (length > 63)
			return too_long_63;
		return is_label(name, length) && strchr(LOWER, name[0]) != NULL ? NULL
										: not_label_1035;
	case NAME_PATH_SEGMENT:
		return check_segment(name);
	case NAME_CONFIG_KEY:
		if (length > 253)
			return too_long_253;
		return consists_of(name, length, LOWER UPPER DIGITS "-_.", LOWER UPPER DIGITS "-_.")
			       ? NULL
			       : not_config_key;
	case NAME_LABEL_VALUE:
		if (length > 63)
			return too_long_63;
		return length == 0 || is_label_text(name) ? NULL : not_label_value;
	case NAME_QUALIFIED:
		return check_qualified(name);
	}
	return NULL;
}
