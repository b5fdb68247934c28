/* completion: what a shell needs to complete commands and flags, printed from the tables (hidden;
 * for make install). */
#include "command/command.h"
#include "command/flags.h"
#include "command/ui.h"

#include "base/str.h"

/* The words after a command: its subcommands, its flags, its arguments. */
static void add_words(struct buf *out, const struct command *c)
{
	const char *sep = "";

	for (const struct command *const *child = commands; *child; child++) {
		if (c ? streq((*child)->parent, c->name) : !(*child)->parent && !(*child)->hidden) {
			buf_printf(out, "%s%s", sep, (*child)->name);
			sep = " ";
		}
	}
	for (size_t i = 0; c && flags_row(c, i); i++) {
		const struct flag *row = flags_row(c, i);

		if (!flags_shown(c, i))
			continue;
		buf_printf(out, "%s-%s%s", sep, row->name, row->type == FLAG_BOOL ? "" : "=");
		sep = " ";
	}
	if (c && c->complete)
		c->complete(out);
}

/* One case of the shell's switch over "COMMAND" or "GROUP COMMAND". */
static void add_cases(struct buf *out, const char *variable)
{
	for (const struct command *const *c = commands; *c; c++) {
		if ((*c)->hidden)
			continue;
		buf_printf(out, "\t\"%s%s%s\") %s=\"", (*c)->parent ? (*c)->parent : "",
			   (*c)->parent ? " " : "", (*c)->name, variable);
		add_words(out, *c);
		buf_adds(out, "\" ;;\n");
	}
}

static void bash(struct buf *out)
{
	buf_adds(out, "# bash completion of ingot; `ingot completion bash` printed it\n"
		      "_ingot() {\n"
		      "\tlocal word=${COMP_WORDS[COMP_CWORD]} one=${COMP_WORDS[1]} "
		      "two=${COMP_WORDS[2]} words=\"\"\n"
		      "\tif [ \"$COMP_CWORD\" -eq 1 ]; then words=\"");
	add_words(out, NULL);
	buf_adds(out, "\"\n\telse case \"$one\" in\n");
	add_cases(out, "words");
	buf_adds(out, "\tesac\n\tif [ \"$COMP_CWORD\" -gt 2 ]; then case \"$one $two\" in\n");
	add_cases(out, "words");
	buf_adds(out, "\tesac; fi; fi\n"
		      "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
		      "\tcase \"${COMPREPLY[0]}\" in *=) compopt -o nospace ;; esac\n"
		      "}\n"
		      "complete -o default -F _ingot ingot\n");
}

static void zsh(struct buf *out)
{
	buf_adds(out,
		 "#compdef ingot\n# zsh completion of ingot; `ingot completion zsh` printed it\n"
		 "_ingot() {\n"
		 "\tlocal list=\"\"\n"
		 "\tif (( CURRENT == 2 )); then list=\"");
	add_words(out, NULL);
	buf_adds(out, "\"\n\telse case \"$words[2]\" in\n");
	add_cases(out, "list");
	buf_adds(out, "\tesac; (( CURRENT > 3 )) && case \"$words[2] $words[3]\" in\n");
	add_cases(out, "list");
	buf_adds(out, "\tesac; fi\n"
		      "\tcompadd -S '' -- ${(M)${=list}:#*=}\n"
		      "\tcompadd -- ${${=list}:#*=}\n"
		      "\t_files\n"
		      "}\n"
		      "_ingot \"$@\"\n");
}

static int run(const struct invocation *in)
{
	AUTO(buf) struct buf out = BUF_INIT;

	if (streq(in->args[0], "bash")) {
		bash(&out);
	} else if (streq(in->args[0], "zsh")) {
		zsh(&out);
	} else {
		ui_error(in, "There is no completion for the shell \"%s\"; use bash or zsh.",
			 in->args[0]);
		return 1;
	}
	ui_write(buf_str(&out));
	return 0;
}

const struct command command_completion = {
	.name = "completion",
	.arguments = "bash|zsh",
	.summary = "Print shell completion",
	.hidden = true,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
