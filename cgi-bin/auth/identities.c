/* The identities by which a user logs in; password.c, sealos.c and oauth.c add them. */
#include <stddef.h>

#include "auth.h"
#include "base/cleanup.h"
#include "store/identity.h"
#include "web/members.h"
#include "web/router.h"

#define IDENTITY(member) offsetof(struct identity, member)
static const struct member identity_members[] = {
	{ "id", IDENTITY(id), member_text },
	{ "provider", IDENTITY(provider), member_text },
	{ "providerUserId", IDENTITY(provider_user_id), member_text },
	{ "name", IDENTITY(name), member_text },
	{ "isPrimary", IDENTITY(is_primary), member_bool },
	{ "createdAt", IDENTITY(created_at), member_text },
	{ "updatedAt", IDENTITY(updated_at), member_text },
	MEMBERS_END,
};

int auth_identities_get(struct call *c, struct err *e)
{
	CLEANUP(identity_rows_clear) struct identity_rows rows = { .count = 0 };
	json_t *list = json_array();

	if (identity_list(c->db, c->session->user_id, &rows, e) < 0) {
		json_decref(list);
		return -1;
	}
	for (size_t i = 0; i < rows.count; i++)
		json_array_append_new(list, members_object(identity_members, &rows.items[i]));
	response_json(c->response, 200, json_pack("{s:o}", "items", list));
	return 0;
}

typedef int change_fn(struct db *db, const char *user_id, const char *identity_id, struct err *e);

/* The change may have ended the session itself. */
static int change(struct call *c, change_fn *fn, struct err *e)
{
	if (fn(c->db, c->session->user_id, c->params[0], e) < 0)
		return -1;
	response_json(c->response, 200, json_pack("{s:b}", "success", 1));
	return 0;
}

int auth_identity_delete(struct call *c, struct err *e)
{
	return change(c, identity_unbind, e);
}

int auth_identity_primary(struct call *c, struct err *e)
{
	return change(c, identity_make_primary, e);
}
