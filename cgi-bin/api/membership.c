/* Members of a project, and invitations to become one. */
#include "api.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "crypto/token.h"
#include "domain/user.h"
#include "store/membership.h"
#include "store/project_invitation.h"
#include "web/json.h"

#define ROLE_PATTERN "^(editor|viewer)$"

enum { ROLE_MAX = 8, NAME_LENGTH_MAX = 256 };

static int check_role(const char *text, struct err *e)
{
	enum project_role role;

	if (project_role_parse(text, &role) && role != PROJECT_OWNER)
		return 0;
	return err_set(e, ERR_INVALID, "INVALID_FIELD", "must be editor or viewer");
}

/* clang-format off */
#define FIELD_ROLE                                                                                 \
	{ .name = "role", .type = FIELD_STRING, .required = true, .max = ROLE_MAX,                 \
	  .pattern = ROLE_PATTERN, .check = check_role }
/* clang-format on */

const struct field member_change_fields[] = { FIELD_ROLE, FIELDS_END };

const struct field project_invitation_fields[] = {
	FIELD_ROLE,
	{ .name = "name",
	  .type = FIELD_STRING,
	  .nullable = true,
	  .min = 1,
	  .max = NAME_LENGTH_MAX },
	FIELDS_END,
};

static int check_link_token(const char *token, struct err *e)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-_";

	if (token[strspn(token, letters)] == '\0')
		return 0;
	return err_set(e, ERR_INVALID, "INVALID_FIELD", "is not the end of an invitation's link");
}

const struct field invitation_link_fields[] = {
	{ .name = "token",
	  .type = FIELD_STRING,
	  .required = true,
	  .min = TOKEN_LENGTH,
	  .max = TOKEN_LENGTH,
	  .pattern = "^[A-Za-z0-9_-]+$",
	  .check = check_link_token },
	FIELDS_END,
};

static enum project_role role_of(const struct call *c)
{
	enum project_role role = PROJECT_VIEWER;

	(void)project_role_parse(field_string(c->body, "role"), &role);
	return role;
}

static void answer_success(struct call *c)
{
	response_json(c->response, 200, json_pack("{s:b}", "success", 1));
}

int api_add_access(const struct call *c, json_t *items, struct err *e)
{
	CLEANUP(json_decrefp) json_t *shared = NULL;
	CLEANUP(json_decrefp)
	json_t *own = json_pack("{s:s, s:s}", "role", project_role_name(PROJECT_OWNER), "owner",
				c->session->user_name);
	size_t index;
	json_t *item;

	if (project_access_shared(c->db, c->session->user_id, &shared, e) < 0)
		return -1;
	json_array_foreach(items, index, item)
	{
		json_t *access = json_object_get(shared, field_string(item, "id"));
		json_object_update(item, access != NULL ? access : own);
	}
	return 0;
}

/* ---- members --------------------------------------------------------------------------------- */

/* Who is invited is for the owner, who can withdraw it. */
int members_list_get(struct call *c, struct err *e)
{
	CLEANUP(json_decrefp) json_t *members = NULL;
	CLEANUP(json_decrefp) json_t *invitations = json_array();
	CLEANUP(json_decrefp) json_t *listed = NULL;

	if (membership_list(c->db, c->owner_id, c->params[0], &members, e) < 0)
		return -1;
	if (c->role == PROJECT_OWNER &&
	    project_invitation_list(c->db, c->owner_id, c->params[0], &listed, e) < 0)
		return -1;
	response_json(c->response, 200,
		      json_pack("{s:O, s:O}", "items", members, "invitations",
				listed != NULL ? listed : invitations));
	return 0;
}

int member_patch(struct call *c, struct err *e)
{
	c->audit_detail = json_pack("{s:s, s:s}", "member", c->params[1], "role",
				    project_role_name(role_of(c)));
	if (membership_set_role(c->db, c->owner_id, c->params[0], c->params[1], role_of(c), e) < 0)
		return -1;
	answer_success(c);
	return 0;
}

