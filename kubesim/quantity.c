#include "quantity.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

struct suffix {
	const char *text;
	bool binary;
	int power; /* power of 1024 or 1000 */
};

static const struct suffix suffixes[] = {
	{ "", false, 0 },  { "k", false, 1 }, { "M", false, 2 }, { "G", false, 3 },
	{ "T", false, 4 }, { "P", false, 5 }, { "Ki", true, 1 }, { "Mi", true, 2 },
	{ "Gi", true, 3 }, { "Ti", true, 4 }, { "Pi", true, 5 },
};

static long long step_of(const struct suffix *s)
{
	return s->binary ? 1024 : 1000;
}

/* Reads digits with at most three after the point, as thousandths; `ret_rest` is what follows. */
static bool read_number(const char *text, long long *ret_milli, const char **ret_rest)
{
	size_t whole = strspn(text, "0123456789");
	long long value = 0;
	const char *at = text + whole;
	int decimals = 0;

	if (whole > 15)
		return false;
	for (size_t i = 0; i < whole; i++)
		value = value * 10 + (text[i] - '0');
	if (*at == '.') {
		for (at++; *at >= '0' && *at <= '9' && decimals < 3; at++, decimals++)
			value = value * 10 + (*at - '0');
	}
	for (; decimals < 3; decimals++)
		value *= 10;
	*ret_milli = value;
	*ret_rest = at;
	return whole > 0;
}

static bool parse(const char *text, long long *ret_milli, bool *ret_binary)
{
	const char *rest;
	long long milli;

	*ret_binary = false;
	if (!read_number(text, &milli, &rest))
		return false;
	if (strcmp(rest, "m") == 0) {
		*ret_milli = milli / 1000;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		if (strcmp(suffixes[i].text, rest) != 0)
			continue;
		for (int power = 0; power < suffixes[i].power; power++) {
			if (__builtin_mul_overflow(milli, step_of(&suffixes[i]), &milli))
				return false;
		}
		*ret_milli = milli;
		*ret_binary = suffixes[i].binary;
		return true;
	}
	return false;
}

bool quantity_milli(const char *text, long long *ret_milli)
{
	bool binary;

	return text != NULL && parse(text, ret_milli, &binary);
}

bool quantity_canonical_text(const char *text, char ret_text[QUANTITY_TEXT_MAX])
{
	long long milli;
	bool binary;
	const struct suffix *best = &suffixes[0];

	if (!parse(text, &milli, &binary))
		return false;
	if (milli % 1000 != 0) {
		snprintf(ret_text, QUANTITY_TEXT_MAX, "%lldm", milli);
		return true;
	}
	long long value = milli / 1000;
	for (size_t i = 0; i < ARRAY_SIZE(suffixes) && value != 0; i++) {
		if (suffixes[i].binary != binary || suffixes[i].power != best->power + 1 ||
		    value % step_of(&suffixes[i]) != 0)
			continue;
		value /= step_of(&suffixes[i]);
		best = &suffixes[i];
	}
	snprintf(ret_text, QUANTITY_TEXT_MAX, "%lld%s", value, best->text);
	return true;
}
