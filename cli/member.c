/* member list, invite, role and remove; join and leave: who has a part in a project. */
#include <string.h>

#include "base/cleanup.h"
#include "base/json_at.h"
#include "base/mem.h"
#include "base/parse.h"
#include "command.h"
#include "command/output.h"
#include "project.h"

#define LINK_PART "/#/join/"

static const struct output_column columns[] = {
	{ "name", "NAME" },
	{ "role", "ROLE" },
	{ "addedAt", "SINCE" },
	{ "id", "ID" },
};
static const struct output_column invited[] = {
	{ "name", "invited" },
	{ "role", "role" },
	{ "link", "link" },
	{ "expiresAt", "until" },
};
static const struct output_column joined[] = { { "projectId", "project" }, { "role", "role" } };

/* Finds the project that the first argument names; `*ret_path` is that of its `part`. The caller
 * frees. */
static int find(const struct call *call, const char *part, struct site *site, char **ret_path,
		struct err *e)
{
	CLEANUP(json_decrefp) json_t *project = NULL;

	if (call_site(call, site, e) < 0 || project_find(site, call->arguments[0], &project, e) < 0)
		return -1;
	if (!parse_is_uuid(project_id(project)))
		return err_set(e, ERR_INTERNAL, NULL, "the site's answer is none of a project");
	*ret_path = mem_printf("/api/projects/%s/%s", project_id(project), part);
	return 0;
}

/* Asks for a part of that project. The caller json_decref()s. */
static int ask(const struct call *call, const char *method, const char *part, const json_t *body,
	       json_t **ret_answer, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(cleanup_free) char *path = NULL;

	if (find(call, part, &site, &path, e) < 0)
		return -1;
	return site_call(&site, method, path, body, ret_answer, e);
}

int command_member_list(const struct call *call, struct err *e)
{
	CLEANUP(json_decrefp) json_t *answer = NULL;

	if (ask(call, "GET", "members", NULL, &answer, e) < 0)
		return -1;
	if (!call_json(call, answer))
		output_rows(columns, ARRAY_SIZE(columns), json_object_get(answer, "items"));
	return 0;
}

/* Without a name, the answer has a link. */
int command_member_invite(const struct call *call, struct err *e)
{
	CLEANUP(json_decrefp) json_t *answer = NULL;
	CLEANUP(json_decrefp)
	json_t *body = json_pack("{s:s, s:s*}", "role", call->arguments[1], "name",
				 call->argument_count > 2 ? call->arguments[2] : NULL);

	if (body == NULL)
		return err_set(e, ERR_INVALID, "USAGE", "role or name is not UTF-8");
	if (ask(call, "POST", "invitations", body, &answer, e) < 0)
		return -1;
	if (!call_json(call, answer))
		output_fields(invited, ARRAY_SIZE(invited), answer);
	return 0;
}

/* The path of the member with that name or id. */
static int find_member(struct site *site, const char *members, const char *name, char **ret_path,
		       struct err *e)
{
	CLEANUP(json_decrefp) json_t *answer = NULL;
	const json_t *member;
	size_t i;

	if (site_call(site, "GET", members, NULL, &answer, e) < 0)
		return -1;
	json_array_foreach(json_object_get(answer, "items"), i, member)
	{
		const char *id = json_text_at(member, "id");
		if (parse_is_uuid(id) &&
		    (strcmp(id, name) == 0 || strcmp(json_text_at(member, "name"), name) == 0)) {
			*ret_path = mem_printf("%s/%s", members, id);
			return 0;
		}
	}
	return err_set(e, ERR_NOT_FOUND, "MEMBER_NOT_FOUND", "the project has no member \"%s\"",
		       name);
}

static int change_member(const struct call *call, const char *method, const json_t *body,
			 struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *answer = NULL;
	CLEANUP(cleanup_free) char *members = NULL, *path = NULL;

	if (find(call, "members", &site, &members, e) < 0 ||
	    find_member(&site, members, call->arguments[1], &path, e) < 0 ||
	    site_call(&site, method, path, body, &answer, e) < 0)
		return -1;
	(void)call_json(call, answer);
	return 0;
}

int command_member_role(const struct call *call, struct err *e)
{
	CLEANUP(json_decrefp) json_t *body = json_pack("{s:s}", "role", call->arguments[2]);

	if (body == NULL)
		return err_set(e, ERR_INVALID, "USAGE", "a role is editor or viewer");
	return change_member(call, "PATCH", body, e);
}

int command_member_remove(const struct call *call, struct err *e)
{
	return change_member(call, "DELETE", NULL, e);
}

/* By a link, or the token in it. */
int command_join(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *answer = NULL;
	const char *part = strstr(call->arguments[0], LINK_PART);
	const char *token = part != NULL ? part + strlen(LINK_PART) : call->arguments[0];
	CLEANUP(json_decrefp) json_t *body = json_pack("{s:s}", "token", token);

	if (body == NULL)
		return err_set(e, ERR_INVALID, "USAGE", "this is no link of an invitation");
	if (call_site(call, &site, e) < 0 ||
	    site_call(&site, "POST", "/api/invitations/accept", body, &answer, e) < 0)
		return -1;
	if (!call_json(call, answer))
		output_fields(joined, ARRAY_SIZE(joined), answer);
	return 0;
}

int command_leave(const struct call *call, struct err *e)
{
	CLEANUP(json_decrefp) json_t *answer = NULL;

	if (ask(call, "DELETE", "membership", NULL, &answer, e) < 0)
		return -1;
	(void)call_json(call, answer);
	return 0;
}
