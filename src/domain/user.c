#include "domain/user.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

const struct setting_variable setting_variables[] = {
	{ "ANTHROPIC_API", "ANTHROPIC_BASE_URL" },
	{ "ANTHROPIC_API_BASE_URL", "ANTHROPIC_BASE_URL" },
	{ "ANTHROPIC_API_KEY", "ANTHROPIC_API_KEY" },
	{ "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_AUTH_TOKEN" },
	{ "ANTHROPIC_BASE_URL", "ANTHROPIC_BASE_URL" },
	{ "ANTHROPIC_MODEL", "ANTHROPIC_MODEL" },
	{ "ANTHROPIC_SMALL_FAST_MODEL", "ANTHROPIC_SMALL_FAST_MODEL" },
	{ "SYSTEM_PROMPT", SYSTEM_PROMPT_VARIABLE },
};
const size_t setting_variable_count = ARRAY_SIZE(setting_variables);

int user_name_check(const char *name, struct err *e)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._@-";
	size_t length = strlen(name);

	if (length == 0 || length > USER_NAME_MAX || name[strspn(name, allowed)] != '\0' ||
	    strchr("._@-", name[0]) != NULL)
		return err_set(e, ERR_INVALID, "INVALID_USER_NAME",
			       "a user name has at most %d letters, digits, '.', '_', '@' and '-', "
			       "and begins with a letter or a digit",
			       USER_NAME_MAX);
	return 0;
}

/* Escapes for the part of a URL after '#': imported names may contain anything. */
static char *escape(const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789._@-";
	char *escaped = mem_calloc(strlen(text) * 3 + 1, 1);
	char *to = escaped;

	for (const char *p = text; *p != '\0'; p++) {
		if (strchr(plain, *p) != NULL)
			*to++ = *p;
		else
			to += snprintf(to, 4, "%%%02X", (unsigned char)*p);
	}
	return escaped;
}

/* Without slashes at its end. */
static int site_length(const char *site)
{
	size_t length = strlen(site);

	while (length > 0 && site[length - 1] == '/')
		length--;
	return (int)length;
}

char *invitation_link(const char *site, const char *name, const char *token)
{
	CLEANUP(cleanup_free) char *escaped = escape(name);

	return mem_printf("%.*s/#/invite/%s/%s", site_length(site), site, escaped, token);
}

char *project_link(const char *site, const char *token)
{
	return mem_printf("%.*s/#/join/%s", site_length(site), site, token);
}

int setting_key_check(const char *key, struct err *e)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	size_t length = strlen(key);

	if (length == 0 || length > SETTING_KEY_MAX || key[strspn(key, allowed)] != '\0' ||
	    strchr("0123456789_", key[0]) != NULL)
		return err_set(e, ERR_INVALID, "INVALID_FIELD",
			       "must be like SOME_SETTING, at most %d characters", SETTING_KEY_MAX);
	return 0;
}

const char *setting_variable(const char *key)
{
	for (size_t i = 0; i < setting_variable_count; i++) {
		if (strcmp(setting_variables[i].key, key) == 0)
			return setting_variables[i].variable;
	}
	return NULL;
}

bool setting_is_credential(const char *variable)
{
	return strcmp(variable, "ANTHROPIC_API_KEY") == 0 ||
	       strcmp(variable, "ANTHROPIC_AUTH_TOKEN") == 0;
}

int setting_value_check(const char *key, const char *value, struct err *e)
{
	const char *variable = setting_variable(key);

	if (variable != NULL && strcmp(variable, SYSTEM_PROMPT_VARIABLE) != 0 &&
	    strlen(value) > SETTING_VARIABLE_MAX)
		return err_set(e, ERR_INVALID, "INVALID_FIELD",
			       "the value of %s, which sandboxes get, must have at most %d bytes",
			       key, SETTING_VARIABLE_MAX);
	return 0;
}
