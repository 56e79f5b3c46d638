#ifndef KUBESIM_CERTIFICATE_H
#define KUBESIM_CERTIFICATE_H

#include <stdbool.h>

/* Whom a client's certificate names, as the API server reads it: the common name is the user, the
 * organization the group. */
struct certificate_name {
	char common_name[256], organization[256];
};

/* `session` is a gnutls_session_t after its handshake. False if no certificate was sent, or one
 * that the trusted authority has not signed. */
bool certificate_read(void *session, struct certificate_name *ret_name);

#endif
