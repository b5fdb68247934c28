/* Keys of users: what the local cloud imports, and what a template's key file holds. */
#include "cloud/model/sshkey.h"
#include "communicator/ssh_key.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str text = { (const char *)data, n };
	auto_free char *copy = xstrndup(text.p, n);
	AUTO(err) struct err err = ERR_INIT, again = ERR_INIT, kind = ERR_INIT;
	AUTO(sshkey) struct sshkey key, same;

	if ((ssh_key_check(text, "x", &kind) < 0) != err_any(&kind))
		abort();
	same = (struct sshkey){ 0 };
	if (sshkey_import(copy, &key, &err) < 0)
		return 0;
	if (sshkey_import(key.public_line, &same, &again) < 0 ||
	    !streq(key.fingerprint, same.fingerprint))
		abort(); /* its own line is the same key */
	return 0;
}
