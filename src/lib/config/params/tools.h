// Handles of the parameters in tools.def, where their meaning is told.
#pragma once

#include "config/param.h"

#define PARAM_GROUP tools
#define PARAM_FILE "config/params/tools.def"
#include "config/params/declare.inc"
