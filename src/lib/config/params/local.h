// Handles of the parameters in local.def, where their meaning is told.
#pragma once

#include "config/param.h"

#define PARAM_GROUP local
#define PARAM_FILE "config/params/local.def"
#include "config/params/declare.inc"
