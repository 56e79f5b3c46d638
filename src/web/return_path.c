#include "web/return_path.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* RFC 3986: unreserved, sub-delims, ":", "@", and the beginnings of query and fragment. */
static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
			      "-._~!$&'()*+,;=:@/?#%";

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c != '\0' ? strchr(digits, c | 0x20) : NULL;

	return found != NULL ? (int)(found - digits) : -1;
}

/* "%41": refuses escapes of control characters, '/', '\', '.' and '%'. */
static bool is_harmless_escape(const char *at)
{
	int high = hex_digit(at[1]);
	int low = high >= 0 ? hex_digit(at[2]) : -1;
	int byte = high * 16 + low;

	return low >= 0 && byte >= 0x20 && byte != 0x7f && byte != '/' && byte != '\\' &&
	       byte != '.' && byte != '%';
}

/* Whether it contains "//", or a segment of dots, which would produce one when resolved. */
static bool has_odd_segment(const char *path)
{
	for (const char *p = path; *p == '/';) {
		size_t length = strcspn(++p, "/?#");
		bool last = p[length] != '/';
		if ((length == 0 && !last) || (length > 0 && strspn(p, ".") == length))
			return true;
		p += length;
	}
	return false;
}

static bool is_ours(const char *path)
{
	if (path[0] != '/' || strlen(path) > RETURN_PATH_MAX ||
	    path[strspn(path, allowed)] != '\0' || has_odd_segment(path))
		return false;
	for (const char *p = strchr(path, '%'); p != NULL; p = strchr(p + 1, '%')) {
		if (!is_harmless_escape(p))
			return false;
	}
	return true;
}

int return_path_check(const char *path, struct err *e)
{
	if (is_ours(path))
		return 0;
	return err_set(e, ERR_INVALID, "RETURN_TO",
		       "must be a path of this site that begins with one '/'");
}
