#include "reconcile/kind.h"

#include "base/cleanup.h"

const struct kind *const kind_all[] = {
	&kind_sandbox,
	&kind_kubeblocks,
	&kind_kubeblocks_v1,
	&kind_plain,
};
const size_t kind_count = ARRAY_SIZE(kind_all);

/* While its form is undecided, a database has no objects, and nothing is asked about them. */
static const struct kind *const databases[FORM_COUNT] = {
	[FORM_UNDECIDED] = &kind_kubeblocks,
	[FORM_KUBEBLOCKS_0_8] = &kind_kubeblocks,
	[FORM_KUBEBLOCKS_0_9] = &kind_kubeblocks,
	[FORM_KUBEBLOCKS_1_0] = &kind_kubeblocks_v1,
	[FORM_PLAIN] = &kind_plain,
};

const struct kind *kind_of(enum resource_kind kind, enum database_form form)
{
	return kind == RESOURCE_SANDBOX ? &kind_sandbox : databases[form];
}

const struct kind *kind_of_form(enum database_form form)
{
	return databases[form];
}
