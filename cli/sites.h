#ifndef FSA_CLI_SITES_H
#define FSA_CLI_SITES_H

#include <jansson.h>

#include "base/err.h"

/*
 * The sites that somebody has logged in to: $XDG_CONFIG_HOME/fsa/sites.json, which only they may
 * read, because it holds their tokens. It is replaced as a whole, never written in place.
 *
 *     {"current": "https://fsa.example.com",
 *      "sites": {"https://fsa.example.com": {"token": "fsa_…", "caFile": "/etc/…"}}}
 */

/* If there is no file, an object without sites. ERR_INVALID: it cannot be read, or others could
 * read it. */
int sites_load(json_t **ret_sites, struct err *e);
int sites_save(const json_t *sites, struct err *e);

/* The address of a site as it is stored: scheme, host and port, without the rest. HTTP only to this
 * machine, as tokens are sent there. ERR_INVALID. The caller frees. */
int sites_url(const char *url, char **ret_url, struct err *e);

/* Makes it the current one. */
int sites_add(const char *url, const char *token, const char *ca_file, struct err *e);
/* ERR_NOT_FOUND: it is not there. */
int sites_remove(const char *url, struct err *e);
/* The site `wanted`, or with NULL the current one. ERR_UNAUTHENTICATED: there is none. The caller
 * frees `*ret_url` and `*ret_site` (token and caFile). */
int sites_find(const char *wanted, char **ret_url, json_t **ret_site, struct err *e);

/* The folder of fsa's files, created if it is missing. The caller frees. */
int sites_folder(char **ret_folder, struct err *e);
/* Writes a file as a whole: at any time there is the old text or the new one. ERR_INVALID. */
int sites_replace(const char *path, const char *text, unsigned mode, struct err *e);

#endif
