/* The undo tables of all platforms. */
#include "command/undo_tables.h"

#include "aws/undo.h"

const struct sweep_table undo_tables[] = {
	{ aws_undo, &aws_undo_n },
};
const size_t undo_tables_n = ARRAY_LEN(undo_tables);
