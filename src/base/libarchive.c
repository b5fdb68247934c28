/* The table of libarchive's functions. */
#include "base/libarchive.h"
#include "base/dl.h"

struct libarchive libarchive;

static const struct dl_symbol symbols[] = {
#define X(member, symbol) DL_SYMBOL(libarchive, symbol, member),
	LIBARCHIVE_FUNCTIONS(X)
#undef X
};

static struct dl_library library = { "libarchive.so.13", "libarchive13", symbols,
				     ARRAY_LEN(symbols), NULL };

int libarchive_open(struct err *err)
{
	return dl_open(&library, err);
}
