#ifndef FSA_WEB_RETURN_PATH_H
#define FSA_WEB_RETURN_PATH_H

#include "base/err.h"

/*
 * Where a browser goes after a login that left the site: a path of ours, with query and fragment,
 * or nothing. Strict, because browsers, proxies and URL parsers do not agree on what "//host",
 * "/\host", "/%2Fhost", "/.//host" or a tab in between mean, and any of them would make our login
 * page send people to a stranger's (an open redirect).
 */
enum { RETURN_PATH_MAX = 512 };

/* A field_check_fn. ERR_INVALID, code RETURN_TO. */
int return_path_check(const char *path, struct err *e);

#endif
