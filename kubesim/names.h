#ifndef KUBESIM_NAMES_H
#define KUBESIM_NAMES_H

#include <stdbool.h>

/* Forms of names: kubernetes.io, "Object Names and IDs" and "Labels and Selectors". */
enum name_form {
	NAME_SUBDOMAIN,    /* RFC 1123 subdomain, 253 */
	NAME_LABEL,        /* RFC 1123 label, 63 */
	NAME_LABEL_1035,   /* RFC 1035 label, 63: begins with a letter */
	NAME_PATH_SEGMENT, /* anything that can be one segment of a path */
	NAME_CONFIG_KEY,   /* of a Secret's data */
	NAME_LABEL_VALUE,
	NAME_QUALIFIED, /* of a label or an annotation: prefix/name */
};

/* NULL if `name` has the form, else what the API server says about one that has not. */
const char *name_check(enum name_form form, const char *name);

#endif
