/* Fault plans of the local cloud. */
#include "cloud/api/faults.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	json_t *plan = json_loadb((const char *)data, n, JSON_DECODE_ANY, NULL);
	struct faults *f = faults_new();
	AUTO(err) struct err err = ERR_INIT;
	struct fault fault;

	if (plan && (faults_load(f, plan, &err) < 0) != err_any(&err))
		abort();
	for (int i = 0; i < 3; i++)
		faults_next(f, "RunInstances", &fault);
	faults_free(f);
	json_decref(plan);
	return 0;
}
