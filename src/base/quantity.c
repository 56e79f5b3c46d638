#include "base/quantity.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

/* Nano is the smallest unit of a quantity, 2^63 the largest value: together they need 94 bits. */
typedef unsigned __int128 nanos;

#define NANOS_PER_UNIT ((nanos)1000000000)
#define VALUE_LIMIT    (((nanos)1 << 63) * NANOS_PER_UNIT)

enum { DIGITS_MAX = 18 };

enum form { DECIMAL, BINARY, EXPONENT };

struct suffix {
	const char *text;
	enum form form;
	nanos nanos; /* of one unit */
};

#define BINARY_NANOS(power) (NANOS_PER_UNIT << (10 * (power)))

/* Largest first within a form. */
static const struct suffix suffixes[] = {
	{ "Ei", BINARY, BINARY_NANOS(6) },
	{ "Pi", BINARY, BINARY_NANOS(5) },
	{ "Ti", BINARY, BINARY_NANOS(4) },
	{ "Gi", BINARY, BINARY_NANOS(3) },
	{ "Mi", BINARY, BINARY_NANOS(2) },
	{ "Ki", BINARY, BINARY_NANOS(1) },
	{ "E", DECIMAL, NANOS_PER_UNIT * 1000000000000000000 },
	{ "P", DECIMAL, NANOS_PER_UNIT * 1000000000000000 },
	{ "T", DECIMAL, NANOS_PER_UNIT * 1000000000000 },
	{ "G", DECIMAL, NANOS_PER_UNIT * 1000000000 },
	{ "M", DECIMAL, NANOS_PER_UNIT * 1000000 },
	{ "k", DECIMAL, NANOS_PER_UNIT * 1000 },
	{ "", DECIMAL, NANOS_PER_UNIT },
	{ "m", DECIMAL, 1000000 },
	{ "u", DECIMAL, 1000 },
	{ "n", DECIMAL, 1 },
	{ "", BINARY, NANOS_PER_UNIT }, /* only for writing: "" is read as decimal */
};

struct quantity {
	nanos value;
	enum form form;
};

/* Parses a power of ten: "e3", "E-6". */
static bool exponent_suffix(const char *text, struct suffix *ret_suffix)
{
	bool negative = text[0] != '\0' && text[1] == '-';
	const char *digits = text + 1 + (negative || (text[0] != '\0' && text[1] == '+'));
	nanos one = NANOS_PER_UNIT;

	if ((text[0] != 'e' && text[0] != 'E') || digits[0] == '\0')
		return false;
	int power = 0;
	for (const char *c = digits; *c != '\0'; c++) {
		if (*c < '0' || *c > '9' || power > 18)
			return false;
		power = power * 10 + (*c - '0');
	}
	if (power > (negative ? 9 : 18))
		return false;
	while (power-- > 0)
		one = negative ? one / 10 : one * 10;
	*ret_suffix = (struct suffix) { text, EXPONENT, one };
	return true;
}

static bool find_suffix(const char *text, struct suffix *ret_suffix)
{
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		if (strcmp(suffixes[i].text, text) == 0) {
			*ret_suffix = suffixes[i];
			return true;
		}
	}
	return exponent_suffix(text, ret_suffix);
}

/* Parses digits with at most one point, times `one`. Fractions of a nano are rounded up, as
 * Kubernetes does. */
static bool scaled_number(const char *text, size_t length, nanos one, nanos *ret_value)
{
	nanos number = 0, divisor = 1;
	bool after_point = false;
	size_t digits = 0;

	for (size_t i = 0; i < length; i++) {
		if (text[i] == '.' && !after_point) {
			after_point = true;
			continue;
		}
		if (text[i] == '.' || ++digits > DIGITS_MAX)
			return false;
		unsigned digit = (unsigned)(text[i] - '0');
		number = number * 10 + digit;
		divisor = after_point ? divisor * 10 : divisor;
	}
	if (digits == 0 || number > (~(nanos)0 - divisor) / one)
		return false;
	*ret_value = (number * one + divisor - 1) / divisor;
	return *ret_value < VALUE_LIMIT;
}

static bool parse(const char *text, struct quantity *ret_quantity)
{
	size_t length = strspn(text, "0123456789.");
	struct suffix suffix;

	if (!find_suffix(text + length, &suffix) ||
	    !scaled_number(text, length, suffix.nanos, &ret_quantity->value))
		return false;
	ret_quantity->form = suffix.form;
	return true;
}

bool quantity_is_valid(const char *text)
{
	struct quantity q;

	return parse(text, &q);
}

bool quantity_equal(const char *a, const char *b)
{
	struct quantity x, y;

	return parse(a, &x) && parse(b, &y) && x.value == y.value;
}

int quantity_compare(const char *a, const char *b)
{
	struct quantity x = { 0 }, y = { 0 };

	(void)parse(a, &x);
	(void)parse(b, &y);
	return (x.value > y.value) - (x.value < y.value);
}

/* Binary suffixes begin at 1024; smaller values and fractions are written in decimal form, as
 * Kubernetes does. */
static enum form canonical_form(const struct quantity *q)
{
	bool fraction = q->value % NANOS_PER_UNIT != 0;

	return q->form == BINARY && q->value >= 1024 * NANOS_PER_UNIT && !fraction ? BINARY
										   : DECIMAL;
}

static const struct suffix *largest_suffix(nanos value, enum form form)
{
	size_t i = 0;

	/* Both forms end with a suffix that divides every value they are used for. */
	while (suffixes[i].form != form || value % suffixes[i].nanos != 0)
		i++;
	return &suffixes[i];
}

bool quantity_canonical(const char *text, char ret_text[QUANTITY_MAX])
{
	struct quantity q;

	if (!parse(text, &q) || q.form == EXPONENT)
		return false;
	const struct suffix *suffix = largest_suffix(q.value, canonical_form(&q));
	if (q.value / suffix->nanos > UINT64_MAX)
		return false;
	(void)snprintf(ret_text, QUANTITY_MAX, "%" PRIu64 "%s", (uint64_t)(q.value / suffix->nanos),
		       q.value == 0 ? "" : suffix->text);
	return true;
}

uint64_t quantity_gibibytes(const char *text)
{
	const nanos gibibyte = BINARY_NANOS(3);
	struct quantity q;

	if (!parse(text, &q))
		return 0;
	return (uint64_t)((q.value + gibibyte - 1) / gibibyte);
}
