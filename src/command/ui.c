/* Standard output of the short commands. */
#include "command/ui.h"

#include "engine/machine.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/os.h"

#include <stdarg.h>
#include <unistd.h>

void ui_write(struct str text)
{
	if (os_write_all(STDOUT_FILENO, text.p, text.n) < 0)
		log_line("standard output: %m");
}

static void message(const struct invocation *in, const char *kind, struct str text)
{
	auto_free char *cut = xstrndup(text.p, text.n); /* lines and logs end at a NUL */
	AUTO(buf) struct buf line = BUF_INIT;

	if (in->machine_readable) {
		machine_line(&line, clock_unix(), NULL, "ui",
			     (const char *[]){ kind, cut, NULL });
	} else {
		buf_add_str(&line, text);
		buf_addc(&line, '\n');
	}
	ui_write(buf_str(&line));
	if (log_to_file())
		log_line("ui%s: %s", streq(kind, "error") ? " error" : "", cut);
}

void ui_say(const struct invocation *in, const char *fmt, ...)
{
	AUTO(buf) struct buf text = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	message(in, "say", buf_str(&text));
}

void ui_message(const struct invocation *in, struct str text)
{
	message(in, "message", text);
}

void ui_error(const struct invocation *in, const char *fmt, ...)
{
	AUTO(buf) struct buf text = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	message(in, "error", buf_str(&text));
}

void ui_diags(const struct invocation *in, const struct diags *d, enum diag_severity least,
	      const struct redact *secrets)
{
	for (size_t i = 0; i < d->n; i++) {
		bool error = d->v[i].severity == DIAG_ERROR;
		AUTO(buf) struct buf text = BUF_INIT, clean = BUF_INIT;

		if (!error && least == DIAG_ERROR)
			continue;
		diag_render(&d->v[i], &text);
		if (secrets)
			redact_text(secrets, buf_str(&text), &clean);
		(error ? ui_error : ui_say)(in, "%s", buf_cstr(secrets ? &clean : &text));
	}
	if (d->errors + d->warnings > d->n)
		ui_error(in, "%zu more errors are not shown.", d->errors + d->warnings - d->n);
}

void ui_machine(const struct invocation *in, const char *target, const char *type, ...)
{
	enum { MAX_FIELDS = 8 };
	AUTO(buf) struct buf line = BUF_INIT;
	const char *data[MAX_FIELDS + 1] = { NULL };
	va_list ap;

	if (!in->machine_readable)
		return;
	va_start(ap, type);
	for (size_t i = 0; i < MAX_FIELDS && (data[i] = va_arg(ap, const char *)); i++)
		;
	va_end(ap);
	machine_line(&line, clock_unix(), target, type, data);
	ui_write(buf_str(&line));
}
