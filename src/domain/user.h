#ifndef FSA_DOMAIN_USER_H
#define FSA_DOMAIN_USER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { USER_NAME_MAX = 64, SETTING_KEY_MAX = 64, SETTING_VALUE_MAX = 65536 };
enum { SETTING_VARIABLE_MAX = 4096 };

#define SYSTEM_PROMPT_VARIABLE "FSA_SYSTEM_PROMPT"

/* The name that somebody logs in with by password: letters, digits and "._@-", beginning with a
 * letter or a digit, at most USER_NAME_MAX. Names are compared without case and shown to others:
 * no two may look alike. ERR_INVALID with code INVALID_USER_NAME. */
int user_name_check(const char *name, struct err *e);

/* The link of an invitation (store/invitation.h) to the site at `site`, which names the user and
 * has the token behind its '#', which browsers send to nobody: it stands in no log. The caller
 * frees. */
char *invitation_link(const char *site, const char *name, const char *token);
/* The same of an invitation to a project (store/project_invitation.h). */
char *project_link(const char *site, const char *token);

/* The name of one of a user's settings: capital letters, digits and '_', beginning with a letter,
 * at most SETTING_KEY_MAX. ERR_INVALID with code INVALID_FIELD. */
int setting_key_check(const char *key, struct err *e);
/* The value of such a setting, where it is one that sandboxes get. ERR_INVALID, INVALID_FIELD. */
int setting_value_check(const char *key, const char *value, struct err *e);

/* The settings that every sandbox of the user gets as a variable. Former versions had other names
 * for some: of several for one variable, one is stored, and otherwise a later row counts. */
struct setting_variable {
	const char *key, *variable;
};
extern const struct setting_variable setting_variables[];
extern const size_t setting_variable_count;
/* The variable that a setting becomes; NULL: none. */
const char *setting_variable(const char *key);
/* Whether a variable is a credential of the model's API: a user with one of their own does not get
 * the operator's. */
bool setting_is_credential(const char *variable);

#endif
