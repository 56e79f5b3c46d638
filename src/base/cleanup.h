#ifndef FSA_BASE_CLEANUP_H
#define FSA_BASE_CLEANUP_H

#include <stddef.h>
#include <string.h>

/*
 * Ownership on the stack. A variable declared with CLEANUP(fn) has fn(&variable) called when it
 * goes out of scope, however that happens; STEAL(p) takes a pointer out of such a variable, so
 * that what it points to survives. A function uses either these or `goto out`, never both.
 */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

#define STEAL(pointer)                                                                             \
	({                                                                                         \
		__typeof__(pointer) stolen_ = (pointer);                                           \
		(pointer) = NULL;                                                                  \
		stolen_;                                                                           \
	})

/* The same for a struct that owns what it points to: the variable is left all zeros. */
#define STEAL_STRUCT(variable)                                                                     \
	({                                                                                         \
		__typeof__(variable) stolen_ = (variable);                                         \
		memset(&(variable), 0, sizeof(variable));                                          \
		stolen_;                                                                           \
	})

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* The object of that type whose `member` this pointer, which is none to const, points to. */
#define CONTAINER_OF(pointer, type, member)                                                        \
	({                                                                                         \
		__typeof__(((type *)NULL)->member) *member_ = (pointer);                           \
		(type *)(void *)((char *)member_ - offsetof(type, member));                        \
	})

/* For CLEANUP: free() of what a pointer variable points to, close() of an `int` that may be -1. */
void cleanup_free(void *pointer_to_pointer);
void cleanup_close(int *fd);

#endif
