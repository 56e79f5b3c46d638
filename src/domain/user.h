#ifndef FSA_DOMAIN_USER_H
#define FSA_DOMAIN_USER_H

#include "base/err.h"

enum { USER_NAME_MAX = 64, SETTING_KEY_MAX = 64, SETTING_VALUE_MAX = 65536 };

/* The name that somebody logs in with by password: letters, digits and "._@-", beginning with a
 * letter or a digit, at most USER_NAME_MAX. Names are compared without case and shown to others:
 * no two may look alike. ERR_INVALID with code INVALID_USER_NAME. */
int user_name_check(const char *name, struct err *e);

/* The name of one of a user's settings: capital letters, digits and '_', beginning with a letter,
 * at most SETTING_KEY_MAX. ERR_INVALID with code INVALID_FIELD. */
int setting_key_check(const char *key, struct err *e);

#endif
