#ifndef FSA_WEB_MEMBERS_H
#define FSA_WEB_MEMBERS_H

#include <stddef.h>

#include <jansson.h>

/*
 * The reverse of field tables: which fields of a struct become which members of a response. A table
 * is an array that ends with MEMBERS_END; a field whose name is "" is left out.
 *
 *     static const struct member project_members[] = {
 *             { "id", offsetof(struct project, id), member_text },
 *             MEMBERS_END,
 *     };
 */
typedef json_t *member_fn(const void *field);

struct member {
	const char *name;
	size_t offset;
	member_fn *render;
};

#define MEMBERS_END                                                                                \
	{                                                                                          \
		.name = NULL                                                                       \
	}

/* Of a `const char *` (NULL: null), an `int64_t`, a `bool`. */
member_fn member_text, member_int64, member_bool;

/* Adds the members of `row` to `object`, replacing those of the same name. */
void members_add(json_t *object, const struct member *members, const void *row);
/* A new object of them. The caller json_decref()s. */
json_t *members_object(const struct member *members, const void *row);

#endif
