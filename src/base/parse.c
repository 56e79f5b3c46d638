#include "base/parse.h"

#include <ctype.h>
#include <string.h>

enum { DOMAIN_LABEL_MAX = 63, DOMAIN_MAX = 253 };

static bool digits(const char *string, size_t length, uint64_t max, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (length == 0)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (string[i] < '0' || string[i] > '9')
			return false;
		uint64_t digit = (uint64_t)(string[i] - '0');
		if (value > (max - digit) / 10 || digit > max)
			return false;
		value = value * 10 + digit;
	}
	*ret_value = value;
	return true;
}

bool parse_u64(const char *string, uint64_t min, uint64_t max, uint64_t *ret_value)
{
	uint64_t value;

	if (!digits(string, strlen(string), max, &value) || value < min)
		return false;
	*ret_value = value;
	return true;
}

bool parse_duration_ms(const char *string, uint64_t *ret_ms)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {
		{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 },
	};
	size_t length = strspn(string, "0123456789");

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		uint64_t value;
		if (strcmp(string + length, units[i].unit) != 0)
			continue;
		if (!digits(string, length, INT64_MAX / units[i].ms, &value))
			return false;
		*ret_ms = value * units[i].ms;
		return true;
	}
	return false;
}

bool parse_bool(const char *string, bool *ret_value)
{
	static const char *const words[][2] = { { "no", "yes" },
						{ "false", "true" },
						{ "off", "on" } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		for (int value = 0; value < 2; value++) {
			if (strcmp(string, words[i][value]) == 0) {
				*ret_value = value == 1;
				return true;
			}
		}
	}
	return false;
}

bool parse_is_uuid(const char *string)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (strlen(string) != sizeof(form) - 1)
		return false;
	for (size_t i = 0; i < sizeof(form) - 1; i++) {
		if (form[i] == '-' ? string[i] != '-' : !isxdigit((unsigned char)string[i]))
			return false;
	}
	return true;
}

/* Returns the length of the sequence at `s`, 0 if it is malformed. */
static size_t utf8_sequence(const unsigned char *s, size_t room)
{
	size_t length;
	unsigned char low = 0x80, high = 0xbf; /* bounds of the second byte */

	if (s[0] < 0x80)
		return s[0] != 0;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		length = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		length = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		length = 4;
	else
		return 0;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (length > room || s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	return length;
}

bool parse_is_utf8(const char *string, size_t length)
{
	const unsigned char *s = (const unsigned char *)string;

	for (size_t at = 0; at < length;) {
		size_t sequence = utf8_sequence(s + at, length - at);
		if (sequence == 0)
			return false;
		at += sequence;
	}
	return true;
}

void parse_make_utf8(char *string)
{
	unsigned char *s = (unsigned char *)string;

	for (size_t left = strlen(string); left > 0;) {
		size_t sequence = utf8_sequence(s, left);
		if (sequence == 0) {
			*s = '?';
			sequence = 1;
		}
		s += sequence;
		left -= sequence;
	}
}

bool parse_is_domain(const char *string)
{
	static const char alphanumeric[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	static const char inner[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	const char *label = string;

	for (;;) {
		size_t length = strspn(label, inner);
		if (length == 0 || length > DOMAIN_LABEL_MAX ||
		    strchr(alphanumeric, label[0]) == NULL ||
		    strchr(alphanumeric, label[length - 1]) == NULL)
			return false;
		label += length;
		if (*label == '\0')
			return label - string <= DOMAIN_MAX;
		if (*label++ != '.')
			return false;
	}
}
