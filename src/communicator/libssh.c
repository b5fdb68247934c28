/* The table of libssh's functions. */
#include "communicator/libssh.h"

#include "base/dl.h"

struct libssh libssh;

static const struct dl_symbol symbols[] = {
#define X(member, symbol) DL_SYMBOL(libssh, symbol, member),
	LIBSSH_FUNCTIONS(X)
#undef X
};
static struct dl_library library = { "libssh.so.4", "libssh-4", symbols, ARRAY_LEN(symbols), NULL };

int libssh_open(struct err *err)
{
	return dl_open(&library, err);
}
