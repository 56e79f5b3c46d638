#ifndef FSA_KUBE_MEMORY_H
#define FSA_KUBE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What all answers of API servers may take together, while they come and while somebody looks at
 * them, whoever sends them. Half of it is shared out evenly among the rows that may be in flight;
 * the other half is for whoever needs more, first come first served, but for nobody without end. So
 * an API server that answers too much takes from others of its kind, and never from a row whose
 * objects fit its share.
 */
struct kube_memory {
	size_t share; /* of one row */
	size_t common;
};

struct kube_memory kube_memory(size_t bytes, size_t rows);

/* What some rows have of it. `memory` NULL: without bound. */
struct kube_room {
	struct kube_memory *memory;
	size_t left;     /* of their own */
	size_t borrowed; /* of the common half, SHARES_BORROWED at most */
};

void kube_room_open(struct kube_room *room, struct kube_memory *memory, size_t rows);
void kube_room_close(struct kube_room *room);
/* False, and nothing is taken, if there is not so much. */
bool kube_room_take(struct kube_room *room, size_t bytes);
void kube_room_give(struct kube_room *room, size_t bytes);
size_t kube_room_left(const struct kube_room *room);

#endif
