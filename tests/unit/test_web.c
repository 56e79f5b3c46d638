#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <check.h>

#include "base/cleanup.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "crypto/token.h"
#include "web/csrf.h"
#include "web/field.h"
#include "web/json.h"
#include "web/listen.h"
#include "web/members.h"
#include "web/page.h"
#include "web/query.h"
#include "web/request.h"
#include "web/response.h"
#include "web/return_path.h"
#include "web/session.h"
#include "web/wake.h"
#include "web_fixture.h"

START_TEST(a_query_is_decoded_strictly)
{
	static const struct {
		const char *text;
		const char *code;
	} bad[] = {
		{ "a=%", "INVALID_URL" },         { "a=%4", "INVALID_URL" },
		{ "a=%4g", "INVALID_URL" },       { "a=%00", "INVALID_URL" },
		{ "a=%c3%28", "INVALID_URL" },    { "a=%ed%a0%80", "INVALID_URL" },
		{ "a=1&a=2", "DUPLICATE_FIELD" }, { "a=1&%61=2", "DUPLICATE_FIELD" },
	};
	CLEANUP(query_clear) struct query q = { .count = 0 };
	struct err e;

	ck_assert_int_eq(query_parse("keyword=a+b%20c%C3%A9&all=&flag&&x=%3D=", &q, &e), 0);
	ck_assert_uint_eq(q.count, 4);
	ck_assert_str_eq(q.pairs[0].value, "a b c\xc3\xa9");
	ck_assert_str_eq(q.pairs[1].value, "");
	ck_assert_str_eq(q.pairs[2].name, "flag");
	ck_assert_str_eq(q.pairs[3].value, "==");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CLEANUP(query_clear) struct query refused = { .count = 0 };
		ck_assert_int_eq(query_parse(bad[i].text, &refused, &e), -1);
		ck_assert_str_eq(e.code, bad[i].code);
	}
}
END_TEST

START_TEST(a_query_keeps_to_its_caps)
{
	CLEANUP(query_clear) struct query q = { .count = 0 };
	CLEANUP(query_clear) struct query long_q = { .count = 0 };
	CLEANUP(cleanup_free) char *long_text = mem_calloc(QUERY_BYTES_MAX + 2, 1);
	char many[400] = "";
	struct err e;

	for (int i = 0; i <= QUERY_PAIRS_MAX; i++) {
		CLEANUP(cleanup_free) char *pair = mem_printf("a%d=1&", i);
		strncat(many, pair, sizeof(many) - strlen(many) - 1);
	}
	ck_assert_int_eq(query_parse(many, &q, &e), -1);
	memset(long_text, 'a', QUERY_BYTES_MAX + 1);
	ck_assert_int_eq(query_parse(long_text, &long_q, &e), -1);
	ck_assert_uint_eq(long_q.count, 0);
}
END_TEST

START_TEST(a_path_cannot_hide_a_slash)
{
	CLEANUP(cleanup_free) char *path = NULL;
	struct err e;

	ck_assert_int_eq(path_decode("/api/a%62c", 10, &path, &e), 0);
	ck_assert_str_eq(path, "/api/abc");
	ck_assert_int_eq(path_decode("/a%2Fb", 6, &path, &e), -1);
	ck_assert_int_eq(path_decode("/a%2f", 5, &path, &e), -1);
	ck_assert_int_eq(path_decode("/a%2", 4, &path, &e), -1);
	ck_assert_int_eq(path_decode("/a%00", 5, &path, &e), -1);
	ck_assert_str_eq(path, "/api/abc");
}
END_TEST

START_TEST(escaping_and_decoding_are_inverse)
{
	static const char text[] = "a b+c/d=e&f%\xc3\xa9~";
	CLEANUP(cleanup_free) char *escaped = query_escape(text);
	CLEANUP(cleanup_free) char *url = mem_printf("x=%s", escaped);
	CLEANUP(query_clear) struct query q = { .count = 0 };
	struct err e;

	ck_assert_str_eq(escaped, "a%20b%2Bc%2Fd%3De%26f%25%C3%A9~");
	ck_assert_int_eq(query_parse(url, &q, &e), 0);
	ck_assert_str_eq(q.pairs[0].value, text);
}
END_TEST

START_TEST(members_are_rendered_by_their_table)
{
	struct row {
		const char *name, *none;
		int64_t number;
		bool yes;
	};
	static const struct member members[] = {
		{ "name", offsetof(struct row, name), member_text },
		{ "none", offsetof(struct row, none), member_text },
		{ "number", offsetof(struct row, number), member_int64 },
		{ "yes", offsetof(struct row, yes), member_bool },
		MEMBERS_END,
	};
	const struct row row = { "a\"b", NULL, INT64_MAX, true };
	CLEANUP(json_decrefp) json_t *object = members_object(members, &row);
	CLEANUP(cleanup_free) char *text = json_dumps(object, JSON_COMPACT);

	ck_assert_str_eq(text, "{\"name\":\"a\\\"b\",\"none\":null,"
			       "\"number\":9223372036854775807,\"yes\":true}");
}
END_TEST

