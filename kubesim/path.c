#include "path.h"

#include <stdio.h>
#include <string.h>

enum { PARTS_MAX = 10, PART_LENGTH = 254 };

static bool split(const char *text, char parts[PARTS_MAX][PART_LENGTH], size_t *ret_count)
{
	size_t count = 0;

	while (*text == '/') {
		size_t length = strcspn(++text, "/");
		if (length == 0 || length >= PART_LENGTH || count == PARTS_MAX)
			return false;
		memcpy(parts[count], text, length);
		parts[count++][length] = '\0';
		text += length;
	}
	*ret_count = count;
	return *text == '\0';
}

static void copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%.*s", (int)size - 1, from);
}

bool path_parse(const char *text, struct path *ret_path)
{
	char parts[PARTS_MAX][PART_LENGTH];
	size_t count, at;
	struct path p = { 0 };

	if (!split(text, parts, &count) || count < 3)
		return false;
	if (strcmp(parts[0], "api") == 0) {
		at = 1;
	} else if (strcmp(parts[0], "apis") == 0) {
		copy(p.group, sizeof(p.group), parts[1]);
		at = 2;
	} else {
		return false;
	}
	copy(p.version, sizeof(p.version), parts[at++]);
	/* "namespaces/x" alone is the Namespace x; otherwise it is the namespace of what
	 * follows. */
	if (at + 2 < count && strcmp(parts[at], "namespaces") == 0 &&
	    strcmp(parts[at + 2], "status") != 0) {
		copy(p.namespace, sizeof(p.namespace), parts[at + 1]);
		at += 2;
	}
	if (count - at > 3 && strcmp(parts[at + 2], "proxy") != 0)
		return false;
	if (at < count)
		copy(p.plural, sizeof(p.plural), parts[at]);
	if (at + 1 < count)
		copy(p.name, sizeof(p.name), parts[at + 1]);
	if (at + 2 < count)
		copy(p.subresource, sizeof(p.subresource), parts[at + 2]);
	p.kind = kind_find(p.group, p.version, p.plural);
	p.has_group = kind_has_group(p.group, p.version);
	*ret_path = p;
	return true;
}
