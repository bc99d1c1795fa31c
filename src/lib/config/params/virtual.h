// Handles of the parameters in virtual.def, where their meaning is told.
#pragma once

#include "config/param.h"

#define PARAM_GROUP virtual
#define PARAM_FILE "config/params/virtual.def"
#include "config/params/declare.inc"
