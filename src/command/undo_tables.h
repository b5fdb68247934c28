/* How to remove what journals list, by platform: the arrows point one way, so engine gets it from
 * here. */
#ifndef INGOT_COMMAND_UNDO_TABLES_H
#define INGOT_COMMAND_UNDO_TABLES_H

#include "engine/sweep.h"

extern const struct sweep_table undo_tables[];
extern const size_t undo_tables_n;

#endif
