/* A command of the program: one const struct in its own file, one row in the table of command.c.
 * Help, completion and the man page are printed from these rows.
 *
 *	const struct command command_version = {
 *		.name = "version", .summary = "Print the version", .raw = true, .packer = true,
 *		.run = version_run,
 *	};
 */
#ifndef INGOT_COMMAND_COMMAND_H
#define INGOT_COMMAND_COMMAND_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"

enum flag_type {
	FLAG_BOOL,
	FLAG_STRING,
	FLAG_INT,
	FLAG_LIST,   /* repeatable, comma lists */
	FLAG_REPEAT, /* repeatable, as it stands */
	FLAG_PAIR,   /* repeatable, name=value */
};

/* Go's flags: -f, --f, -f=v, -f v; booleans -f or -f=false; all before the arguments. */
struct flag {
	const char *name; /* without the dash */
	enum flag_type type;
	const char *value; /* placeholder in help: "path" */
	const char *def;   /* shown in help and taken when not given */
	const char *doc;   /* sentences, with their full stops */
	const char *const *choices; /* FLAG_STRING: the only values; NULL-terminated or NULL */
	bool hidden;		    /* accepted, not shown */
};

struct flags; /* parsed; the getters below want a name that the command's rows have */
bool flags_bool(const struct flags *f, const char *name);
/* NULL when not given and without a default. */
const char *flags_string(const struct flags *f, const char *name);
int64_t flags_int(const struct flags *f, const char *name);
/* NULL-terminated, never NULL. */
char *const *flags_list(const struct flags *f, const char *name);
bool flags_given(const struct flags *f, const char *name);

/* What every command gets. */
struct invocation {
	const struct command *command;
	const char *program; /* "ingot" or "packer": the name it speaks */
	bool as_packer;
	bool machine_readable;	   /* was anywhere on the line */
	const struct flags *flags; /* NULL for a raw command */
	char *const *args;	   /* without the flags; NULL-terminated */
	size_t nargs;
};

struct command {
	const char *name;
	const char *parent; /* "cloud" for `ingot cloud up`; NULL at the top */
	/* What the usage line has after the name: "[options] TEMPLATE"; may be NULL. */
	const char *arguments;
	const char *summary; /* one line, no full stop */
	/* Paragraphs, for help and man page; NULL: the summary is enough. */
	const char *description;
	const struct flag *flags;
	size_t nflags;
	const struct flag *more_flags; /* shared rows (template flags); may be NULL */
	size_t nmore_flags;
	/* The shared rows are accepted for scripts and do nothing here: not shown. */
	bool more_hidden;
	int min_args, max_args; /* max -1: any */
	bool flags_anywhere;	/* flags may stand after arguments too */
	bool raw;		/* gets all its arguments unparsed, flags too */
	bool hidden;		/* in no list of commands */
	bool packer;		/* Packer has it too: listed in help under either name */
	/* Returns the exit code; prints by itself (command/ui.h). NULL: a group, which shows its
	 * commands. */
	int (*run)(const struct invocation *in);
	/* The words that may stand as argument, each with a space before it, for the shell; NULL:
	 * files, or nothing. */
	void (*complete)(struct buf *out);
};

/* NULL-terminated, sorted by name, a group before its own. */
extern const struct command *const commands[];

/* NULL if there is none. parent may be NULL. */
const struct command *command_find(const char *parent, const char *name);

#endif
