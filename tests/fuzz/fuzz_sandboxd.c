/*
 * Connections to sandboxd: requests one after the other, their bodies, and WebSocket frames. The
 * first byte of an input is the length of the pieces in which the rest arrives; "~T" in it stands
 * for a good token, so that what lies behind that is reached. Whatever arrives, an answer is HTTP,
 * and a client that leaves leaves nothing behind.
 */
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandboxd.h"
#include "sandboxd/conn.h"
#include "sandboxd/gate.h"
#include "sandboxd/loop.h"
#include "sandboxd/token.h"

static char *token;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	mem_init_libraries();
	token_init(SECRET);
	loop_init();
	gate_init("https://site.example");
	token = sign_token("{\"alg\":\"HS256\"}",
			   "{\"aud\":\"sandboxd\",\"iss\":\"https://site.example\","
			   "\"scope\":\"exec\",\"exp\":99999999999,\"jti\":\"x\"}");
	return 0;
}

static size_t insert_tokens(const uint8_t *data, size_t size, char *ret, size_t room)
{
	size_t length = strlen(token), used = 0;

	for (size_t i = 0; i < size && used + length < room; i++) {
		if (data[i] != '~' || i + 1 == size || data[i + 1] != 'T') {
			ret[used++] = (char)data[i];
			continue;
		}
		memcpy(ret + used, token, length);
		used += length;
		i++;
	}
	return used;
}

static void receive(int fd, bool *begun)
{
	char answer[65536];
	ssize_t got;

	while ((got = recv(fd, answer, sizeof(answer), MSG_DONTWAIT)) > 0) {
		insist(*begun || (got >= 9 && memcmp(answer, "HTTP/1.1 ", 9) == 0));
		*begun = true;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char input[65536];
	int pair[2];
	bool begun = false;

	if (size < 2 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0)
		return 0;
	size_t length = insert_tokens(data + 1, size - 1, input, sizeof(input));
	size_t piece = data[0] == 0 ? sizeof(input) : data[0];
	conn_open(pair[0]);
	for (size_t at = 0; at < length; at += piece) {
		size_t part = length - at < piece ? length - at : piece;
		if (send(pair[1], input + at, part, MSG_NOSIGNAL) != (ssize_t)part)
			break;
		loop_round(0);
		receive(pair[1], &begun);
	}
	close(pair[1]);
	while (conn_count() > 0)
		loop_round(0);
	return 0;
}
