#include "checks.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/parse.h"
#include "domain/project.h"
#include "store/cluster.h"
#include "store/image.h"
#include "store/size.h"
#include "domain/user.h"

enum { DATE_LENGTH = 10, PAGE_MAX = 200 };

/* 'd' matches a digit, anything else itself. Returns the matching length, 0 if there is none. */
static size_t match(const char *text, const char *form)
{
	size_t length = strlen(form);

	for (size_t i = 0; i < length; i++) {
		if (form[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != form[i])
			return 0;
	}
	return length;
}

static int number(const char *text)
{
	return (text[0] - '0') * 10 + text[1] - '0';
}

static bool is_date(const char *text)
{
	struct tm given = { .tm_year = number(text) * 100 + number(text + 2) - 1900,
			    .tm_mon = number(text + 5) - 1,
			    .tm_mday = number(text + 8) };
	struct tm normal = given;

	(void)timegm(&normal); /* changes dates that do not exist, such as 31 February */
	return given.tm_year >= 0 && normal.tm_mon == given.tm_mon &&
	       normal.tm_mday == given.tm_mday;
}

static bool is_time_of_day(const char *text)
{
	size_t at = match(text, "Tdd:dd:dd");

	if (at == 0 || number(text + 1) > 23 || number(text + 4) > 59 || number(text + 7) > 59)
		return false;
	if (text[at] == '.') {
		size_t digits = strspn(text + at + 1, "0123456789");
		if (digits < 1 || digits > 6)
			return false;
		at += 1 + digits;
	}
	if (strcmp(text + at, "Z") == 0)
		return true;
	return (match(text + at, "+dd:dd") != 0 || match(text + at, "-dd:dd") != 0) &&
	       text[at + 6] == '\0' && number(text + at + 1) <= 14 && number(text + at + 4) <= 59;
}

int check_time(const char *text, struct err *e)
{
	if (match(text, "dddd-dd-dd") != 0 && is_date(text) &&
	    (text[DATE_LENGTH] == '\0' || is_time_of_day(text + DATE_LENGTH)))
		return 0;
	return err_set(e, ERR_INVALID, "INVALID_FIELD",
		       "must be a date (2026-11-23) or a time (2026-11-23T20:51:32Z)");
}

static char *moment(const char *text, const char *time_of_day)
{
	if (text == NULL)
		return NULL;
	return mem_printf("%s%s", text, text[DATE_LENGTH] == '\0' ? time_of_day : "");
}

char *time_from(const char *text)
{
	return moment(text, "T00:00:00.000Z");
}

char *time_to(const char *text)
{
	return moment(text, "T23:59:59.999Z");
}

int check_variable_value(const char *value, struct err *e)
{
	return environment_value_check(value, strlen(value), e);
}

int check_display_name(const char *name, struct err *e)
{
	if (project_name_check(name, NULL) == 0)
		return 0;
	return err_set(
		e, ERR_INVALID, "INVALID_SANDBOX_NAME",
		"A sandbox's name is letters, digits, blanks and hyphens, begins with a letter "
		"and ends with a letter or a digit");
}

static bool is_offer(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length <= SIZE_NAME_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length && name[0] != '-' &&
	       name[length - 1] != '-';
}

int check_size_name(const char *name, struct err *e)
{
	if (is_offer(name))
		return 0;
	return err_set(e, ERR_INVALID, "INVALID_SIZE",
		       "A size's name has up to %d of a-z, 0-9 and '-' inside", SIZE_NAME_MAX);
}

int check_template_name(const char *name, struct err *e)
{
	if (is_offer(name))
		return 0;
	return err_set(e, ERR_INVALID, "INVALID_FIELD",
		       "A template's name has up to %d of a-z, 0-9 and '-' inside", SIZE_NAME_MAX);
}

int check_cluster_name(const char *name, struct err *e)
{
	if (is_offer(name))
		return 0;
	return err_set(e, ERR_INVALID, "INVALID_CLUSTER",
		       "A cluster's name has up to %d of a-z, 0-9 and '-' inside",
		       CLUSTER_NAME_MAX);
}

/* Which images there are, and which references are allowed, the database decides. */
int check_image(const char *image, struct err *e)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._:/@-";
	size_t length = strlen(image);

	if (length > 0 && length <= IMAGE_REFERENCE_MAX && strspn(image, allowed) == length &&
	    strchr("._:/@-", image[0]) == NULL)
		return 0;
	return err_set(e, ERR_INVALID, "INVALID_IMAGE",
		       "An image is a name, or a reference such as "
		       "registry.example.org/team/image:1.2");
}

int check_category(const char *category, struct err *e)
{
	for (size_t i = 0; i < environment_category_count; i++) {
		if (strcmp(environment_categories[i], category) == 0)
			return 0;
	}
	return err_set(e, ERR_INVALID, "INVALID_FIELD",
		       "must be auth, payment, ttyd, file_browser, general or secret");
}

int check_wake(const char *who, struct err *e)
{
	if (strcmp(who, "owner") == 0 || strcmp(who, "members") == 0 ||
	    strcmp(who, "anyone") == 0 || strcmp(who, "never") == 0)
		return 0;
	return err_set(e, ERR_INVALID, "INVALID_FIELD", "must be owner, members, anyone or never");
}

int check_setting_key(const char *key, struct err *e)
{
	if (strcmp(key, "KUBECONFIG") == 0)
		return err_set(e, ERR_INVALID, "INVALID_FIELD",
			       "a kubeconfig goes to /api/user/config/kc");
	return setting_key_check(key, e);
}

static int check_cursor(const char *text, struct err *e)
{
	uint64_t id;

	if (!parse_u64(text, 1, INT64_MAX, &id))
		return err_set(e, ERR_INVALID, "INVALID_CURSOR", "is not one of ours");
	return 0;
}

const struct field page_query[] = {
	{ .name = "limit", .type = FIELD_INTEGER, .min = 1, .max = PAGE_MAX },
	{ .name = "cursor",
	  .type = FIELD_STRING,
	  .min = 1,
	  .max = CURSOR_DIGITS_MAX,
	  .check = check_cursor },
	FIELDS_END,
};

int64_t cursor_id(const char *text)
{
	uint64_t id = 0;

	if (text != NULL)
		(void)parse_u64(text, 1, INT64_MAX, &id);
	return (int64_t)id;
}
