#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"

int buf_append(struct buf *b, const void *data, size_t length, struct err *e)
{
	if (length > b->max - b->length)
		return err_set(e, ERR_TOO_LARGE, NULL, "more than %zu bytes", b->max);
	size_t needed = b->length + length + 1;
	if (needed > b->allocated) {
		size_t doubled = b->allocated * 2;
		b->allocated = needed > doubled ? needed : doubled;
		b->data = mem_realloc(b->data, b->allocated, 1);
	}
	if (length > 0)
		memcpy(b->data + b->length, data, length);
	b->length += length;
	b->data[b->length] = '\0';
	return 0;
}

void buf_reset(struct buf *b)
{
	b->length = 0;
	if (b->data != NULL)
		b->data[0] = '\0';
}

void buf_release(struct buf *b)
{
	free(b->data);
	b->data = NULL;
	b->length = b->allocated = 0;
}

void buf_wipe(struct buf *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->allocated);
	buf_release(b);
}

int buf_read_file(struct buf *b, const char *path, struct err *e)
{
	CLEANUP(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char chunk[4096];
	ssize_t got;

	if (fd < 0)
		return err_set(e, ERR_INVALID, NULL, "%s: %s", path, strerror(errno));
	while ((got = read(fd, chunk, sizeof(chunk))) > 0) {
		if (buf_append(b, chunk, (size_t)got, e) < 0)
			return err_wrap(e, "%s", path);
	}
	explicit_bzero(chunk, sizeof(chunk));
	if (got < 0)
		return err_set(e, ERR_INVALID, NULL, "%s: %s", path, strerror(errno));
	return buf_append(b, "", 0, e);
}
