// Handles of the parameters in system.def, where their meaning is told.
#pragma once

#include "config/param.h"

#define PARAM_GROUP system
#define PARAM_FILE "config/params/system.def"
#include "config/params/declare.inc"
