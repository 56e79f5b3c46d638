#include "reconcile/kind.h"

static const struct kind *const kinds[RESOURCE_KIND_COUNT] = {
	[RESOURCE_SANDBOX] = &kind_sandbox,
	[RESOURCE_DATABASE] = &kind_database,
};

const struct kind *kind_of(enum resource_kind kind)
{
	return kinds[kind];
}
