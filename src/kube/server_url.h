#ifndef FSA_KUBE_SERVER_URL_H
#define FSA_KUBE_SERVER_URL_H

#include "base/err.h"

/*
 * The URL of an API server: https://host[:port][/path] and nothing else. Small and strict on
 * purpose, so that no two parsers can read it differently: an accepted URL is put together again
 * from its parts. Written by hand, so that programs which only validate need no libcurl.
 */

/* `ret_server`: lower-case host, no default port, no '/' at the end. `ret_host`: without brackets.
 * The caller frees both. ERR_INVALID, code KUBECONFIG_SERVER. */
int server_url_parse(const char *url, char **ret_server, char **ret_host, struct err *e);

#endif
