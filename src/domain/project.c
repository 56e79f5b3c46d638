#include "domain/project.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"

#define LOWER   "abcdefghijklmnopqrstuvwxyz"
#define UPPER   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LETTERS LOWER UPPER
#define DIGITS  "0123456789"

/* Names that a project's variables may not have. */
static const struct {
	const char *key;
	const char *reason;
} reserved_keys[] = {
	{ "DATABASE_URL", "is set by the system" },
	{ "FSA_SITE", "is set by the system" },
	{ "NODE_ENV", "is set by the system" },
	{ "PROJECT_NAME", "is set by the system" },
	{ "TTYD_ACCESS_TOKEN", "is set by the system" },
	{ "TTYD_PORT", "is set by the system" },
	{ "BASH_ENV", "would break the sandbox's shell" },
	{ "ENV", "would break the sandbox's shell" },
	{ "HOME", "would break the sandbox's shell" },
	{ "IFS", "would break the sandbox's shell" },
	{ "LD_AUDIT", "would break the sandbox's programs" },
	{ "LD_LIBRARY_PATH", "would break the sandbox's programs" },
	{ "LD_PRELOAD", "would break the sandbox's programs" },
	{ "PATH", "would break the sandbox's shell" },
	{ "SHELL", "would break the sandbox's shell" },
};

const char *const environment_categories[] = {
	"auth", "payment", "ttyd", "file_browser", "general", "secret",
};
const size_t environment_category_count = ARRAY_SIZE(environment_categories);

static int bad_project_name(struct err *e, const char *message)
{
	return err_set(e, ERR_INVALID, "INVALID_PROJECT_NAME", "%s", message);
}

int project_name_check(const char *name, struct err *e)
{
	size_t length = strlen(name);

	if (length == 0)
		return bad_project_name(e, "Project name is required");
	if (length > PROJECT_NAME_MAX)
		return err_set(e, ERR_INVALID, "INVALID_PROJECT_NAME",
			       "Project name must have at most %d characters", PROJECT_NAME_MAX);
	if (strchr(LETTERS, name[0]) == NULL)
		return bad_project_name(e, "Project name must start with a letter");
	if (name[strspn(name, LETTERS DIGITS " -")] != '\0')
		return bad_project_name(
			e, "Project name may only have letters, digits, spaces and hyphens");
	if (name[length - 1] == ' ' || name[length - 1] == '-')
		return bad_project_name(e, "Project name must end with a letter or a digit");
	return 0;
}

static char kube_character(char c)
{
	const char *upper = strchr(UPPER, c);

	if (c == ' ')
		return '-';
	if (upper != NULL)
		return LOWER[upper - UPPER];
	return c;
}

void project_kube_name(const char *name, char ret_name[PROJECT_KUBE_NAME_MAX + 1])
{
	size_t length = 0;

	for (; *name != '\0' && length < PROJECT_KUBE_NAME_MAX; name++) {
		char c = kube_character(*name);
		if (c == '-' && length > 0 && ret_name[length - 1] == '-')
			continue;
		ret_name[length++] = c;
	}
	if (length > 0 && ret_name[length - 1] == '-')
		length--;
	ret_name[length] = '\0';
}

int environment_key_check(const char *key, struct err *e)
{
	size_t length = strlen(key);

	if (length == 0 || length > ENVIRONMENT_KEY_MAX)
		return err_set(e, ERR_INVALID, "INVALID_ENVIRONMENT_KEY",
			       "The name of a variable must have 1 to %d characters",
			       ENVIRONMENT_KEY_MAX);
	if (strchr(DIGITS, key[0]) != NULL || key[strspn(key, LETTERS DIGITS "_")] != '\0')
		return err_set(e, ERR_INVALID, "INVALID_ENVIRONMENT_KEY",
			       "The name of a variable may only have letters, digits and "
			       "underscores, and begins with no digit");
	for (size_t i = 0; i < ARRAY_SIZE(reserved_keys); i++) {
		if (strcmp(key, reserved_keys[i].key) == 0)
			return err_set(e, ERR_INVALID, "RESERVED_ENVIRONMENT_KEY", "%s %s", key,
				       reserved_keys[i].reason);
	}
	return 0;
}

int environment_value_check(const char *value, size_t length, struct err *e)
{
	if (length > ENVIRONMENT_VALUE_MAX)
		return err_set(e, ERR_INVALID, "INVALID_ENVIRONMENT_VALUE",
			       "The value of a variable must have at most %d bytes",
			       ENVIRONMENT_VALUE_MAX);
	if (!parse_is_utf8(value, length))
		return err_set(e, ERR_INVALID, "INVALID_ENVIRONMENT_VALUE",
			       "The value of a variable must be text, in UTF-8 and without U+0000");
	return 0;
}

enum stage stage_reached(enum stage sandbox, enum status database)
{
	return sandbox == STAGE_READY && database != STATUS_RUNNING ? STAGE_DATABASE : sandbox;
}

static const char *sandbox_stage_state(enum stage stage, enum stage current,
				       enum status sandbox_status)
{
	/* The state of stages before the current one, of the current one, and after it. */
	static const char *const states[STATUS_COUNT][3] = {
		[STATUS_CREATING] = { "done", "active", "pending" },
		[STATUS_STARTING] = { "done", "active", "pending" },
		[STATUS_UPDATING] = { "done", "active", "pending" },
		[STATUS_ERROR] = { "done", "failed", "pending" },
		[STATUS_RUNNING] = { "done", "done", "done" },
	};
	int place = stage < current ? 0 : stage == current ? 1 : 2;
	const char *state = states[sandbox_status][place];

	return state != NULL ? state : "pending";
}

const char *stage_state(enum stage stage, enum stage current, enum status sandbox,
			enum status database)
{
	const char *state = sandbox_stage_state(stage, current, sandbox);

	if (database == STATUS_RUNNING || strcmp(state, "done") != 0)
		return state;
	if (stage == STAGE_DATABASE)
		return database == STATUS_ERROR ? "failed" : "active";
	return stage == STAGE_READY ? "pending" : state;
}
