#include "reconcile/last_conf.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"

enum { FILE_MAX = 1 << 20 };

static bool write_whole(const char *path, const struct buf *content)
{
	CLEANUP(cleanup_free) char *partial = mem_printf("%s.new", path);
	CLEANUP(cleanup_close)
	int fd = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	return fd >= 0 && write(fd, content->data, content->length) == (ssize_t)content->length &&
	       rename(partial, path) == 0;
}

static bool read_whole(const char *path, struct buf *ret_content)
{
	return buf_read_file(ret_content, path, NULL) == 0;
}

/* Returns true if `copy` was a different file, or missing; it is now equal. */
static bool copy_differs(const char *path, const char *copy)
{
	CLEANUP(buf_release) struct buf now = BUF_INIT(FILE_MAX);
	CLEANUP(buf_release) struct buf before = BUF_INIT(FILE_MAX);

	if (!read_whole(path, &now))
		return true;
	if (read_whole(copy, &before) && before.length == now.length &&
	    memcmp(before.data, now.data, now.length) == 0)
		return false;
	(void)write_whole(copy, &now);
	return true;
}

int last_conf_load(const char *path, struct conf **ret_conf, struct err *ret_wrong)
{
	const char *directory = getenv("RUNTIME_DIRECTORY");
	struct conf *none = NULL;

	ret_wrong->message[0] = '\0';
	if (directory == NULL)
		return conf_load_logged(path, ret_conf, ret_wrong);
	CLEANUP(cleanup_free) char *right = mem_printf("%s/fsa.conf", directory);
	CLEANUP(cleanup_free) char *wrong = mem_printf("%s/fsa.conf.wrong", directory);
	if (conf_load_complete(path, ret_conf, ret_wrong) == 0) {
		(void)copy_differs(path, right);
		(void)unlink(wrong);
		ret_wrong->message[0] = '\0';
		return 0;
	}
	if (copy_differs(path, wrong))
		(void)conf_load_logged(path, &none, NULL);
	return conf_load_complete(right, ret_conf, NULL);
}
