#include "http/call.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "http/certificate.h"

static const struct {
	CURLcode code;
	enum http_failure failure;
} failures[] = {
	{ CURLE_OK, HTTP_OK },
	{ CURLE_COULDNT_RESOLVE_HOST, HTTP_UNREACHABLE },
	{ CURLE_COULDNT_CONNECT, HTTP_UNREACHABLE },
	{ CURLE_OPERATION_TIMEDOUT, HTTP_TIMEOUT },
	{ CURLE_ABORTED_BY_CALLBACK, HTTP_TIMEOUT }, /* is_late() */
	{ CURLE_SSL_CONNECT_ERROR, HTTP_TLS },
	{ CURLE_PEER_FAILED_VERIFICATION, HTTP_TLS },
	{ CURLE_SSL_CACERT_BADFILE, HTTP_TLS },
	{ CURLE_SSL_CERTPROBLEM, HTTP_TLS },
	{ CURLE_SSL_CIPHER, HTTP_TLS },
	{ CURLE_SSL_INVALIDCERTSTATUS, HTTP_TLS },
	{ CURLE_FILESIZE_EXCEEDED, HTTP_TOO_LARGE },
	{ CURLE_PARTIAL_FILE, HTTP_CUT_OFF },
	{ CURLE_GOT_NOTHING, HTTP_UNREACHABLE },
	{ CURLE_SEND_ERROR, HTTP_UNREACHABLE },
	{ CURLE_RECV_ERROR, HTTP_UNREACHABLE },
};

/* Hanging up during the handshake has the same code as a failed handshake, but it says nothing
 * about certificates: a load balancer without servers does it. libcurl 7.88 reports an end of file
 * only by OpenSSL's word in its message. */
static bool was_hung_up_on(const struct call *call)
{
	long os_error = 0;

	(void)curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &os_error);
	return os_error != 0 || strstr(call->error, "SSL_ERROR_SYSCALL") != NULL;
}

/* Whether libnghttp2 refused to continue, because of a flood or invalid headers; to libcurl, the
 * connection was lost. */
static bool broke_http2(const struct call *call)
{
	return strstr(call->error, "nghttp2_session_mem_recv") != NULL;
}

/* Whether there were more bytes of certificates than are read, by OpenSSL's message. */
static bool has_long_chain(const struct call *call)
{
	return strstr(call->error, "excessive message size") != NULL;
}

enum http_failure call_failure(const struct call *call, CURLcode code, long status)
{
	if (call->too_large)
		return HTTP_TOO_LARGE;
	if (code != CURLE_OK &&
	    (guard_verdict(call->guard) == GUARD_COSTLY_CERTIFICATES || has_long_chain(call)))
		return HTTP_COSTLY_CERTIFICATES;
	if ((code != CURLE_OK && guard_verdict(call->guard) == GUARD_NO_CONTENT) ||
	    call->head_bytes > HEAD_MAX_BYTES)
		return HTTP_NO_CONTENT;
	if (call->handshakes > CALL_HANDSHAKES_MAX)
		return HTTP_CUT_OFF;
	if (code == CURLE_COULDNT_CONNECT && call->refusal != NULL)
		return HTTP_ADDRESS_FORBIDDEN;
	if (code == CURLE_OK && !call->head_complete)
		return HTTP_CUT_OFF;
	if (code == CURLE_SSL_CONNECT_ERROR && was_hung_up_on(call))
		return HTTP_UNREACHABLE;
	if (code == CURLE_RECV_ERROR && broke_http2(call))
		return HTTP_PROTOCOL;
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		if (failures[i].code != code)
			continue;
		bool lost = failures[i].failure == HTTP_UNREACHABLE && status != 0;
		return lost ? HTTP_CUT_OFF : failures[i].failure;
	}
	return HTTP_PROTOCOL;
}

char *call_failure_message(const struct call *call, enum http_failure failure, CURLcode code)
{
	switch (failure) {
	case HTTP_OK:
		return mem_strdup("");
	case HTTP_ADDRESS_FORBIDDEN:
		return mem_strdup("the server's address is not allowed here");
	case HTTP_CUT_OFF:
		return mem_strdup("the connection ended before the answer did");
	case HTTP_COSTLY_CERTIFICATES:
		return has_long_chain(call) ? mem_printf("more than %d bytes of certificates",
							 CERTIFICATE_CHAIN_BYTES)
					    : mem_strdup(guard_reason(call->guard));
	case HTTP_NO_CONTENT:
		return mem_strdup("the server sent too much that is no answer");
	case HTTP_TOO_LARGE:
		return call->over_budget
			       ? mem_printf("the answer is larger than there is memory for "
					    "at the moment: over %zu bytes",
					    call->body.length)
			       : mem_printf("the answer is larger than %zu bytes", call->body.max);
	default:
		if (call->coded)
			return mem_strdup("the answer has a transfer coding that nobody asked for");
		if (code == CURLE_SSL_CACERT_BADFILE) /* libcurl's message contains its path */
			return mem_strdup("this site's list of public CAs cannot be read");
		return mem_strdup(call->error[0] != '\0' ? call->error : curl_easy_strerror(code));
	}
}