START_TEST(json_that_is_not_plain_is_refused)
{
	static const char *const bad[] = {
		"",
		"{",
		"[]",
		"1",
		"null",
		"{\"a\":1}x",
		"{\"a\":1,\"a\":2}",
		"{\"a\":\"\\u0000\"}",
		"{\"a\":\"\xff\"}",
		"{\"a\":\"\\ud800\"}",
		"{\"a\":99999999999999999999}",
		"{\"a\":1e999}",
		"{\"a\":NaN}",
		"\xef\xbb\xbf{}",
	};
	json_t *read = NULL;
	struct err e;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ck_assert_int_eq(json_read_object(bad[i], strlen(bad[i]), &read, &e), -1);
		ck_assert_int_eq(e.kind, ERR_INVALID);
		ck_assert_str_eq(e.code, "INVALID_JSON");
	}
	ck_assert_int_eq(json_read_object("{\"a\":\"x\0\"}", 10, &read, &e), -1);
	ck_assert_int_eq(json_read_object("{\"p\":\"hunter2\" \"hunter3\"}", 25, &read, &e), -1);
	ck_assert_ptr_null(strstr(e.message, "hunter"));
	ck_assert_ptr_null(read);
}
END_TEST

START_TEST(json_is_written_as_jansson_writes_it)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		"[[],{},[{}],\"\"]",
		"[1,-1,0,9223372036854775807,-9223372036854775808]",
		"[1.5,-0.25,1e300,7.0,1e-7]",
		"{\"b\":null,\"a\":[true,false,null],\"\":{\"c\":\"d\"}}",
		"[\"plain\",\"\\u00e9\\u20ac\\ud83d\\ude00 \\u007f \\u2028\",\"</script>\"]",
		"{\"quoted \\\"\\\\ key\":\"\\/\"}"
	};
	CLEANUP(json_decrefp) json_t *bytes = json_array();
	CLEANUP(cleanup_free) char *whole = NULL, *expected = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		CLEANUP(json_decrefp) json_t *json = json_loads(texts[i], 0, NULL);
		ck_assert_ptr_nonnull(json);
		CLEANUP(cleanup_free) char *ours = json_write(json);
		CLEANUP(cleanup_free) char *theirs = json_dumps(json, JSON_COMPACT);
		ck_assert_str_eq(ours, theirs);
	}
	for (int c = 0; c < 0x80; c++) {
		const char text[] = { 'a', (char)c, 'b', (char)c };
		json_array_append_new(bytes, json_stringn(text, sizeof(text)));
	}
	whole = json_write(bytes);
	expected = json_dumps(bytes, JSON_COMPACT);
	ck_assert_str_eq(whole, expected);
}
END_TEST

START_TEST(json_nests_so_deep_and_no_deeper)
{
	char text[2 * JSON_DEPTH_MAX + 40];
	struct err e;

	for (int depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
		CLEANUP(json_decrefp) json_t *read = NULL;
		char *at = stpcpy(text, "{\"[[[[[[[[\\\"{\":");
		for (int i = 1; i < depth; i++)
			*at++ = '[';
		for (int i = 1; i < depth; i++)
			*at++ = ']';
		strcpy(at, "}");
		ck_assert_int_eq(json_read_object(text, strlen(text), &read, &e),
				 depth <= JSON_DEPTH_MAX ? 0 : -1);
	}
}
END_TEST

static int no_blank(const char *value, struct err *e)
{
	return strchr(value, ' ') == NULL ? 0 : err_set(e, ERR_INVALID, "BLANK", "has a blank");
}

static const struct field variable_fields[] = {
	{ .name = "key", .type = FIELD_STRING, .required = true, .min = 1, .max = 8 },
	{ .name = "secret", .type = FIELD_BOOL },
	FIELDS_END,
};
static const struct field all_fields[] = {
	{ .name = "name",
	  .type = FIELD_STRING,
	  .required = true,
	  .min = 1,
	  .max = 8,
	  .check = no_blank },
	{ .name = "description", .type = FIELD_STRING, .nullable = true, .max = 20 },
	{ .name = "limit", .type = FIELD_INTEGER, .min = 1, .max = 100 },
	{ .name = "all", .type = FIELD_BOOL },
	{ .name = "env",
	  .type = FIELD_STRING_MAP,
	  .max = 2,
	  .check = no_blank,
	  .check_key = no_blank },
	{ .name = "variables",
	  .type = FIELD_OBJECTS,
	  .min = 1,
	  .max = 2,
	  .members = variable_fields },
	{ .name = "one", .type = FIELD_OBJECT, .members = variable_fields },
	FIELDS_END,
};

