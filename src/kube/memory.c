#include "kube/memory.h"

#include <stdint.h>

/* For a namespace full of events, while one row's answers cost no more than moments to read. */
enum { SHARES_BORROWED = 8 };

struct kube_memory kube_memory(size_t bytes, size_t rows)
{
	return (struct kube_memory) { .share = bytes / 2 / rows, .common = bytes / 2 };
}

void kube_room_open(struct kube_room *room, struct kube_memory *memory, size_t rows)
{
	*room = (struct kube_room) { .memory = memory,
				     .left = memory != NULL ? rows * memory->share : 0 };
}

void kube_room_close(struct kube_room *room)
{
	if (room->memory != NULL)
		room->memory->common += room->borrowed;
	*room = (struct kube_room) { 0 };
}

static size_t may_borrow(const struct kube_room *room)
{
	size_t most = SHARES_BORROWED * room->memory->share - room->borrowed;

	return most < room->memory->common ? most : room->memory->common;
}

size_t kube_room_left(const struct kube_room *room)
{
	return room->memory != NULL ? room->left + may_borrow(room) : SIZE_MAX;
}

bool kube_room_take(struct kube_room *room, size_t bytes)
{
	if (room->memory == NULL)
		return true;
	if (bytes > kube_room_left(room))
		return false;
	size_t own = bytes < room->left ? bytes : room->left;
	room->left -= own;
	room->borrowed += bytes - own;
	room->memory->common -= bytes - own;
	return true;
}

void kube_room_give(struct kube_room *room, size_t bytes)
{
	if (room->memory == NULL)
		return;
	size_t back = bytes < room->borrowed ? bytes : room->borrowed;
	room->borrowed -= back;
	room->memory->common += back;
	room->left += bytes - back;
}
