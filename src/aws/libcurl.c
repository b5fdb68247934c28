/* The table of libcurl's symbols, filled by the dynamic loader at the first request. */
#include "aws/libcurl.h"

#include "base/dl.h"

#include <pthread.h>

static struct libcurl curl;

static const struct dl_symbol symbols[] = {
	DL_SYMBOL(curl, curl_global_init, global_init),
	DL_SYMBOL(curl, curl_easy_init, easy_init),
	DL_SYMBOL(curl, curl_easy_setopt, easy_setopt),
	DL_SYMBOL(curl, curl_easy_getinfo, easy_getinfo),
	DL_SYMBOL(curl, curl_easy_reset, easy_reset),
	DL_SYMBOL(curl, curl_easy_cleanup, easy_cleanup),
	DL_SYMBOL(curl, curl_easy_strerror, easy_strerror),
	DL_SYMBOL(curl, curl_multi_init, multi_init),
	DL_SYMBOL(curl, curl_multi_setopt, multi_setopt),
	DL_SYMBOL(curl, curl_multi_add_handle, multi_add_handle),
	DL_SYMBOL(curl, curl_multi_remove_handle, multi_remove_handle),
	DL_SYMBOL(curl, curl_multi_perform, multi_perform),
	DL_SYMBOL(curl, curl_multi_poll, multi_poll),
	DL_SYMBOL(curl, curl_multi_info_read, multi_info_read),
	DL_SYMBOL(curl, curl_multi_cleanup, multi_cleanup),
	DL_SYMBOL(curl, curl_slist_append, slist_append),
	DL_SYMBOL(curl, curl_slist_free_all, slist_free_all),
};

static struct dl_library lib = { "libcurl.so.4", "libcurl4", symbols, ARRAY_LEN(symbols), NULL };

static void init_once(void)
{
	curl.global_init(CURL_GLOBAL_DEFAULT);
}

const struct libcurl *libcurl_get(struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (dl_open(&lib, err) < 0)
		return NULL;
	pthread_once(&once, init_once);
	return &curl;
}