static int end(struct call *c, const char *member_id, struct err *e)
{
	c->audit_detail = json_pack("{s:s}", "member", member_id);
	if (membership_end(c->db, c->owner_id, c->params[0], member_id, e) < 0)
		return -1;
	answer_success(c);
	return 0;
}

int member_delete(struct call *c, struct err *e)
{
	return end(c, c->params[1], e);
}

/* Leaves. The owner is no member, and stays. */
int membership_delete(struct call *c, struct err *e)
{
	return end(c, c->session->user_id, e);
}

/* ---- invitations ----------------------------------------------------------------------------- */

static int invite_by_link(struct call *c, json_t **ret_invitation, struct err *e)
{
	char token[TOKEN_LENGTH + 1];
	uint8_t hash[TOKEN_HASH_BYTES];

	token_make(token);
	token_hash(token, hash);
	int made = project_invite_by_link(c->db, c->owner_id, c->params[0], hash, role_of(c),
					  ret_invitation, e);
	if (made == 0) {
		CLEANUP(cleanup_free)
		char *link = project_link(conf_string(api_conf(c), CONF_PUBLIC_URL), token);
		(void)json_object_set_new(*ret_invitation, "link", json_string(link));
		explicit_bzero(link, strlen(link));
	}
	explicit_bzero(token, sizeof(token));
	return made;
}

/* The only response that contains the link. */
int project_invitation_post(struct call *c, struct err *e)
{
	const char *name = field_string(c->body, "name");
	json_t *invitation;

	c->audit_detail =
		json_pack("{s:s?, s:s}", "name", name, "role", project_role_name(role_of(c)));
	if (name == NULL ? invite_by_link(c, &invitation, e)
			 : project_invite_user(c->db, c->owner_id, c->params[0], name, role_of(c),
					       &invitation, e))
		return -1;
	if (name != NULL)
		(void)json_object_set_new(invitation, "link", json_null());
	response_json(c->response, 200, invitation);
	return 0;
}

int project_invitation_delete(struct call *c, struct err *e)
{
	c->audit_detail = json_pack("{s:s}", "invitation", c->params[1]);
	if (project_invitation_withdraw(c->db, c->owner_id, c->params[0], c->params[1], e) < 0)
		return -1;
	answer_success(c);
	return 0;
}

int invitations_list_get(struct call *c, struct err *e)
{
	json_t *invitations;

	if (project_invitation_list_own(c->db, c->session->user_id, &invitations, e) < 0)
		return -1;
	response_json(c->response, 200, json_pack("{s:o}", "items", invitations));
	return 0;
}

/* The line of the audit is for the project's owner, too. */
static int join(struct call *c, const struct project_invitation_key *key, struct err *e)
{
	struct project_invitation_accepted accepted;

	if (project_invitation_accept(c->db, c->session->user_id, key, &accepted, e) < 0)
		return -1;
	memcpy(c->object_id, accepted.project_id, sizeof(c->object_id));
	memcpy(c->owner_id, accepted.owner_id, sizeof(c->owner_id));
	c->audit_detail = json_pack("{s:s}", "role", project_role_name(accepted.role));
	response_json(c->response, 200,
		      json_pack("{s:s, s:s}", "projectId", accepted.project_id, "role",
				project_role_name(accepted.role)));
	return 0;
}

int invitation_accept_post(struct call *c, struct err *e)
{
	return join(c, &(struct project_invitation_key) { .id = c->params[0] }, e);
}

int invitation_link_post(struct call *c, struct err *e)
{
	uint8_t hash[TOKEN_HASH_BYTES];

	token_hash(field_string(c->body, "token"), hash);
	return join(c, &(struct project_invitation_key) { .token_hash = hash }, e);
}

int invitation_decline(struct call *c, struct err *e)
{
	if (project_invitation_decline(c->db, c->session->user_id, c->params[0], e) < 0)
		return -1;
	answer_success(c);
	return 0;
}
