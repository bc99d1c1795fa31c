// Handles of the parameters in bounce.def, where their meaning is told.
#pragma once

#include "config/param.h"

#define PARAM_GROUP bounce
#define PARAM_FILE "config/params/bounce.def"
#include "config/params/declare.inc"
