/* A text as the sequence of its texts and actions. */
#include "lang/gotmpl/tree.h"

/* Words that begin, end or divide something, so that the action means nothing alone. */
static bool is_structure(struct str word)
{
	static const char *const words[] = { "block", "break", "continue", "define", "else", "end",
					     "if",    "range", "template", "with",   NULL };

	for (const char *const *w = words; *w; w++)
		if (str_eqs(word, *w))
			return true;
	return false;
}

static bool is_constant_word(struct str word)
{
	return str_eqs(word, "true") || str_eqs(word, "false") || str_eqs(word, "nil");
}

/* The lexer stands behind "{{". */
static int take_action(struct lexer *l, struct gotmpl_part *ret, struct err *err)
{
	size_t from = l->pos, words = 0;
	struct item item;

	*ret = (struct gotmpl_part){ .action = true, .operand = true };
	for (;;) {
		if (lex_next(l, &item, err) < 0)
			return -1;
		if (item.kind == ITEM_EOF)
			return gotmpl_error(err, (uint32_t)from, "the action is not closed");
		if (item.kind == ITEM_RIGHT)
			break;
		if ((item.kind == ITEM_IDENT && !words && is_structure(item.text)) ||
		    item.kind == ITEM_DECLARE || item.kind == ITEM_ASSIGN)
			return err_set(err, ERR_UNSUPPORTED,
				       "\"%.*s\" makes one thing of several actions",
				       (int)item.text.n, item.text.p);
		if (item.kind == ITEM_PIPE || item.kind == ITEM_OPEN ||
		    (item.kind == ITEM_IDENT && !is_constant_word(item.text)))
			ret->operand = false;
		words += item.kind != ITEM_SPACE;
	}
	ret->text = str_trim(str_slice(l->text, from, item.pos));
	return 0;
}

int gotmpl_parts(struct arena *a, struct str text, struct gotmpl_part **ret, size_t *ret_n,
		 struct err *err)
{
	struct lexer l = { .arena = a, .text = text };
	struct gotmpl_part *parts = NULL;
	size_t n = 0, cap = 0;
	struct item item;

	for (;;) {
		if (lex_next(&l, &item, err) < 0)
			return -1;
		if (item.kind == ITEM_EOF)
			break;
		if (n + 2 > cap) {
			parts = arena_grow(a, parts, n * sizeof(*parts),
					   (2 * cap + 8) * sizeof(*parts));
			cap = 2 * cap + 8;
		}
		if (item.text.n)
			parts[n++] = (struct gotmpl_part){ .text = item.text };
		if (l.inside && take_action(&l, &parts[n++], err) < 0)
			return -1;
	}
	*ret = parts;
	*ret_n = n;
	return 0;
}
