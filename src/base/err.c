/* Errors: a code for the program, a message for the person. */
#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static char *format(const char *fmt, va_list ap)
{
	char *p;

	if (vasprintf(&p, fmt, ap) < 0)
		abort();
	return p;
}

int err_vset(struct err *err, enum err_code code, const char *fmt, va_list ap)
{
	assert(code != ERR_NONE);
	assert(err->code == ERR_NONE); /* an earlier error would be lost */
	err->code = code;
	err->msg = format(fmt, ap);
	return -1;
}

int err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vset(err, code, fmt, ap);
	va_end(ap);
	return -1;
}

int err_errno(struct err *err, int errnum, const char *fmt, ...)
{
	auto_free char *text = NULL;
	char reason[128];
	va_list ap;

	va_start(ap, fmt);
	text = format(fmt, ap);
	va_end(ap);
	err->os = errnum;
	return err_set(err, ERR_IO, "%s: %s", text, strerror_r(errnum, reason, sizeof(reason)));
}

int err_prefix(struct err *err, const char *fmt, ...)
{
	auto_free char *context = NULL;
	char *joined;
	va_list ap;

	assert(err->code != ERR_NONE);
	va_start(ap, fmt);
	context = format(fmt, ap);
	va_end(ap);
	joined = xasprintf("%s: %s", context, err->msg);
	free(err->msg);
	err->msg = joined;
	return -1;
}

int err_move(struct err *to, struct err *from)
{
	assert(to->code == ERR_NONE);
	*to = *from;
	*from = (struct err)ERR_INIT;
	return -1;
}

void err_set_name(struct err *err, const char *name)
{
	char *copy = xstrdup(name);

	free(err->name);
	err->name = copy;
}

bool err_is(const struct err *err, const char *name)
{
	return err->name && strcmp(err->name, name) == 0;
}

void err_release(struct err *err)
{
	free(err->name);
	free(err->msg);
	*err = (struct err)ERR_INIT;
}
