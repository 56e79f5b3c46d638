#include "kube/memory.h"

#include <stdint.h>

/* Allows for a namespace full of events, while parsing one row's responses still takes only
 * moments. */
enum { ROW_BUDGETS_BORROWED = 8 };

struct kube_memory kube_memory(size_t bytes, size_t rows)
{
	return (struct kube_memory) { .row_budget = bytes / 2 / rows, .common = bytes / 2 };
}

void kube_budget_open(struct kube_budget *budget, struct kube_memory *memory, size_t rows)
{
	*budget = (struct kube_budget) { .memory = memory,
					 .left = memory != NULL ? rows * memory->row_budget : 0 };
}

void kube_budget_close(struct kube_budget *budget)
{
	if (budget->memory != NULL)
		budget->memory->common += budget->borrowed;
	*budget = (struct kube_budget) { 0 };
}

static size_t may_borrow(const struct kube_budget *budget)
{
	size_t most = ROW_BUDGETS_BORROWED * budget->memory->row_budget - budget->borrowed;

	return most < budget->memory->common ? most : budget->memory->common;
}

size_t kube_budget_left(const struct kube_budget *budget)
{
	return budget->memory != NULL ? budget->left + may_borrow(budget) : SIZE_MAX;
}

bool kube_budget_take(struct kube_budget *budget, size_t bytes)
{
	if (budget->memory == NULL)
		return true;
	if (bytes > kube_budget_left(budget))
		return false;
	size_t own = bytes < budget->left ? bytes : budget->left;
	budget->left -= own;
	budget->borrowed += bytes - own;
	budget->memory->common -= bytes - own;
	return true;
}

void kube_budget_release(struct kube_budget *budget, size_t bytes)
{
	if (budget->memory == NULL)
		return;
	size_t back = bytes < budget->borrowed ? bytes : budget->borrowed;
	budget->borrowed -= back;
	budget->memory->common += back;
	budget->left += bytes - back;
}
