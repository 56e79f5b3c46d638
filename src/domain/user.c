#include "domain/user.h"

#include <string.h>

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