START_TEST(a_field_table_accepts_its_fields)
{
	static const struct {
		const char *text;
		const char *code;  /* NULL: accepted */
		const char *begin; /* of the message */
	} cases[] = {
		{ "{\"name\":\"a\"}", NULL, NULL },
		{ "{\"name\":\"a\",\"description\":null,\"limit\":100,\"all\":false,"
		  "\"env\":{\"A\":\"\"},\"variables\":[{\"key\":\"k\",\"secret\":true}]}",
		  NULL, NULL },
		{ "{}", "MISSING_FIELD", "name: " },
		{ "{\"name\":null}", "WRONG_TYPE", "name: " },
		{ "{\"name\":7}", "WRONG_TYPE", "name: " },
		{ "{\"name\":\"\"}", "INVALID_FIELD", "name: " },
		{ "{\"name\":\"123456789\"}", "INVALID_FIELD", "name: " },
		{ "{\"name\":\"a b\"}", "BLANK", "name: has a blank" },
		{ "{\"name\":\"a\",\"namespace\":\"b\"}", "UNKNOWN_FIELD",
		  "no such field here: n" },
		{ "{\"name\":\"a\",\"limit\":0}", "INVALID_FIELD", "limit: " },
		{ "{\"name\":\"a\",\"limit\":101}", "INVALID_FIELD", "limit: " },
		{ "{\"name\":\"a\",\"limit\":1.5}", "WRONG_TYPE", "limit: " },
		{ "{\"name\":\"a\",\"limit\":\"7\"}", "WRONG_TYPE", "limit: " },
		{ "{\"name\":\"a\",\"all\":1}", "WRONG_TYPE", "all: " },
		{ "{\"name\":\"a\",\"env\":[]}", "WRONG_TYPE", "env: " },
		{ "{\"name\":\"a\",\"env\":{\"A\":1}}", "WRONG_TYPE", "env: " },
		{ "{\"name\":\"a\",\"env\":{\"A B\":\"\"}}", "BLANK", "env: " },
		{ "{\"name\":\"a\",\"env\":{\"A\":\"b c\"}}", "BLANK", "env.A: " },
		{ "{\"name\":\"a\",\"env\":{\"A\":\"\",\"B\":\"\",\"C\":\"\"}}", "INVALID_FIELD",
		  "env: " },
		{ "{\"name\":\"a\",\"one\":{\"key\":\"k\"}}", NULL, NULL },
		{ "{\"name\":\"a\",\"one\":[]}", "WRONG_TYPE", "one: must be an object" },
		{ "{\"name\":\"a\",\"one\":{}}", "MISSING_FIELD", "one: key: " },
		{ "{\"name\":\"a\",\"one\":{\"key\":\"k\",\"x\":1}}", "UNKNOWN_FIELD", "one: " },
		{ "{\"name\":\"a\",\"variables\":{}}", "WRONG_TYPE", "variables: " },
		{ "{\"name\":\"a\",\"variables\":[]}", "INVALID_FIELD", "variables: " },
		{ "{\"name\":\"a\",\"variables\":[1]}", "WRONG_TYPE", "variables: " },
		{ "{\"name\":\"a\",\"variables\":[{\"key\":\"k\"},{}]}", "MISSING_FIELD",
		  "variables[1]: key: " },
		{ "{\"name\":\"a\",\"variables\":[{\"key\":\"k\",\"x\":1}]}", "UNKNOWN_FIELD",
		  "variables[0]: " },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(json_decrefp) json_t *read = NULL;
		ck_assert_int_eq(json_read_object(cases[i].text, strlen(cases[i].text), &read, &e),
				 0);
		ck_assert_int_eq(fields_check(all_fields, read, &e), cases[i].code ? -1 : 0);
		if (cases[i].code == NULL)
			continue;
		ck_assert_str_eq(e.code, cases[i].code);
		ck_assert_msg(strncmp(e.message, cases[i].begin, strlen(cases[i].begin)) == 0, "%s",
			      e.message);
	}
}
END_TEST

START_TEST(a_number_without_a_fraction_is_whole_however_it_is_written)
{
	CLEANUP(json_decrefp) json_t *whole = json_pack("{s:s, s:f}", "name", "a", "limit", 7.0);
	CLEANUP(json_decrefp) json_t *huge = json_pack("{s:s, s:f}", "name", "a", "limit", 1e300);
	struct err e;

	ck_assert_int_eq(fields_check(all_fields, whole, &e), 0);
	ck_assert_int_eq(field_integer(whole, "limit", 0), 7);
	ck_assert_int_eq(fields_check(all_fields, huge, &e), -1);
	ck_assert_str_eq(e.code, "WRONG_TYPE");
}
END_TEST

