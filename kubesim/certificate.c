#include "certificate.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

static bool read_part(gnutls_x509_crt_t certificate, const char *oid, char *to, size_t size)
{
	to[0] = '\0';
	return gnutls_x509_crt_get_dn_by_oid(certificate, oid, 0, 0, to, &size) == 0;
}

static bool read_name(const gnutls_datum_t *encoded, struct certificate_name *ret_name)
{
	gnutls_x509_crt_t certificate;
	bool ok;

	if (gnutls_x509_crt_init(&certificate) != 0)
		return false;
	ok = gnutls_x509_crt_import(certificate, encoded, GNUTLS_X509_FMT_DER) == 0 &&
	     read_part(certificate, GNUTLS_OID_X520_COMMON_NAME, ret_name->common_name,
		       sizeof(ret_name->common_name));
	if (ok)
		read_part(certificate, GNUTLS_OID_X520_ORGANIZATION_NAME, ret_name->organization,
			  sizeof(ret_name->organization));
	gnutls_x509_crt_deinit(certificate);
	return ok;
}

bool certificate_read(void *session, struct certificate_name *ret_name)
{
	unsigned count = 0, status = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);

	if (chain == NULL || count == 0 ||
	    gnutls_certificate_verify_peers2(session, &status) != 0 || status != 0)
		return false;
	return read_name(&chain[0], ret_name);
}
