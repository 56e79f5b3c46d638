#ifndef FSA_DOMAIN_USER_H
#define FSA_DOMAIN_USER_H

#include "base/err.h"

enum { USER_NAME_MAX = 64 };

/* The name that somebody logs in with by password: letters, digits and "._@-", beginning with a
 * letter or a digit, at most USER_NAME_MAX. Names are compared without case and shown to others:
 * no two may look alike. ERR_INVALID with code INVALID_USER_NAME. */
int user_name_check(const char *name, struct err *e);

#endif
