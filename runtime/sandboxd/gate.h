#ifndef SANDBOXD_GATE_H
#define SANDBOXD_GATE_H

#include "sandboxd/conn.h"
#include "sandboxd/route.h"

/*
 * Ports that are not open to everybody. The cluster leads their addresses here, and a request is
 * passed on to the port (passage.h) if it has a token with the scope `ports`, one for exactly this
 * address, or the cookie that such a token was exchanged for. A browser brings the token once, as
 * the query's parameter `fsa_token`, and is then sent to the same address without it. Without a
 * token it is sent to the site, which sends it back with one if its user may open the sandbox.
 *
 * Such an address is <12 letters>-<port>.<domain>. So nothing has to be known here: who has no
 * token reaches no port, whatever address they claim to have called.
 */
/* The origin of the site, to which browsers without a token are sent; NULL: they are refused. */
void gate_init(const char *site);
bool gate_is_called(const struct conn *c);
/* Checks the request. UNAUTHORIZED, MISSING_SCOPE, CROSS_SITE. */
int gate_admit(struct conn *c, struct err *e);

/* What the program gets: the query without the token, with its "?" unless it is empty; cookies
 * without ours, "" if there are no others. The caller frees. */
char *gate_clean_query(const char *query);
char *gate_clean_cookies(const char *cookies);
/* Whether Authorization is a token of ours, and not the application's. */
bool gate_has_authorization(const struct conn *c);

/* What follows for a request that was admitted. */
extern const struct route gate_route;

#endif
