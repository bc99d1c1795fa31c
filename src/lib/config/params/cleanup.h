// Handles of the parameters in cleanup.def, where their meaning is told.
#pragma once

#include "config/param.h"

#define PARAM_GROUP cleanup
#define PARAM_FILE "config/params/cleanup.def"
#include "config/params/declare.inc"
