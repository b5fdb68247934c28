/* A machine that is not there, for builders that make something without one and run provisioners
 * all the same (a fact of the reference): commands succeed and print nothing, what is put there is
 * gone, what is fetched is empty. */
#ifndef INGOT_COMMUNICATOR_NOWHERE_H
#define INGOT_COMMUNICATOR_NOWHERE_H

#include "communicator/communicator.h"

extern const struct communicator_ops nowhere_ops; /* with a struct of the caller's; frees nothing */

#endif
