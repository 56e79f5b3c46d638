#include "domain/environment_file.h"

#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "domain/project.h"

enum { FILE_MAX = 1 << 20 };

static int read_line(char *line, json_t *environment, struct err *e)
{
	char *equals = strchr(line, '=');

	if (line[0] == '\0' || line[0] == '#')
		return 0;
	if (equals == NULL)
		return err_set(e, ERR_INVALID, NULL, "not a line of NAME=value");
	*equals = '\0';
	if (environment_key_check(line, e) < 0)
		return -1;
	if (json_object_set_new(environment, line, json_string(equals + 1)) < 0)
		return err_set(e, ERR_INVALID, NULL, "%s: the value is not UTF-8", line);
	return 0;
}

int environment_read_file(const char *file, json_t **ret_environment, struct err *e)
{
	CLEANUP(buf_wipe) struct buf content = BUF_INIT(FILE_MAX);
	json_auto_t *environment = json_object();
	char *rest = NULL;
	unsigned number = 0;

	if (file != NULL && buf_read_file(&content, file, e) < 0)
		return -1;
	rest = content.data;
	while (rest != NULL) {
		char *line = strsep(&rest, "\n");
		number++;
		if (read_line(line, environment, e) < 0)
			return err_wrap(e, "%s:%u", file, number);
	}
	*ret_environment = STEAL(environment);
	return 0;
}
