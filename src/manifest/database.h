#ifndef FSA_MANIFEST_DATABASE_H
#define FSA_MANIFEST_DATABASE_H

#include "manifest/manifest.h"

/* The forms of a database, for database.c: as manifest_database_companions() and
 * manifest_database_anchor(). Private to this layer. */
json_t *kubeblocks_companions(const struct manifest_database *d,
			      const struct manifest_settings *settings);
json_t *kubeblocks_anchor(const struct manifest_database *d,
			  const struct manifest_settings *settings, const char *hash);
json_t *plain_companions(const struct manifest_database *d,
			 const struct manifest_settings *settings);
json_t *plain_anchor(const struct manifest_database *d, const struct manifest_settings *settings,
		     const char *hash);

#endif
