#ifndef SANDBOXD_RING_H
#define SANDBOXD_RING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What was printed and nobody has acknowledged yet: bytes with offsets from the beginning of the
 * stream. It grows as it is needed, up to RING_MAX, and all rings together up to a bound; beyond
 * its first part a ring gets memory only while there is some.
 */
enum { RING_MIN = 4096, RING_MAX = 262144 };

struct ring {
	char *data;
	size_t size;
	uint64_t start, end; /* offsets of what is there */
};

/* How much can be added, after growing if possible. */
size_t ring_room(struct ring *r);
/* Reads from a descriptor into the room there is; as read(2). */
ssize_t ring_read(struct ring *r, int fd);
/* What is there from an offset on, in one piece; may be less than there is in all. */
size_t ring_peek(const struct ring *r, uint64_t offset, const char **ret_data);
/* Forgets what is before the offset. */
void ring_release(struct ring *r, uint64_t offset);
void ring_free(struct ring *r);

#endif
