#include "manifest/database.h"

/* What a database is made of in each form. */
static const struct form {
	json_t *(*companions)(const struct manifest_database *d,
			      const struct manifest_settings *settings);
	json_t *(*anchor)(const struct manifest_database *d,
			  const struct manifest_settings *settings, const char *hash);
} forms[FORM_COUNT] = {
	[FORM_UNDECIDED] = { kubeblocks_companions, kubeblocks_anchor }, /* never asked for */
	[FORM_KUBEBLOCKS_0_8] = { kubeblocks_companions, kubeblocks_anchor },
	[FORM_KUBEBLOCKS_0_9] = { kubeblocks_companions, kubeblocks_anchor },
	[FORM_KUBEBLOCKS_1_0] = { kubeblocks_companions, kubeblocks_anchor },
	[FORM_PLAIN] = { plain_companions, plain_anchor },
};

json_t *manifest_database_companions(const struct manifest_database *d,
				     const struct manifest_settings *settings)
{
	return forms[d->form].companions(d, settings);
}

json_t *manifest_database_anchor(const struct manifest_database *d,
				 const struct manifest_settings *settings, const char *hash)
{
	return forms[d->form].anchor(d, settings, hash);
}
