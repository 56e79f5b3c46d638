#ifndef FSA_BASE_BUF_H
#define FSA_BASE_BUF_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * A growable buffer with a hard cap that its owner names: input from outside cannot make a process
 * grow beyond it. `data` is NUL-terminated (the NUL is not counted in `length`), and NULL until
 * something is added.
 */
struct buf {
	char *data;
	size_t length;
	size_t allocated;
	size_t max;
};

#define BUF_INIT(cap) ((struct buf) { .max = (cap) })

/* Adds bytes; ERR_TOO_LARGE and an unchanged buffer if the cap would be passed. */
int buf_append(struct buf *b, const void *data, size_t length, struct err *e);
/* Forgets the content, keeps the memory. */
void buf_reset(struct buf *b);
/* Frees the memory. `b` may be used again. For CLEANUP, too. */
void buf_release(struct buf *b);
/* The same after overwriting the content: for secrets. */
void buf_wipe(struct buf *b);

/* Reads a whole file of at most `b->max` bytes. ERR_INVALID names the file and the reason. */
int buf_read_file(struct buf *b, const char *path, struct err *e);

#endif
