#ifndef FSA_KUBE_KUBECONFIG_H
#define FSA_KUBE_KUBECONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * A user's kubeconfig: hostile input. Exactly the current context's cluster, user and namespace
 * are taken, and only of this: server (https), certificate-authority-data, token or
 * client-certificate-data with client-key-data, namespace. Everything that would run a program,
 * read a file, use a proxy, skip verification or impersonate (exec, auth-provider, every file path,
 * proxy-url, insecure-skip-tls-verify, as, username/password, …) is refused wherever it stands in
 * the document. Other known members are ignored; unknown ones are refused.
 * Source: kubernetes.io/docs/reference/config-api/kubeconfig.v1.
 */
enum { KUBECONFIG_MAX_BYTES = 65536 };

struct kubeconfig {
	char *server; /* https://host[:port][/path], normalised: lower case host, no trailing '/' */
	char *host;   /* of the server, without brackets */
	char *namespace; /* DNS label */
	char *user;      /* name of the user entry */
	char *ca_pem;
	char *token; /* or NULL, then: */
	char *certificate_pem;
	char *key_pem;
	int64_t expires_at; /* Unix seconds: `exp` of a JWT token, notAfter of a certificate; 0: not
			       said */
};

/* Parses `length` bytes of YAML (or JSON). ERR_INVALID with a code (KUBECONFIG_…) whose message
 * names the line and the member. `ret_config` is written on success only; kubeconfig_clear() it. */
int kubeconfig_parse(const char *text, size_t length, struct kubeconfig *ret_config, struct err *e);
void kubeconfig_clear(struct kubeconfig *config); /* wipes secrets; for CLEANUP too */

#endif
