/* The choice of the backend: by what works here, not by who asks. */
#include "cloud/backends.h"

#include "base/buf.h"
#include "base/str.h"
#include "cloud/stateonly.h"

/* In the order in which `auto` tries them; what stands after `none` is never tried. */
static const struct backend_ops *const backends[] = {
	&backend_container,
	&backend_qemu,
	&backend_none,
};

int backends_choose(const char *name, const struct backend_ops **ret, struct err *err)
{
	AUTO(buf) struct buf reasons = BUF_INIT;
	enum err_code code = ERR_UNSUPPORTED;

	for (size_t i = 0; i < ARRAY_LEN(backends); i++) {
		if (streq(name, backends[i]->name)) {
			if (backends[i]->probe(err) < 0)
				return -1;
			*ret = backends[i];
			return 0;
		}
	}
	if (!streq(name, "auto"))
		return err_set(err, ERR_INVALID,
			       "there is no backend \"%s\": auto, container, qemu and none are "
			       "known",
			       name);
	for (size_t i = 0; backends[i] != &backend_none; i++) {
		AUTO(err) struct err why = ERR_INIT;

		if (backends[i]->probe(&why) == 0) {
			*ret = backends[i];
			return 0;
		}
		buf_printf(&reasons, "%s%s", reasons.n ? "; " : "", why.msg);
		code = why.code;
	}
	return err_set(err, code, "no backend works here: %s", buf_cstr(&reasons));
}
