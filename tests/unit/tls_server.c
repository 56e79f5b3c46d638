#include "tls_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

struct tls_server {
	pid_t pid;
	unsigned port;
	struct tls_seen *seen;
	const struct tls_reply *replies;
	size_t count;
};

static void use_certificate(SSL_CTX *context, const struct pki_pair *pair)
{
	BIO *certificate_bio = BIO_new_mem_buf(pair->certificate_pem, -1);
	BIO *key_bio = BIO_new_mem_buf(pair->key_pem, -1);
	X509 *certificate = PEM_read_bio_X509(certificate_bio, NULL, NULL, NULL);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL);

	ck_assert_int_eq(SSL_CTX_use_certificate(context, certificate), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(context, key), 1);
	X509_free(certificate);
	EVP_PKEY_free(key);
	BIO_free(certificate_bio);
	BIO_free(key_bio);
}

static void show_chain(SSL_CTX *context, const char *chain_pem)
{
	BIO *bio = BIO_new_mem_buf(chain_pem, -1);
	X509 *certificate;

	while ((certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		ck_assert_int_eq(SSL_CTX_add_extra_chain_cert(context, certificate), 1);
	BIO_free(bio);
}

static void ask_for_certificates(SSL_CTX *context, const char *ca_pem)
{
	BIO *bio = BIO_new_mem_buf(ca_pem, -1);
	X509 *ca = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	ck_assert_int_eq(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca), 1);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	X509_free(ca);
	BIO_free(bio);
}

static SSL_CTX *make_context(const struct tls_server_options *options)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	ck_assert_ptr_nonnull(context);
	use_certificate(context, options->certificate);
	(void)SSL_CTX_set_session_id_context(context, (const unsigned char *)"t", 1);
	if (options->chain_pem != NULL)
		show_chain(context, options->chain_pem);
	if (options->client_ca_pem != NULL)
		ask_for_certificates(context, options->client_ca_pem);
	return context;
}

/* Reads head and body; returns false at the end of the connection. */
static bool read_request(SSL *ssl, char *ret_request, size_t size)
{
	size_t length = 0;

	for (;;) {
		int got = SSL_read(ssl, ret_request + length, (int)(size - length - 1));
		if (got <= 0)
			return false;
		length += (size_t)got;
		ret_request[length] = '\0';
		const char *end = strstr(ret_request, "\r\n\r\n");
		if (end == NULL)
			continue;
		const char *header = strcasestr(ret_request, "\r\ncontent-length:");
		size_t body = header != NULL && header < end ? strtoul(header + 17, NULL, 10) : 0;
		if (length >= (size_t)(end - ret_request) + 4 + body)
			return true;
	}
}

/* What the test sees is shared by the processes of all connections, and decides nothing. */
static void show_request(struct tls_seen *seen, const char *request)
{
	seen->requests++;
	(void)snprintf(seen->last, sizeof(seen->last), "%s", request);
}

static void write_text(SSL *ssl, const char *text)
{
	if (text != NULL && text[0] != '\0')
		(void)SSL_write(ssl, text, (int)strlen(text));
}

static const char *peer_name(SSL *ssl, char *ret_name, size_t size)
{
	X509 *certificate = SSL_get0_peer_certificate(ssl);

	ret_name[0] = '\0';
	if (certificate != NULL)
		(void)X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName,
						ret_name, (int)size);
	return ret_name;
}

static void write_reply(SSL *ssl, const struct tls_reply *reply)
{
	char name[256], head[1024];

	usleep(reply->delay_ms * 1000);
	for (unsigned i = 0; i < reply->key_updates; i++) {
		(void)SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
		(void)SSL_do_handshake(ssl);
	}
	if (reply->status != NULL) {
		const char *body = reply->body != NULL ? reply->body : "";
		if (strcmp(body, "$PEER") == 0)
			body = peer_name(ssl, name, sizeof(name));
		(void)snprintf(head, sizeof(head), "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n",
			       reply->status, reply->headers ? reply->headers : "", strlen(body));
		write_text(ssl, head);
		write_text(ssl, body);
	}
	for (const char *p = reply->raw; reply->drip_ms > 0 && *p != '\0'; p++) {
		(void)SSL_write(ssl, p, 1);
		usleep(reply->drip_ms * 1000);
	}
	if (reply->raw != NULL && reply->drip_ms == 0)
		write_text(ssl, reply->raw);
	const char *again = reply->again != NULL ? reply->again
			    : reply->raw != NULL ? reply->raw + strcspn(reply->raw, "#")
						 : "";
	for (size_t i = 0; i < reply->repeat; i++)
		write_text(ssl, again);
}

static const struct tls_reply *find_reply(const struct tls_server *server, const char *request)
{
	for (size_t i = 0; i < server->count; i++) {
		if (strstr(request, server->replies[i].match) != NULL)
			return &server->replies[i];
	}
	return NULL;
}

static void serve_connection(const struct tls_server *server, SSL_CTX *context, int fd)
{
	char request[sizeof(server->seen->last)];
	SSL *ssl = SSL_new(context);
	const struct tls_reply *reply;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int) { 1 }, sizeof(int));
	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) != 1)
		return;
	server->seen->connections++;
	while (read_request(ssl, request, sizeof(request))) {
		show_request(server->seen, request);
		reply = find_reply(server, request);
		if (reply != NULL)
			write_reply(ssl, reply);
		if (reply == NULL || reply->close)
			return;
	}
}

/* The children end with their parent, however it ends. */
static void die_with_parent(pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
}

static void serve(const struct tls_server *server, SSL_CTX *context, int listener)
{
	pid_t self = getpid();

	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		if (fd >= 0 && fork() == 0) {
			die_with_parent(self);
			serve_connection(server, context, fd);
			_exit(0);
		}
		close(fd);
	}
}

static int listen_on_loopback(unsigned *ret_port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);

	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 64), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

struct tls_server *tls_server_start(const struct tls_server_options *options,
				    const struct tls_reply *replies, size_t count)
{
	struct tls_server *server = calloc(1, sizeof(*server));
	SSL_CTX *context = make_context(options);
	pid_t self = getpid();

	server->replies = replies;
	server->count = count;
	server->seen = mmap(NULL, sizeof(*server->seen), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert(server->seen != MAP_FAILED);
	int listener = listen_on_loopback(&server->port);
	server->pid = fork();
	ck_assert(server->pid >= 0);
	if (server->pid == 0) {
		die_with_parent(self);
		serve(server, context, listener);
	}
	close(listener);
	SSL_CTX_free(context);
	return server;
}

void tls_server_stop(struct tls_server *server)
{
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	munmap(server->seen, sizeof(*server->seen));
	free(server);
}

unsigned tls_server_port(const struct tls_server *server)
{
	return server->port;
}

struct tls_seen *tls_server_seen(struct tls_server *server)
{
	return server->seen;
}
