/* The backend `none`: states without machines. */
#ifndef INGOT_CLOUD_STATEONLY_H
#define INGOT_CLOUD_STATEONLY_H

#include "cloud/backend.h"

extern const struct backend_ops backend_none;

#endif
