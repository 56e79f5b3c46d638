#include "sandboxd/ring.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/mem.h"

enum { TOTAL_MAX = 6291456 };

static size_t total;

static size_t length_of(const struct ring *r)
{
	return (size_t)(r->end - r->start);
}

static void resize(struct ring *r, size_t size)
{
	char *data = mem_calloc(size, 1);

	for (uint64_t at = r->start; at < r->end;) {
		const char *from = NULL;
		size_t part = ring_peek(r, at, &from);
		if (from == NULL)
			break;
		size_t to = (size_t)(at % size);
		if (part > size - to)
			part = size - to;
		memcpy(data + to, from, part);
		at += part;
	}
	free(r->data);
	total = total - r->size + size;
	r->data = data;
	r->size = size;
}

size_t ring_room(struct ring *r)
{
	size_t wanted = r->size == 0 ? RING_MIN : 2 * r->size;

	if (length_of(r) == r->size && wanted <= RING_MAX &&
	    (r->size == 0 || total + r->size <= TOTAL_MAX))
		resize(r, wanted);
	return r->size - length_of(r);
}

ssize_t ring_read(struct ring *r, int fd)
{
	size_t room = ring_room(r);

	if (r->size == 0)
		return -1;
	size_t at = (size_t)(r->end % r->size);
	size_t first = room < r->size - at ? room : r->size - at;
	struct iovec parts[2] = { { r->data + at, first }, { r->data, room - first } };
	ssize_t got = readv(fd, parts, 2);

	if (got > 0)
		r->end += (uint64_t)got;
	return got;
}

size_t ring_peek(const struct ring *r, uint64_t offset, const char **ret_data)
{
	if (r->size == 0 || offset < r->start || offset >= r->end)
		return 0;
	size_t at = (size_t)(offset % r->size);
	size_t length = (size_t)(r->end - offset);
	*ret_data = r->data + at;
	return length < r->size - at ? length : r->size - at;
}

void ring_release(struct ring *r, uint64_t offset)
{
	if (offset > r->end)
		offset = r->end;
	if (offset > r->start)
		r->start = offset;
}

void ring_free(struct ring *r)
{
	total -= r->size;
	free(r->data);
	*r = (struct ring) { 0 };
}
