#include "api.h"

#include "web/program.h"

int main(int argc, char **argv)
{
	static const struct program program = {
		.name = "api.fcgi",
		.role = "fsa_api",
		.routes = api_routes,
		.takes_api_tokens = true,
		.open = api_open,
		.close = api_close,
		.seal = api_seal_answer,
		.unseal = api_unseal,
	};

	return program_main(&program, argc, argv);
}