START_TEST(a_route_without_fields_accepts_only_an_empty_object)
{
	CLEANUP(json_decrefp) json_t *empty = json_object();
	CLEANUP(json_decrefp) json_t *full = json_pack("{s:i}", "a", 1);
	struct err e;

	ck_assert_int_eq(fields_check(NULL, empty, &e), 0);
	ck_assert_int_eq(fields_check(NULL, full, &e), -1);
	ck_assert_str_eq(e.code, "UNKNOWN_FIELD");
}
END_TEST

START_TEST(query_parameters_go_through_the_same_table)
{
	CLEANUP(query_clear) struct query q = { .count = 0 };
	CLEANUP(query_clear) struct query wrong = { .count = 0 };
	CLEANUP(json_decrefp) json_t *read = NULL;
	json_t *none = NULL;
	struct err e;

	ck_assert_int_eq(query_parse("name=7&limit=7&all=true", &q, &e), 0);
	ck_assert_int_eq(fields_from_query(all_fields, &q, false, &read, &e), 0);
	ck_assert_str_eq(field_string(read, "name"), "7");
	ck_assert_int_eq(field_integer(read, "limit", 0), 7);
	ck_assert(field_bool(read, "all", false));
	ck_assert(!field_given(read, "description"));
	ck_assert_ptr_null(field_string(read, "description"));
	ck_assert_int_eq(field_integer(read, "nothing", 3), 3);
	ck_assert_int_eq(query_parse("name=7&limit=-7", &wrong, &e), 0);
	ck_assert_int_eq(fields_from_query(all_fields, &wrong, false, &none, &e), -1);
	ck_assert_str_eq(e.code, "WRONG_TYPE");
	ck_assert_int_eq(fields_from_query(NULL, &wrong, false, &none, &e), -1);
	ck_assert_str_eq(e.code, "UNKNOWN_FIELD");
}
END_TEST

START_TEST(a_request_has_an_id_whatever_was_sent)
{
	static const char given[] = "0123456789abcdef0123456789abcdef";
	static const char *const bad[] = { "", "x", "0123456789ABCDEF0123456789ABCDEF",
					   "0123456789abcdef0123456789abcdef0",
					   "0123456789abcdef0123456789abcde\n" };
	struct exchange x;
	struct err e;

	exchange_begin(&x, "GET", "/", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CLEANUP(request_freep) struct request *r = NULL;
		exchange_set(&x, "HTTP_X_REQUEST_ID", bad[i]);
		ck_assert_int_eq(request_read_head(&x.io, &r, &e), 0);
		ck_assert_uint_eq(strspn(request_id(r), "0123456789abcdef"), REQUEST_ID_LENGTH);
		ck_assert_str_ne(request_id(r), given);
	}
	CLEANUP(request_freep) struct request *r = NULL;
	exchange_set(&x, "HTTP_X_REQUEST_ID", given);
	ck_assert_int_eq(request_read_head(&x.io, &r, &e), 0);
	ck_assert_str_eq(request_id(r), given);
	ck_assert_str_eq(request_client(r), "192.0.2.7");
	exchange_set(&x, "REMOTE_ADDR", "unix:");
	ck_assert_ptr_null(request_client(r));
	exchange_end(&x);
}
END_TEST

START_TEST(a_head_keeps_to_its_caps)
{
	struct exchange x;
	struct err e;

	exchange_begin(&x, "GET", "/", NULL);
	for (int i = 0; i < REQUEST_VARIABLES_MAX; i++) {
		CLEANUP(cleanup_free) char *name = mem_printf("HTTP_X_%d", i);
		exchange_set(&x, name, "1");
	}
	CLEANUP(request_freep) struct request *many = NULL;
	ck_assert_int_eq(request_read_head(&x.io, &many, &e), -1);
	ck_assert_int_eq(e.kind, ERR_TOO_LARGE);
	ck_assert_uint_eq(strlen(request_id(many)), REQUEST_ID_LENGTH);
	exchange_end(&x);

	CLEANUP(cleanup_free) char *long_text = mem_calloc(REQUEST_VARIABLE_MAX + 1, 1);
	memset(long_text, 'a', REQUEST_VARIABLE_MAX);
	exchange_begin(&x, "GET", "/", NULL);
	exchange_set(&x, "HTTP_X", long_text);
	CLEANUP(request_freep) struct request *giant = NULL;
	ck_assert_int_eq(request_read_head(&x.io, &giant, &e), -1);
	ck_assert_str_eq(e.code, "HEADERS_TOO_LARGE");
	exchange_end(&x);
}
END_TEST

START_TEST(missing_variables_are_a_bad_request)
{
	struct exchange x = { .io = { .environment = x.variables } };
	CLEANUP(request_freep) struct request *r = NULL;
	struct err e;

	ck_assert_int_eq(request_read_head(&x.io, &r, &e), -1);
	ck_assert_int_eq(e.kind, ERR_INVALID);
	ck_assert_int_eq(request_method(r), METHOD_OTHER);
	ck_assert_str_eq(request_path(r), "");
}
END_TEST

