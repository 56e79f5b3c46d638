#ifndef FSA_KUBE_MEMORY_H
#define FSA_KUBE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The memory that all responses of API servers may take together, while they arrive and while they
 * are used. Half of it is divided evenly among the rows that may be in flight; the other half is
 * lent to rows that need more, first come first served, up to a limit. So an API server whose
 * responses are too large takes memory from others like it, and never from a row whose objects fit
 * its own budget.
 */
struct kube_memory {
	size_t row_budget; /* each row's own */
	size_t common;     /* left to be lent */
};

struct kube_memory kube_memory(size_t bytes, size_t rows);

/* The budget of some rows. `memory` NULL: without a limit. */
struct kube_budget {
	struct kube_memory *memory;
	size_t left;     /* of the rows' own */
	size_t borrowed; /* of the common half, ROW_BUDGETS_BORROWED times a row's own at most */
};

void kube_budget_open(struct kube_budget *budget, struct kube_memory *memory, size_t rows);
void kube_budget_close(struct kube_budget *budget);
/* False if there is not enough; then nothing is taken. */
bool kube_budget_take(struct kube_budget *budget, size_t bytes);
void kube_budget_release(struct kube_budget *budget, size_t bytes);
size_t kube_budget_left(const struct kube_budget *budget);

#endif
