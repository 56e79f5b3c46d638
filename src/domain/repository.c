#include "domain/repository.h"

#include <regex.h>
#include <stdbool.h>
#include <stdlib.h>

static bool matches(const char *text, const char *pattern)
{
	regex_t compiled;
	bool found;

	if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		abort(); /* the patterns are constants */
	found = regexec(&compiled, text, 0, NULL, 0) == 0;
	regfree(&compiled);
	return found;
}

int repository_url_check(const char *url, struct err *e)
{
	if (matches(url, REPOSITORY_URL_PATTERN))
		return 0;
	return err_set(e, ERR_INVALID, "INVALID_REPOSITORY",
		       "must be an address such as https://git.example.org/team/shop.git, without "
		       "a user, a password or a query");
}

int repository_branch_check(const char *branch, struct err *e)
{
	if (matches(branch, REPOSITORY_BRANCH_PATTERN))
		return 0;
	return err_set(
		e, ERR_INVALID, "INVALID_REPOSITORY",
		"must be the name of a branch or a tag, which begins with a letter or a digit");
}

int repository_folder_check(const char *folder, struct err *e)
{
	if (matches(folder, REPOSITORY_FOLDER_PATTERN))
		return 0;
	return err_set(e, ERR_INVALID, "INVALID_REPOSITORY",
		       "must be one folder of the home directory: letters, digits, '.', '_' and "
		       "'-', beginning with a letter or a digit");
}
