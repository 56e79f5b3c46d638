#include "store/new_part.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "crypto/token.h"
#include "store/contexts.h"

enum { SEALED_TOKEN_MAX = 1024 };

/* Version 4 (RFC 9562, section 5.4). */
void new_id(char ret_id[STORE_ID_LENGTH + 1])
{
	uint32_t r[4] = { token_random_u32(), token_random_u32(), token_random_u32(),
			  token_random_u32() };

	(void)snprintf(ret_id, STORE_ID_LENGTH + 1, "%08x-%04x-4%03x-%04x-%04x%08x", r[0],
		       r[1] >> 16, r[1] & 0xfff, 0x8000 | (r[2] & 0x3fff), r[2] >> 16, r[3]);
}

static int make_terminal_token(struct new_sandbox *s, store_seal_fn *seal, const void *user,
			       struct err *e)
{
	char token[TERMINAL_TOKEN_LENGTH + 1];
	CLEANUP(cleanup_free) char *context = mem_printf(CONTEXT_TERMINAL, s->id);

	token_alphanumeric(token, TERMINAL_TOKEN_LENGTH);
	int sealed =
		seal(user, context, token, TERMINAL_TOKEN_LENGTH, &s->terminal_token_sealed, e);
	explicit_bzero(token, sizeof(token));
	return sealed;
}

int new_sandbox_init(struct new_sandbox *s, const char *id, store_seal_fn *seal, const void *user,
		     struct err *e)
{
	memset(s, 0, sizeof(*s));
	s->terminal_token_sealed = BUF_INIT(SEALED_TOKEN_MAX);
	if (id != NULL)
		(void)snprintf(s->id, sizeof(s->id), "%s", id);
	else
		new_id(s->id);
	if (make_terminal_token(s, seal, user, e) < 0)
		return -1;
	s->row = (struct sandbox_new) {
		.id = s->id,
		.terminal_token_sealed = s->terminal_token_sealed.data,
		.terminal_token_sealed_length = s->terminal_token_sealed.length,
	};
	return 0;
}

void new_sandbox_clear(struct new_sandbox *s)
{
	buf_release(&s->terminal_token_sealed);
}
