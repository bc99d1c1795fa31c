// Handles of the parameters in milter.def, where their meaning is told.
#pragma once

#include "config/param.h"

#define PARAM_GROUP milter
#define PARAM_FILE "config/params/milter.def"
#include "config/params/declare.inc"
