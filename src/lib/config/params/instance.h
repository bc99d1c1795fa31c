// Handles of the parameters in instance.def, where their meaning is told.
#pragma once

#include "config/param.h"

#define PARAM_GROUP instance
#define PARAM_FILE "config/params/instance.def"
#include "config/params/declare.inc"
