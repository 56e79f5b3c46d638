/* The tests of the store, run by test_store.py, which starts what they need (see support.h). */
#include <stdlib.h>

#include "support.h"

int main(void)
{
	SRunner *runner = srunner_create(db_suite());

	srunner_add_suite(runner, words_suite());
	srunner_add_suite(runner, people_suite());
	srunner_add_suite(runner, project_suite());
	srunner_add_suite(runner, desired_suite());
	srunner_add_suite(runner, queue_suite());
	srunner_add_suite(runner, rights_suite());
	srunner_add_suite(runner, hosts_suite());
	srunner_add_suite(runner, shards_suite());
	srunner_add_suite(runner, spending_suite());
	srunner_add_suite(runner, lifetime_suite());
	srunner_add_suite(runner, live_suite());
	srunner_add_suite(runner, kubeconfig_check_suite());
	srunner_add_suite(runner, clusters_suite());
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
