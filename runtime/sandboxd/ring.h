#ifndef SANDBOXD_RING_H
#define SANDBOXD_RING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Output that has not been acknowledged yet: bytes with offsets from the beginning of the stream. A
 * ring grows as needed, up to RING_MAX, and all rings together up to a bound; beyond its first part
 * a ring gets memory only while some is left.
 */
enum { RING_MIN = 4096, RING_MAX = 262144 };

struct ring {
	char *data;
	size_t size;
	uint64_t start, end; /* offsets of the bytes that it holds */
};

/* How much can be added, after growing if possible. */
size_t ring_room(struct ring *r);
/* Reads from a descriptor into the free space; returns as read(2). */
ssize_t ring_read(struct ring *r, int fd);
/* A contiguous piece of the bytes from an offset on; there may be more. */
size_t ring_peek(const struct ring *r, uint64_t offset, const char **ret_data);
/* Drops the bytes before the offset. */
void ring_release(struct ring *r, uint64_t offset);
void ring_free(struct ring *r);

#endif