START_TEST(without_request_uri_the_path_is_script_and_path_info)
{
	struct exchange x;
	struct err e;
	CLEANUP(request_freep) struct request *r = NULL;

	exchange_begin(&x, "GET", "/", NULL);
	free(x.variables[1]);
	x.variables[1] = mem_strdup("SCRIPT_NAME=/api");
	exchange_set(&x, "PATH_INFO", "/a%20");
	ck_assert_int_eq(request_read_head(&x.io, &r, &e), 0);
	ck_assert_str_eq(request_path(r), "/api/a%20");
	exchange_end(&x);
}
END_TEST

START_TEST(a_body_is_read_whole_or_refused)
{
	struct exchange x;
	struct err e;
	size_t length;
	CLEANUP(request_freep) struct request *r = NULL;

	exchange_begin(&x, "POST", "/", "{\"a\":\"bcd\"}");
	ck_assert_int_eq(request_read_head(&x.io, &r, &e), 0);
	ck_assert_int_eq(request_read_body(r, 10, &e), -1);
	ck_assert_int_eq(e.kind, ERR_TOO_LARGE);
	ck_assert_uint_eq(x.body_read, 0);
	ck_assert_int_eq(request_read_body(r, 11, &e), 0);
	ck_assert_str_eq(request_body(r, &length), "{\"a\":\"bcd\"}");
	ck_assert_uint_eq(length, 11);
	x.body_read = 0;
	exchange_set(&x, "CONTENT_LENGTH", "12");
	ck_assert_int_eq(request_read_body(r, 100, &e), -1);
	ck_assert_str_eq(e.code, "TRUNCATED_BODY");
	static const char *const bad[] = { "-1", "1x", "+1", "99999999999999999999", " 1" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		exchange_set(&x, "CONTENT_LENGTH", bad[i]);
		ck_assert_int_eq(request_read_body(r, 100, &e), -1);
	}
	exchange_end(&x);
}
END_TEST

