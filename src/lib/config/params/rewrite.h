// Handles of the parameters in rewrite.def, where their meaning is told.
#pragma once

#include "config/param.h"

#define PARAM_GROUP rewrite
#define PARAM_FILE "config/params/rewrite.def"
#include "config/params/declare.inc"
