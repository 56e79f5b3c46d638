#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <check.h>

#include "base/cleanup.h"
#include "http/address.h"

/* ---- addresses ----------------------------------------------------------------------------- */

static const struct {
	const char *address;
	const char *what;  /* NULL: allowed by default */
	const char *allow; /* a setting that allows it */
	const char *still; /* a setting that does not */
} addresses[] = {
	{ "1.1.1.1", NULL, NULL, NULL },
	{ "172.15.255.255", NULL, NULL, NULL },
	{ "172.32.0.0", NULL, NULL, NULL },
	{ "100.63.255.255", NULL, NULL, NULL },
	{ "100.128.0.0", NULL, NULL, NULL },
	{ "223.255.255.255", NULL, NULL, NULL },
	{ "2606:4700::1111", NULL, NULL, NULL },
	{ "::ffff:1.1.1.1", NULL, NULL, NULL },
	{ "64:ff9b::1.1.1.1", NULL, NULL, NULL },
	{ "2002:101:101::1", NULL, NULL, NULL },
	{ "127.0.0.1", "loopback", "127.0.0.1/32", "127.0.0.2/32" },
	{ "127.255.255.254", "loopback", "127.0.0.0/8", "127.0.0.0/9" },
	{ "0.0.0.0", "unspecified", "0.0.0.0", "10.0.0.0/8" },
	{ "10.1.2.3", "private", "10.0.0.0/8", "::/0" },
	{ "172.16.0.1", "private", "172.16.0.0/12 10.0.0.0/8", "172.17.0.0/16" },
	{ "172.31.255.255", "private", "10.0.0.0/8 172.31.0.0/16", NULL },
	{ "192.168.1.1", "private", "0.0.0.0/0", NULL },
	{ "100.64.0.1", "shared (CGNAT)", "100.64.0.0/10", NULL },
	{ "169.254.1.1", "link-local", "169.254.0.0/16", NULL },
	{ "169.254.169.254", "metadata service", "169.254.169.254", "169.254.0.0/16 0.0.0.0/0" },
	{ "168.63.129.16", "metadata service", "168.63.129.16/32", "168.63.0.0/16" },
	{ "100.100.100.200", "metadata service", "100.100.100.200", "100.64.0.0/10" },
	{ "192.0.0.192", "metadata service", "192.0.0.192", "192.0.0.0/24" },
	{ "192.0.0.8", "reserved", "192.0.0.0/24", NULL },
	{ "192.0.2.1", "documentation", "192.0.2.0/24", NULL },
	{ "198.19.0.1", "benchmarking", "198.18.0.0/15", NULL },
	{ "224.0.0.1", "multicast", "224.0.0.0/4", NULL },
	{ "255.255.255.255", "reserved", "255.255.255.255", NULL },
	{ "::", "unspecified", "::/128", NULL },
	{ "::1", "loopback", "::1", "127.0.0.0/8" },
	{ "::2", "reserved", "::/0", NULL },
	{ "::7f00:1", "reserved", "::/96", "127.0.0.0/8" },
	{ "::ffff:127.0.0.1", "loopback", "127.0.0.0/8", "::1/128" },
	{ "::ffff:169.254.169.254", "metadata service", "169.254.169.254", "0.0.0.0/0" },
	{ "64:ff9b::10.0.0.1", "private", "10.0.0.0/8", "11.0.0.0/8" },
	{ "64:ff9b::169.254.169.254", "metadata service", "169.254.169.254", "0.0.0.0/0" },
	{ "64:ff9b:1::1.1.1.1", "reserved", "64:ff9b:1::/48", NULL },
	{ "2002:7f00:1::", "loopback", "127.0.0.1", NULL },
	{ "2002:a9fe:a9fe::1", "metadata service", NULL, "0.0.0.0/0" },
	{ "fd00:ec2::254", "metadata service", "fd00:ec2::254", "fc00::/7 ::/0" },
	{ "fd12::1", "private", "fd00::/8", "fd13::/16" },
	{ "fe80::1", "link-local", "fe80::/10", NULL },
	{ "fec0::1", "private", "fec0::/10", NULL },
	{ "ff02::1", "multicast", "ff00::/8", NULL },
	{ "2001::1", "reserved", "2001::/32", NULL },
	{ "2001:db8::1", "documentation", "2001:db8::/32", NULL },
	{ "3fff::1", "documentation", "3fff::/20", NULL },
	{ "4000::1", "reserved", "4000::/3", NULL },
};

static const char *refusal_of(const char *allow, const char *address)
{
	CLEANUP(address_policy_freep) struct address_policy *policy = NULL;
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	bool is_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
	struct err e = { 0 };

	ck_assert(is_v4 || inet_pton(AF_INET6, address, &v6.sin6_addr) == 1);
	ck_assert_msg(address_policy_new(allow, &policy, &e) == 0, "%s", e.message);
	const char *by_host = address_policy_refusal_of_host(policy, address);
	const char *by_address = address_policy_refusal(
		policy, is_v4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6);
	ck_assert_ptr_eq(by_host, by_address);
	return by_address;
}

START_TEST(addresses_are_allowed_or_refused_by_what_they_are)
{
	ck_assert_pstr_eq(refusal_of(NULL, addresses[_i].address), addresses[_i].what);
	ck_assert_pstr_eq(refusal_of("", addresses[_i].address), addresses[_i].what);
	if (addresses[_i].allow != NULL)
		ck_assert_pstr_eq(refusal_of(addresses[_i].allow, addresses[_i].address), NULL);
	if (addresses[_i].still != NULL)
		ck_assert_pstr_eq(refusal_of(addresses[_i].still, addresses[_i].address),
				  addresses[_i].what);
}
END_TEST

START_TEST(names_are_refused_only_where_they_are_known)
{
	static const struct {
		const char *host, *what;
	} hosts[] = {
		{ "localhost", "loopback" },
		{ "LocalHost", "loopback" },
		{ "a.localhost", "loopback" },
		{ "ip6-localhost", "loopback" },
		{ "metadata.google.internal", "metadata service" },
		{ "notlocalhost", NULL },
		{ "localhost.example", NULL },
		{ "x.example", NULL },
		{ "", NULL },
	};
	CLEANUP(address_policy_freep) struct address_policy *policy = NULL;

	ck_assert_int_eq(address_policy_new(NULL, &policy, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++)
		ck_assert_pstr_eq(address_policy_refusal_of_host(policy, hosts[i].host),
				  hosts[i].what);
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	ck_assert_pstr_eq(address_policy_refusal(policy, (const struct sockaddr *)&local),
			  "not an Internet address");
}
END_TEST

START_TEST(a_policy_that_cannot_be_read_is_refused)
{
	static const char *const bad[] = {
		"x",         "10.0.0.0/33",    "10.0.0/8",
		"10.0.0.0/", "10.0.0.0/-1",    "::/129",
		"::1/x",     "10.0.0.0/8,::1", "127.0.0.1 localhost",
		"[::1]",     "10.0.0.0/8/8",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct address_policy *policy = NULL;
		struct err e = { 0 };
		ck_assert_msg(address_policy_new(bad[i], &policy, &e) == -1, "%s", bad[i]);
		ck_assert_int_eq(e.kind, ERR_INVALID);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http");
	TCase *address = tcase_create("address");

	tcase_add_loop_test(address, addresses_are_allowed_or_refused_by_what_they_are, 0,
			    ARRAY_SIZE(addresses));
	tcase_add_test(address, names_are_refused_only_where_they_are_known);
	tcase_add_test(address, a_policy_that_cannot_be_read_is_refused);
	suite_add_tcase(suite, address);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