START_TEST(a_body_must_be_called_json)
{
	static const struct {
		const char *type;
		int result;
	} cases[] = {
		{ "application/json", 0 },
		{ "Application/JSON; charset=UTF-8", 0 },
		{ "application/json;charset=latin1", -1 },
		{ "application/jsonp", -1 },
		{ "application/jsoncharset=utf-8", -1 },
		{ "text/plain", -1 },
		{ "application/x-www-form-urlencoded", -1 },
		{ "", -1 },
	};
	struct exchange x;
	struct err e;
	CLEANUP(request_freep) struct request *r = NULL;

	exchange_begin(&x, "POST", "/", "{}");
	ck_assert_int_eq(request_read_head(&x.io, &r, &e), 0);
	ck_assert_int_eq(request_read_body(r, 10, &e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		exchange_set(&x, "CONTENT_TYPE", cases[i].type);
		ck_assert_msg(request_require_json(r, &e) == cases[i].result, "%s", cases[i].type);
	}
	exchange_end(&x);
}
END_TEST

START_TEST(a_request_from_another_site_changes_nothing)
{
	static const char ours[] = "https://fsa.example";
	static const struct {
		const char *site, *origin;
		bool by_cookie;
		int result;
	} cases[] = {
		{ "same-origin", NULL, true, 0 },
		{ "none", NULL, true, 0 },
		{ "same-site", NULL, true, -1 },
		{ "cross-site", NULL, true, -1 },
		{ "cross-site", ours, true, -1 },
		{ "", NULL, true, -1 },
		{ NULL, ours, true, 0 },
		{ NULL, "https://fsa.example.evil", true, -1 },
		{ NULL, "http://fsa.example", true, -1 },
		{ NULL, "null", true, -1 },
		{ NULL, NULL, true, -1 },
		{ NULL, NULL, false, 0 },
		{ "cross-site", NULL, false, -1 },
		{ NULL, "https://evil.example", false, -1 },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ck_assert_int_eq(
			csrf_check(cases[i].site, cases[i].origin, ours, cases[i].by_cookie, &e),
			cases[i].result);
		if (cases[i].result < 0)
			ck_assert_int_eq(e.kind, ERR_FORBIDDEN);
	}
}
END_TEST

START_TEST(an_origin_is_written_as_browsers_do)
{
	static const struct {
		const char *url, *origin;
	} cases[] = {
		{ "https://FSA.example:443/", "https://fsa.example" },
		{ "http://fsa.example:80", "http://fsa.example" },
		{ "HTTP://127.0.0.1:8080/path?x", "http://127.0.0.1:8080" },
		{ "https://fsa.example:8443", "https://fsa.example:8443" },
		{ "https://:443", NULL },
		{ "https://a@b", NULL },
		{ "ftp://a", NULL },
		{ "fsa.example", NULL },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(cleanup_free) char *origin = NULL;
		ck_assert_int_eq(csrf_origin(cases[i].url, &origin, &e), cases[i].origin ? 0 : -1);
		if (cases[i].origin != NULL)
			ck_assert_str_eq(origin, cases[i].origin);
	}
}
END_TEST

#define TOKEN_A "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define TOKEN_B "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"

START_TEST(a_session_travels_in_a_cookie_or_as_bearer)
{
	static const struct {
		const char *cookie, *authorization;
		bool secure;
		const char *token; /* NULL: refused */
		enum credential credential;
	} cases[] = {
		{ "fsa=" TOKEN_A, "", false, TOKEN_A, CREDENTIAL_COOKIE },
		{ "a=b; fsa=" TOKEN_A "; c=d", "", false, TOKEN_A, CREDENTIAL_COOKIE },
		{ "__Host-fsa=" TOKEN_A, "", true, TOKEN_A, CREDENTIAL_COOKIE },
		{ "fsa=" TOKEN_A, "", true, NULL, CREDENTIAL_NONE },
		{ "xfsa=" TOKEN_A, "", false, NULL, CREDENTIAL_NONE },
		{ "fsa=" TOKEN_A "x", "", false, NULL, CREDENTIAL_NONE },
		{ "fsa=", "", false, NULL, CREDENTIAL_NONE },
		{ "fsa=" TOKEN_A, "Bearer " TOKEN_B, false, TOKEN_B, CREDENTIAL_BEARER },
		{ "fsa=" TOKEN_A, "bearer nonsense", false, NULL, CREDENTIAL_NONE },
		{ "fsa=" TOKEN_A, "Bearer", false, NULL, CREDENTIAL_NONE },
		{ "fsa=" TOKEN_A, "Basic " TOKEN_B, false, TOKEN_A, CREDENTIAL_COOKIE },
		{ "fsa=" TOKEN_A, "Bearers " TOKEN_B, false, TOKEN_A, CREDENTIAL_COOKIE },
		{ "", "Bearer fsa_" TOKEN_B, true, "fsa_" TOKEN_B, CREDENTIAL_API_TOKEN },
		{ "", "Bearer FSA_" TOKEN_B, true, NULL, CREDENTIAL_NONE },
		{ "", "Bearer xfsa_" TOKEN_B, true, NULL, CREDENTIAL_NONE },
		/* An API token is never accepted from what a page can make a browser send. */
		{ "fsa=fsa_" TOKEN_B, "", false, NULL, CREDENTIAL_NONE },
		{ "", "", false, NULL, CREDENTIAL_NONE },
	};
	struct exchange x;
	struct err e;
	CLEANUP(request_freep) struct request *r = NULL;

	exchange_begin(&x, "GET", "/", NULL);
	ck_assert_int_eq(request_read_head(&x.io, &r, &e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char token[API_TOKEN_LENGTH + 1];
		enum credential credential = CREDENTIAL_NONE;
		exchange_set(&x, "HTTP_COOKIE", cases[i].cookie);
		exchange_set(&x, "HTTP_AUTHORIZATION", cases[i].authorization);
		ck_assert_int_eq(session_token(r, cases[i].secure, token, &credential, &e),
				 cases[i].token ? 0 : -1);
		if (cases[i].token == NULL)
			continue;
		ck_assert_str_eq(token, cases[i].token);
		ck_assert_int_eq(credential, cases[i].credential);
	}
	exchange_end(&x);
}
END_TEST

START_TEST(cookies_are_as_safe_as_the_site_allows)
{
	static const struct {
		bool secure, framed;
		const char *cookie;
	} cases[] = {
		{ false, false, "fsa=" TOKEN_A "; Path=/; Max-Age=60; HttpOnly; SameSite=Lax" },
		{ true, false,
		  "__Host-fsa=" TOKEN_A "; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure" },
		{ true, true,
		  "__Host-fsa=" TOKEN_A
		  "; Path=/; Max-Age=60; HttpOnly; SameSite=None; Partitioned; Secure" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct exchange x;
		CLEANUP(response_freep) struct response *r = response_new();
		exchange_begin(&x, "GET", "/", NULL);
		session_set_cookie(r, cases[i].secure, cases[i].framed, TOKEN_A, 60);
		ck_assert_int_eq(response_send(r, &x.io, "id", false), 0);
		ck_assert_str_eq(exchange_header(&x, "Set-Cookie"), cases[i].cookie);
		exchange_end(&x);
	}
}
END_TEST

START_TEST(an_answer_cannot_be_split_by_a_header)
{
	struct exchange x;
	CLEANUP(response_freep) struct response *r = response_new();

	exchange_begin(&x, "GET", "/", NULL);
	response_header(r, "X-Evil", "a\r\nSet-Cookie: b");
	response_header(r, "X-Good", "a b");
	response_json(r, 200, json_pack("{s:s}", "a", "b"));
	ck_assert_int_eq(response_send(r, &x.io, "id", false), 0);
	ck_assert_ptr_null(strstr(x.answer, "X-Evil"));
	ck_assert_str_eq(exchange_header(&x, "X-Good"), "a b");
	ck_assert_str_eq(exchange_header(&x, "Cache-Control"), "no-store");
	ck_assert_str_eq(exchange_header(&x, "Content-Type"), "application/json");
	ck_assert_str_eq(exchange_header(&x, "Content-Length"), "9");
	ck_assert_str_eq(exchange_body(&x), "{\"a\":\"b\"}");
	exchange_end(&x);
}
END_TEST

START_TEST(a_page_escapes_what_it_shows)
{
	struct exchange x;
	CLEANUP(response_freep) struct response *r = response_new();
	const struct page page = { .title = "<b>", .text = "\"&'", .script = "/x.js\"><i>" };

	exchange_begin(&x, "GET", "/", NULL);
	page_show(r, 200, &page);
	ck_assert_int_eq(response_send(r, &x.io, "id", false), 0);
	ck_assert_str_eq(exchange_header(&x, "Content-Type"), "text/html; charset=utf-8");
	ck_assert_ptr_null(strstr(exchange_header(&x, "Content-Security-Policy"), "unsafe"));
	ck_assert_ptr_nonnull(strstr(exchange_body(&x), "<h1>&lt;b&gt;</h1>"));
	ck_assert_ptr_nonnull(strstr(exchange_body(&x), "&quot;&amp;&#39;"));
	ck_assert_ptr_nonnull(strstr(exchange_body(&x), "\"/x.js&quot;&gt;&lt;i&gt;\""));
	response_json(r, 200, json_object()); /* nothing of the page is left */
	exchange_end(&x);
	exchange_begin(&x, "GET", "/", NULL);
	ck_assert_int_eq(response_send(r, &x.io, "id", false), 0);
	ck_assert_str_eq(exchange_header(&x, "Content-Type"), "application/json");
	ck_assert_str_eq(exchange_header(&x, "Content-Security-Policy"),
			 "default-src 'none'; frame-ancestors 'none'");
	exchange_end(&x);
}
END_TEST

START_TEST(a_way_back_is_a_path_of_ours)
{
	static const char *const ours[] = { "/",        "/a",
					    "/a/",      "/a/b?c=//d&e=%20#f",
					    "/a.b/..c", "/?x=https://evil.example" };
	static const char *const others[] = {
		"",           "a",       "//a",   "/\\a",  "\\/a",     "///a",
		"/a//b",      "/./a",    "/a/..", "/../a", "/.",       "/%2fa",
		"/%2Fa",      "/%5ca",   "/%5Ca", "/%00",  "/%0a",     "/%7f",
		"/%25",       "/%2e/a",  "/%",    "/%4",   "/%4g",     "/a b",
		"/\t/a",      "/\n",     "\n/a",  " /a",   "/\x7f",    "/\xc3\xa4",
		"https://a/", "/a?b=\\", "/<a>",  "/a\"b", "/a?b=%0d", "/a#%0a",
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		ck_assert_msg(return_path_check(ours[i], &e) == 0, "%s", ours[i]);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		ck_assert_msg(return_path_check(others[i], &e) == -1, "%s", others[i]);
		ck_assert_str_eq(e.code, "RETURN_TO");
	}
}
END_TEST

START_TEST(an_error_shows_each_reader_their_part)
{
	CLEANUP(response_freep) struct response *r = response_new();
	struct err e;

	err_set(&e, ERR_INTERNAL, NULL, "column \"x\" does not exist");
	response_error(r, &e, "id", NULL, false);
	ck_assert_int_eq(response_status(r), 500);
	ck_assert_ptr_null(strstr(response_body(r), "column"));
	response_error(r, &e, "id", NULL, true);
	ck_assert_ptr_nonnull(strstr(response_body(r), "column"));

	err_set(&e, ERR_CONFLICT, "PROJECT_EXISTS", "caf\xe9"); /* not UTF-8 */
	response_error(r, &e, "id", "p", false);
	CLEANUP(json_decrefp)
	json_t *body = json_loads(response_body(r), 0, NULL);
	ck_assert_str_eq(field_string(body, "errorCode"), "PROJECT_EXISTS");
	ck_assert_str_eq(field_string(body, "error"), "Conflict");
	ck_assert_str_eq(field_string(body, "projectId"), "p");
	ck_assert_str_eq(field_string(body, "requestId"), "id");
	ck_assert_int_eq(field_integer(body, "status", 0), 409);
	ck_assert_uint_eq(strlen(field_string(body, "timestamp")),
			  strlen("2026-11-23T20:51:32.042Z"));
	ck_assert_str_eq(field_string(json_object_get(body, "details"), "name"), "CONFLICT");
	ck_assert(!field_given(json_object_get(body, "details"), "kubernetesStatus"));
}
END_TEST

START_TEST(when_the_database_is_away_the_answer_says_when_again)
{
	struct exchange x;
	CLEANUP(response_freep) struct response *r = response_new();
	struct err e;

	exchange_begin(&x, "GET", "/", NULL);
	err_set(&e, ERR_UNAVAILABLE, NULL, "connection to 10.0.0.1 refused");
	e.retry_after_s = 3;
	response_error(r, &e, "id", NULL, false);
	ck_assert_int_eq(response_send(r, &x.io, "id", false), 0);
	ck_assert_int_eq(exchange_status(&x), 503);
	ck_assert_str_eq(exchange_header(&x, "Retry-After"), "3");
	ck_assert_str_eq(exchange_header(&x, "Content-Type"), "application/json");
	ck_assert_ptr_null(strstr(x.answer, "10.0.0.1"));
	exchange_end(&x);
}
END_TEST

START_TEST(a_stale_socket_is_replaced_and_a_live_one_is_not)
{
	char directory[] = "/tmp/fsa-web-XXXXXX";
	struct stat found;
	struct err e;
	int fd = -1, other = -1;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	CLEANUP(cleanup_free) char *path = mem_printf("%s/s", directory);
	ck_assert_int_eq(listen_unix(path, &fd, &e), 0);
	ck_assert_int_eq(stat(path, &found), 0);
	ck_assert_uint_eq(found.st_mode & 0777, 0660);
	ck_assert_int_eq(listen_unix(path, &other, &e), -1);
	ck_assert_int_eq(e.kind, ERR_CONFLICT);
	close(fd);
	ck_assert_int_eq(listen_unix(path, &other, &e), 0);
	close(other);
	unlink(path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(listen_unix(path, &other, &e), -1);
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

START_TEST(waking_touches_the_file)
{
	char directory[] = "/tmp/fsa-web-XXXXXX";
	struct stat found;
	struct err e;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	CLEANUP(cleanup_free) char *path = mem_printf("%s/wake", directory);
	ck_assert_int_eq(wake(path, &e), 0);
	ck_assert_int_eq(stat(path, &found), 0);
	ck_assert_int_eq(wake("/nonexistent/wake", &e), -1);
	unlink(path);
	rmdir(directory);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("web");
	TCase *tc = tcase_create("web");

	crypto_init();
	tcase_add_test(tc, a_query_is_decoded_strictly);
	tcase_add_test(tc, a_query_keeps_to_its_caps);
	tcase_add_test(tc, a_path_cannot_hide_a_slash);
	tcase_add_test(tc, escaping_and_decoding_are_inverse);
	tcase_add_test(tc, members_are_rendered_by_their_table);
	tcase_add_test(tc, json_that_is_not_plain_is_refused);
	tcase_add_test(tc, json_is_written_as_jansson_writes_it);
	tcase_add_test(tc, json_nests_so_deep_and_no_deeper);
	tcase_add_test(tc, a_field_table_accepts_its_fields);
	tcase_add_test(tc, a_route_without_fields_accepts_only_an_empty_object);
	tcase_add_test(tc, a_number_without_a_fraction_is_whole_however_it_is_written);
	tcase_add_test(tc, query_parameters_go_through_the_same_table);
	tcase_add_test(tc, a_request_has_an_id_whatever_was_sent);
	tcase_add_test(tc, a_head_keeps_to_its_caps);
	tcase_add_test(tc, missing_variables_are_a_bad_request);
	tcase_add_test(tc, without_request_uri_the_path_is_script_and_path_info);
	tcase_add_test(tc, a_body_is_read_whole_or_refused);
	tcase_add_test(tc, a_body_must_be_called_json);
	tcase_add_test(tc, a_request_from_another_site_changes_nothing);
	tcase_add_test(tc, an_origin_is_written_as_browsers_do);
	tcase_add_test(tc, a_session_travels_in_a_cookie_or_as_bearer);
	tcase_add_test(tc, cookies_are_as_safe_as_the_site_allows);
	tcase_add_test(tc, an_answer_cannot_be_split_by_a_header);
	tcase_add_test(tc, a_page_escapes_what_it_shows);
	tcase_add_test(tc, a_way_back_is_a_path_of_ours);
	tcase_add_test(tc, an_error_shows_each_reader_their_part);
	tcase_add_test(tc, when_the_database_is_away_the_answer_says_when_again);
	tcase_add_test(tc, a_stale_socket_is_replaced_and_a_live_one_is_not);
	tcase_add_test(tc, waking_touches_the_file);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
